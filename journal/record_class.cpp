#include "journal/record_class.h"

namespace tidemark::journal {

RecordClass class_of(model::RecordKind kind) {
  switch (kind) {
    case model::RecordKind::kLogMessage: return RecordClass::kLogMessages;
    case model::RecordKind::kKvUpdate:
    case model::RecordKind::kEventCalled:
    case model::RecordKind::kEventFeedback:
    case model::RecordKind::kEventAnswered:
    case model::RecordKind::kStatusChanged: return RecordClass::kKvEvents;
    case model::RecordKind::kPvUpdate:
    case model::RecordKind::kPvConnected:
    case model::RecordKind::kPvDisconnected: return RecordClass::kPvUpdates;
    default: return RecordClass::kKept;
  }
}

std::uint32_t kinds_of(RecordClass of) {
  std::uint32_t kinds = of == RecordClass::kKept ? 1 : 0;
  for (std::uint8_t number = 1; number < 32; ++number) {
    const auto kind = static_cast<model::RecordKind>(number);
    if (class_of(kind) == of) kinds |= kind_bit(kind);
  }
  return kinds;
}

std::optional<RecordClass> expired_class(const Section& section) {
  if (section.format != SectionFormat::kExpired || section.payload.size() != 1) return std::nullopt;
  const auto number = static_cast<std::uint8_t>(section.payload.front());
  if (number >= kRecordClasses) return std::nullopt;
  return static_cast<RecordClass>(number);
}

Section expired_section(const Section& section, RecordClass of, std::uint32_t skip,
                        std::uint32_t count) {
  return {section.origin,          section.incarnation, section.sequence + skip,        count,
          SectionFormat::kExpired, section.sent_at,     Bytes(1, static_cast<char>(of))};
}

std::string_view to_string(RecordClass of) {
  switch (of) {
    case RecordClass::kKept: return "kept";
    case RecordClass::kLogMessages: return "log_messages";
    case RecordClass::kKvEvents: return "kv_events";
    case RecordClass::kPvUpdates: return "pv_updates";
  }
  return "unknown";
}

}  // namespace tidemark::journal
