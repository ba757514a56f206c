// tools/import_own.cpp
//
// Lines of our own export (export_format.h). Messages and marks come in as what they are, with
// their times. What a machine did, its jobs, puts, calls and nodes, comes in as messages that tell
// of it: as records they would be taken for things that happened here. Values of PVs do not come
// in at all, for the same reason.

#include <map>

#include "tools/export_format.h"
#include "tools/import_line.h"
#include "tools/typed_json.h"

namespace tidemark::tools {
namespace {

using model::RecordKind;
using model::kv::Struct;
using model::kv::Value;

constexpr std::uint64_t kLineMax = 1ull << 63;

template <class T>
Result<T> need(const Json& line, const char* name) {
  const auto found = line.find(name);
  if (found == line.end()) return wrong(std::string(name) + ": missing");
  if constexpr (std::is_same_v<T, std::string>) {
    if (!found->is_string()) return wrong(std::string(name) + ": not text");
  } else {
    if (!found->is_number_unsigned()) return wrong(std::string(name) + ": no number");
  }
  return found->template get<T>();
}

/// The field when it is a T, else what a T is by itself.
template <class T>
T field(const Value& record, const char* name) {
  const auto* found = record.field(name);
  const auto* content = found == nullptr ? nullptr : found->get_if<T>();
  return content == nullptr ? T{} : *content;
}

Value value_of(const Value& record, const char* name) {
  const auto* found = record.field(name);
  return found == nullptr ? Value() : *found;
}

bool is_about_pvs(RecordKind kind) {
  switch (kind) {
    case RecordKind::kPvDefined:
    case RecordKind::kPvUpdate:
    case RecordKind::kPvConnected:
    case RecordKind::kPvDisconnected:
    case RecordKind::kKeyframe: return true;
    default: return false;
  }
}

class OwnReader final : public LineReader {
 public:
  explicit OwnReader(const std::string& journal)
      : origin_(Uuid::derive("tidemark-journal/" + journal)), node_("journal " + journal) {}

  Result<std::optional<ImportedLine>> read(const Json& line) override {
    const auto number = need<std::uint64_t>(line, "line");
    if (!number) return number.error();
    if (number.value() == 0 || number.value() > kLineMax) return wrong("line: out of range");
    const auto recorded = need<std::string>(line, "recorded_at");
    if (!recorded) return recorded.error();
    const auto at = parse_iso(recorded.value());
    if (!at) return wrong("recorded_at: not a time");
    const auto name = need<std::string>(line, "kind");
    if (!name) return name.error();
    const auto kind = model::parse_record_kind(name.value());
    if (kind && is_about_pvs(*kind)) return std::optional<ImportedLine>();
    const auto found = line.find("record");
    if (found == line.end()) return wrong("record: missing");
    const auto fields = fields_from_typed_json(*found);
    if (!fields) return Error{fields.error().code, "record: " + fields.error().message};
    auto record = record_of(kind, name.value(), Value(fields.value()), line, *at);
    if (!record) return record.error();
    return std::optional(
        ImportedLine{origin_, node_, number.value(), 0, std::move(record).value()});
  }

 private:
  static Result<model::Record> record_of(std::optional<RecordKind> kind, const std::string& name,
                                         const Value& fields, const Json& line, UtcTime recorded) {
    auto at = field<UtcTime>(fields, "at");
    if (at == UtcTime{}) at = recorded;
    if (kind == RecordKind::kLogMessage) {
      const auto level = model::parse_level(field<std::string>(fields, "level"));
      if (!level) return wrong("record.level: none of debug, info, warning, error");
      return model::Record(model::LogMessage{
          *level, field<std::string>(fields, "source"), field<std::string>(fields, "text"),
          value_of(fields, "data"), field<std::string>(fields, "category"), at});
    }
    if (kind == RecordKind::kMarkBegin || kind == RecordKind::kMarkEnd) {
      const auto mark = Uuid::parse(field<std::string>(fields, "mark"));
      if (!mark) return wrong("record.mark: no UUID");
      const auto called = field<std::string>(fields, "name");
      const auto who = field<std::string>(fields, "who");
      const auto data = value_of(fields, "data");
      if (kind == RecordKind::kMarkEnd) {
        return model::Record(model::MarkEnd{*mark, called, who, data, at});
      }
      std::vector<std::string> tags;
      const auto all = value_of(fields, "tags");
      if (const auto* array = all.get_if<model::kv::Array>()) {
        for (const auto& tag : *array) {
          if (const auto* text = tag.get_if<std::string>()) tags.push_back(*text);
        }
      }
      return model::Record(model::MarkBegin{*mark, called, std::move(tags), who, data, at});
    }
    const auto level = need<std::string>(line, "level");
    const auto subject = need<std::string>(line, "subject");
    const auto text = need<std::string>(line, "text");
    for (const auto* each : {&level, &subject, &text}) {
      if (!*each) return each->error();
    }
    const auto known = model::parse_level(level.value());
    if (!known) return wrong("level: none of debug, info, warning, error");
    // As data they have one level more than they had.
    const auto data = model::kv::check_size(fields).ok() ? fields : Value();
    return model::Record(
        model::LogMessage{*known, subject.value(), text.value(), data, name, recorded});
  }

  const Uuid origin_;
  const std::string node_;
};

}  // namespace

bool is_export_head(const Json& line) {
  const auto format = line.find("format");
  return format != line.end() && *format == kExportFormat;
}

Result<std::unique_ptr<LineReader>> make_own_reader(const Json& head) {
  const auto version = head.find("v");
  if (version == head.end() || *version != kExportVersion) return wrong("v: only 1 is known");
  const auto journal = head.find("journal");
  if (journal == head.end() || !journal->is_string()) return wrong("journal: missing");
  return std::unique_ptr<LineReader>(std::make_unique<OwnReader>(journal->get<std::string>()));
}

}  // namespace tidemark::tools
