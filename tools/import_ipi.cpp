// tools/import_ipi.cpp
//
// Segments of an ipi-ecs journal, NDJSON v1: {"v": 1, "origin": {"uuid", "ts_ns"}, "seq", "level",
// "msg", "l_type", "data", "ingest_ts_ns"}. What is what:
//
//   begins and ends of events    l_type is BEGIN, START or END, STOP, alone or with EVENT; or it
//                                is EVENT, and data says so in event_state, state, phase or action
//   → MarkBegin, MarkEnd         the mark's id: data's event_id, event_uuid, uuid or id; without
//                                one, an end belongs to the last open begin of that name and
//                                origin. Its name: data's name, event_name, event or title, else
//                                msg
//   all else → LogMessage        with l_type as category and data's fields, seq and ingested_at
//
// The time is the origin's ts_ns, else ingest_ts_ns. It is also the number of the line: seq begins
// anew when a program starts again.

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <vector>

#include "base/ascii.h"
#include "tools/import_line.h"
#include "tools/typed_json.h"

namespace tidemark::tools {
namespace {

using model::kv::Struct;
using model::kv::Value;

enum class Phase { kNone, kBegin, kEnd };

Phase phase_of(const std::string& word) {
  for (const auto* each : {"begin", "begun", "start", "started", "open", "opened"}) {
    if (word == each) return Phase::kBegin;
  }
  for (const auto* each :
       {"end", "ended", "stop", "stopped", "finish", "finished", "close", "closed", "done"}) {
    if (word == each) return Phase::kEnd;
  }
  return Phase::kNone;
}

const Json* member(const Json& json, const char* name) {
  if (!json.is_object()) return nullptr;
  const auto found = json.find(name);
  return found == json.end() || found->is_null() ? nullptr : &*found;
}

/// The first of these that there is and is text.
std::string text_of(const Json& json, std::initializer_list<const char*> names) {
  for (const auto* name : names) {
    const auto* found = member(json, name);
    if (found != nullptr && found->is_string()) return found->get<std::string>();
  }
  return {};
}

/// Words of "EVENT_BEGIN", "event.begin", "Begin".
Phase phase(const std::string& l_type, const Json& data) {
  std::vector<std::string> words(1);
  for (const char c : lowered(l_type)) {
    if (c >= 'a' && c <= 'z') {
      words.back() += c;
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  std::erase(words, std::string());
  bool event = false;
  auto found = Phase::kNone;
  for (const auto& word : words) {
    const auto one = phase_of(word);
    if (word == "event") {
      event = true;
    } else if (one != Phase::kNone && found == Phase::kNone) {
      found = one;
    } else {
      return Phase::kNone;  // "BEGIN DUMP", "END OF FILE": something else
    }
  }
  if (found != Phase::kNone || !event) return found;
  return phase_of(lowered(text_of(data, {"event_state", "state", "phase", "action"})));
}

Result<model::Level> level_of(const Json* level) {
  using model::Level;
  if (level == nullptr) return Level::kInfo;
  if (level->is_number_integer()) {
    const auto number = level->get<std::int64_t>();
    if (number < 0) return wrong("level: " + std::to_string(number));
    if (number <= 3) return static_cast<Level>(number);
    // Python's: 10, 20, 30, 40, 50.
    return number < 20   ? Level::kDebug
           : number < 30 ? Level::kInfo
           : number < 40 ? Level::kWarning
                         : Level::kError;
  }
  if (!level->is_string()) return wrong("level: neither a name nor a number");
  const auto name = lowered(level->get<std::string>());
  if (name == "trace" || name == "debug") return Level::kDebug;
  if (name == "info" || name == "notice" || name.empty()) return Level::kInfo;
  if (name == "warn" || name == "warning") return Level::kWarning;
  for (const auto* each : {"error", "err", "critical", "fatal", "alarm", "exception"}) {
    if (name == each) return Level::kError;
  }
  return wrong("level: '" + name + "'");
}

/// A time in ns since 1970; 0: there is none.
Result<std::int64_t> time_of(const Json& json, const char* name) {
  const auto* found = member(json, name);
  if (found == nullptr) return std::int64_t{0};
  if (!found->is_number_integer()) return wrong(std::string(name) + ": not a whole number");
  if (found->is_number_unsigned() && found->get<std::uint64_t>() > INT64_MAX) {
    return wrong(std::string(name) + ": out of range");
  }
  const auto time = found->get<std::int64_t>();
  if (time < 0) return wrong(std::string(name) + ": before 1970");
  return time;
}

std::vector<std::string> tags_of(const Json& data) {
  std::vector<std::string> tags;
  const auto* found = member(data, "tags");
  if (found == nullptr || !found->is_array()) return tags;
  for (const auto& tag : *found) {
    if (tag.is_string()) tags.push_back(tag.get<std::string>());
  }
  return tags;
}

class IpiReader final : public LineReader {
 public:
  Result<std::optional<ImportedLine>> read(const Json& line) override {
    const auto* version = member(line, "v");
    if (version == nullptr || *version != 1) return wrong("v: only 1 is known");
    const auto* origin = member(line, "origin");
    if (origin == nullptr) return wrong("origin: missing");
    const auto uuid = text_of(*origin, {"uuid"});
    if (uuid.empty()) return wrong("origin.uuid: missing");
    const auto taken = time_of(*origin, "ts_ns");
    if (!taken) return Error{taken.error().code, "origin." + taken.error().message};
    const auto ingested = time_of(line, "ingest_ts_ns");
    if (!ingested) return ingested.error();
    const auto time = taken.value() != 0 ? taken.value() : ingested.value();
    if (time == 0) return wrong("no time: neither origin.ts_ns nor ingest_ts_ns");
    const auto* number = member(line, "seq");
    if (number == nullptr || !number->is_number_unsigned()) return wrong("seq: no whole number");
    const auto* message = member(line, "msg");
    if (message != nullptr && !message->is_string()) return wrong("msg: not text");
    const auto* data = member(line, "data");

    const auto known = Uuid::parse(uuid);
    const auto named = known ? known->text() : uuid;
    Said said;
    said.source = "ipi-ecs/" + named;
    said.origin = Uuid::derive(said.source);
    said.seq = number->get<std::uint64_t>();
    said.at = UtcTime{Duration{time}};
    said.ingested = UtcTime{Duration{ingested.value()}};
    said.text = message == nullptr ? "" : message->get<std::string>();
    said.l_type = text_of(line, {"l_type"});
    said.data = data == nullptr ? Json() : *data;
    auto record = record_of(said, line);
    if (!record) return record.error();
    return std::optional(ImportedLine{said.origin, said.source, static_cast<std::uint64_t>(time),
                                      said.seq, std::move(record).value()});
  }

 private:
  struct Said {
    Uuid origin;
    std::string source;
    std::uint64_t seq = 0;
    UtcTime at{};
    UtcTime ingested{};
    std::string text;
    std::string l_type;
    Json data;
  };

  Result<model::Record> record_of(const Said& said, const Json& line) {
    auto data = from_plain_json(said.data);
    if (!data) return Error{data.error().code, "data: " + data.error().message};
    const auto phase_here = phase(said.l_type, said.data);
    if (phase_here == Phase::kNone) {
      const auto level = level_of(member(line, "level"));
      if (!level) return level.error();
      const auto all = with_facts(said, std::move(data).value());
      if (!model::kv::check_size(all).ok()) return wrong("data: too many levels or elements");
      return model::Record(
          model::LogMessage{level.value(), said.source, said.text, all, said.l_type, said.at});
    }
    auto name = text_of(said.data, {"name", "event_name", "event", "title"});
    if (name.empty()) name = said.text.empty() ? "event" : said.text;
    const auto mark = mark_of(said, name, phase_here);
    if (phase_here == Phase::kEnd) {
      return model::Record(
          model::MarkEnd{mark, name, said.source, std::move(data).value(), said.at});
    }
    return model::Record(model::MarkBegin{mark, name, tags_of(said.data), said.source,
                                          std::move(data).value(), said.at});
  }

  static Value with_facts(const Said& said, Value data) {
    Struct fields;
    if (const auto* own = data.get_if<Struct>()) {
      fields = *own;
    } else if (!data.is_none()) {
      fields.push_back({"data", std::move(data)});
    }
    const auto add = [&](const char* name, Value value) {
      const bool there = std::any_of(fields.begin(), fields.end(),
                                     [&](const auto& each) { return each.name == name; });
      if (!there) fields.push_back({name, std::move(value)});
    };
    add("seq", said.seq);
    if (said.ingested != UtcTime{}) add("ingested_at", said.ingested);
    return fields;
  }

  Uuid mark_of(const Said& said, const std::string& name, Phase phase_here) {
    const auto id = text_of(said.data, {"event_id", "event_uuid", "uuid", "id"});
    if (!id.empty()) {
      const auto known = Uuid::parse(id);
      return known ? *known : Uuid::derive(said.source + "/event/" + id);
    }
    auto& open = open_[{said.source, name}];
    if (phase_here == Phase::kEnd && !open.empty()) {
      const auto mark = open.back();
      open.pop_back();
      return mark;
    }
    const auto mark = Uuid::derive(said.source + "/event/" + name + "/" +
                                   std::to_string(said.at.time_since_epoch().count()));
    if (phase_here == Phase::kBegin) open.push_back(mark);
    return mark;
  }

  std::map<std::pair<std::string, std::string>, std::vector<Uuid>> open_;  // by origin and name
};

}  // namespace

std::unique_ptr<LineReader> make_ipi_reader() { return std::make_unique<IpiReader>(); }

}  // namespace tidemark::tools
