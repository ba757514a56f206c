#include "tools/record_json.h"

#include <array>
#include <tuple>
#include <type_traits>

#include "tools/key_show.h"
#include "tools/show.h"

namespace tidemark::tools {
namespace {

using namespace model;

// The names of each type's fields, in the order of fields(). What has none yet is numbered.
template <class T>
constexpr std::array<const char*, 0> kNames{};
template <>
constexpr auto kNames<PvDefined> = std::array{"channel", "address"};
template <>
constexpr auto kNames<KvUpdate> = std::array{"key", "value", "time", "writer", "sequence"};
template <>
constexpr auto kNames<EventCalled> = std::array{"call", "event", "caller", "targets", "argument"};
template <>
constexpr auto kNames<EventFeedback> = std::array{"call", "event", "target", "text", "value"};
template <>
constexpr auto kNames<EventAnswered> =
    std::array{"call", "event", "target", "state", "reason", "value"};
template <>
constexpr auto kNames<MarkBegin> = std::array{"mark", "name", "tags", "who", "data", "at"};
template <>
constexpr auto kNames<MarkEnd> = std::array{"mark", "name", "who", "data", "at"};
template <>
constexpr auto kNames<StatusChanged> =
    std::array{"item", "severity", "code", "text", "active", "acknowledged_by"};
template <>
constexpr auto kNames<JobAccepted> = std::array{"job", "type", "title", "user", "detail"};
template <>
constexpr auto kNames<JobProgress> = std::array{"job", "done", "total"};
template <>
constexpr auto kNames<JobFinished> = std::array{"job", "state", "message"};
template <>
constexpr auto kNames<PutIntended> = std::array{"channel", "address", "value", "job"};
template <>
constexpr auto kNames<PutConfirmed> = std::array{"channel", "address", "job"};
template <>
constexpr auto kNames<PutRefused> = std::array{"channel", "address", "job", "reason"};
template <>
constexpr auto kNames<PutUnknown> = std::array{"channel", "address", "job", "reason"};
template <>
constexpr auto kNames<LogMessage> = std::array{"level", "source", "text"};
template <>
constexpr auto kNames<SnapshotTaken> =
    std::array{"snapshot", "title", "values", "missing", "job"};
template <>
constexpr auto kNames<TagChanged> = std::array{"tag", "what", "user"};
template <>
constexpr auto kNames<CatalogChanged> = std::array{"subject", "what", "user"};
template <>
constexpr auto kNames<NodeUp> = std::array{"node", "incarnation", "host", "pid"};
template <>
constexpr auto kNames<NodeDown> = std::array{"node", "incarnation", "reason"};
template <>
constexpr auto kNames<NodeRestarted> = std::array{"node", "pid", "restarts", "reason"};
template <>
constexpr auto kNames<Gap> =
    std::array{"origin", "node", "incarnation", "from", "to", "since", "until", "reason"};
template <>
constexpr auto kNames<StreamGap> =
    std::array{"node", "source", "stream", "incarnation", "from", "to"};

template <class T>
Json field_json(const T& value) {
  if constexpr (std::is_constructible_v<Json, const T&>) {
    return value;
  } else {
    return nullptr;
  }
}
Json field_json(const Uuid& id) { return id.is_nil() ? Json(nullptr) : Json(id.text()); }
Json field_json(UtcTime time) { return time_json(time); }
Json field_json(ChannelId channel) { return static_cast<std::uint64_t>(channel); }
Json field_json(Level level) { return to_string(level); }

template <class T>
void add_field(Json& object, const std::string& name, const T& value) {
  if constexpr (std::is_same_v<T, kv::Value> || std::is_same_v<T, PvValue>) {
    // A value that JSON has no number for has "special" beside it, so it has an object to itself
    // unless it is plain.
    Json said = Json::object();
    if constexpr (std::is_same_v<T, PvValue>) {
      add_value(said, value);
    } else {
      add_key_value(said, value);
    }
    object[name] = said.size() == 1 && said.contains("value") ? said["value"] : said;
  } else {
    object[name] = field_json(value);
  }
}

template <class T>
Json fields_json(const T& record) {
  Json object = Json::object();
  const auto fields = T::fields(record);
  const auto name = [](std::size_t i) {
    return i < kNames<T>.size() ? std::string(kNames<T>.data()[i]) : "field " + std::to_string(i);
  };
  std::apply(
      [&](const auto&... each) {
        std::size_t i = 0;
        (add_field(object, name(i++), each), ...);
      },
      fields);
  return object;
}

Json fields_json(const UnknownRecord& record) {
  return {{"kind", record.kind}, {"bytes", record.packed.size()}};
}

}  // namespace

Json record_json(const Record& record) {
  return std::visit([](const auto& each) { return fields_json(each); }, record);
}

}  // namespace tidemark::tools
