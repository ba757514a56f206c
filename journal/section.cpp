#include "journal/section.h"

#include <algorithm>
#include <limits>
#include <string>

#include "journal/record_class.h"

namespace tidemark::journal {
namespace {

Error wrong(const Section& section, const std::string& why) {
  return Error{Code::kCorruption, "section of " + section.origin.text() + " from sequence " +
                                      std::to_string(section.sequence) + ": " + why};
}

Error wrong_count(const Section& section, std::size_t found) {
  return wrong(section, "says it holds " + std::to_string(section.count) + " records, but holds " +
                            std::to_string(found));
}

}  // namespace

model::RecordKind kind_of(const model::PvUpdate& update) {
  switch (update.event) {
    case model::PvUpdate::Event::kConnected: return model::RecordKind::kPvConnected;
    case model::PvUpdate::Event::kDisconnected: return model::RecordKind::kPvDisconnected;
    case model::PvUpdate::Event::kValue: break;
  }
  return model::RecordKind::kPvUpdate;
}

model::Level level_of(const model::PvUpdate& update) {
  return update.event == model::PvUpdate::Event::kDisconnected ? model::Level::kWarning
                                                               : model::Level::kInfo;
}

Result<InspectedSection> inspect(Section section) {
  if (section.count == 0) return wrong(section, "holds no record");
  if (section.sequence > std::numeric_limits<std::uint64_t>::max() - section.count) {
    return wrong(section, "the sequence overflows");
  }
  InspectedSection inspected(std::move(section));
  const Section& checked = inspected.section_;
  const auto note = [&inspected](model::RecordKind kind, model::Level level) {
    inspected.kinds_ |= kind_bit(kind);
    inspected.level_ = std::max(inspected.level_, level);
  };
  switch (checked.format) {
    case SectionFormat::kUpdates: {
      const auto updates = model::decode_updates(checked.payload);
      if (!updates) return wrong(checked, updates.error().message);
      if (updates.value().size() != checked.count) {
        return wrong_count(checked, updates.value().size());
      }
      for (const auto& update : updates.value()) note(kind_of(update), level_of(update));
      return inspected;
    }
    case SectionFormat::kRecords: {
      auto records = model::decode_records(checked.payload);
      if (!records) return wrong(checked, records.error().message);
      if (records.value().size() != checked.count) {
        return wrong_count(checked, records.value().size());
      }
      for (auto& record : records.value()) {
        note(model::kind_of(record), model::level_of(record));
        if (auto* defined = std::get_if<model::PvDefined>(&record)) {
          inspected.defined_.push_back(std::move(*defined));
        }
      }
      return inspected;
    }
    case SectionFormat::kExpired: {
      const auto of = expired_class(checked);
      if (!of) return wrong(checked, "expired, and of no class");
      // They may have been any of its kinds, and of any level.
      inspected.kinds_ = kinds_of(*of);
      inspected.level_ = model::Level::kError;
      return inspected;
    }
  }
  return wrong(checked, "format " + std::to_string(static_cast<int>(checked.format)));
}

}  // namespace tidemark::journal
