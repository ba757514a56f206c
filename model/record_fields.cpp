#include "model/record_fields.h"

#include <algorithm>
#include <array>
#include <type_traits>

namespace tidemark::model {
namespace {

template <class T>
struct Names;  // in the order of T::fields()

#define TIDEMARK_NAMES(Type, ...)                                           \
  template <>                                                               \
  struct Names<Type> {                                                      \
    static constexpr auto kAll = std::to_array<const char*>({__VA_ARGS__}); \
  }

TIDEMARK_NAMES(PvDefined, "channel", "address");
TIDEMARK_NAMES(KvUpdate, "key", "value", "time", "writer", "sequence");
TIDEMARK_NAMES(EventCalled, "call", "event", "caller", "targets", "argument");
TIDEMARK_NAMES(EventFeedback, "call", "event", "target", "text", "value");
TIDEMARK_NAMES(EventAnswered, "call", "event", "target", "state", "reason", "value");
TIDEMARK_NAMES(MarkBegin, "mark", "name", "tags", "who", "data", "at");
TIDEMARK_NAMES(MarkEnd, "mark", "name", "who", "data", "at");
TIDEMARK_NAMES(StatusChanged, "item", "severity", "code", "text", "active", "acknowledged_by");
TIDEMARK_NAMES(JobAccepted, "job", "type", "title", "user", "detail");
TIDEMARK_NAMES(JobProgress, "job", "done", "total");
TIDEMARK_NAMES(JobFinished, "job", "state", "message");
TIDEMARK_NAMES(PutIntended, "channel", "address", "value", "job");
TIDEMARK_NAMES(PutConfirmed, "channel", "address", "job");
TIDEMARK_NAMES(PutRefused, "channel", "address", "job", "reason");
TIDEMARK_NAMES(PutUnknown, "channel", "address", "job", "reason");
TIDEMARK_NAMES(LogMessage, "level", "source", "text", "data", "category", "at");
TIDEMARK_NAMES(SnapshotTaken, "snapshot", "title", "values", "missing", "job");
TIDEMARK_NAMES(TagChanged, "tag", "what", "user");
TIDEMARK_NAMES(CatalogChanged, "subject", "what", "user");
TIDEMARK_NAMES(NodeUp, "node", "incarnation", "host", "pid");
TIDEMARK_NAMES(NodeDown, "node", "incarnation", "reason");
TIDEMARK_NAMES(NodeRestarted, "node", "pid", "restarts", "reason", "signal", "last_words");
TIDEMARK_NAMES(Gap, "origin", "node", "incarnation", "from", "to", "since", "until", "reason");
TIDEMARK_NAMES(StreamGap, "node", "source", "stream", "incarnation", "from", "to");
TIDEMARK_NAMES(Expired, "of", "first", "last", "since", "until", "lines", "bytes", "reason");
TIDEMARK_NAMES(PolicyChanged, "policy", "before", "after", "user");
#undef TIDEMARK_NAMES

template <class T>
kv::Value scalar(const T& value) {
  if constexpr (std::is_same_v<T, EnumIndex>) {
    return kv::EnumValue{value.index, ""};
  } else if constexpr (std::is_floating_point_v<T>) {
    return static_cast<double>(value);
  } else if constexpr (std::is_integral_v<T>) {
    return static_cast<std::int64_t>(value);
  } else {
    return value;  // text
  }
}

template <class T>
kv::Value field_value(const T& field) {
  if constexpr (std::is_same_v<T, Uuid>) {
    return field.is_nil() ? kv::Value() : kv::Value(field.text());
  } else if constexpr (std::is_same_v<T, Level>) {
    return to_string(field);
  } else if constexpr (std::is_same_v<T, UtcTime>) {
    return field == UtcTime{} ? kv::Value() : kv::Value(field);
  } else if constexpr (std::is_same_v<T, PvValue>) {
    return to_kv(field);
  } else if constexpr (std::is_enum_v<T>) {
    return static_cast<std::underlying_type_t<T>>(field);
  } else {
    return field;
  }
}

template <class... Ts>
std::vector<std::string_view> names_of(const std::variant<Ts...>*) {
  std::vector<std::string_view> names;
  const auto add = [&]<class T>(std::type_identity<T>) {
    if constexpr (!std::is_same_v<T, UnknownRecord>) {
      names.insert(names.end(), Names<T>::kAll.begin(), Names<T>::kAll.end());
    }
  };
  (add(std::type_identity<Ts>{}), ...);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace

kv::Value to_kv(const PvValue& value) {
  return std::visit(
      [](const auto& each) -> kv::Value {
        using T = std::decay_t<decltype(each)>;
        if constexpr (std::is_same_v<T, std::monostate>) {
          return {};
        } else if constexpr (std::is_same_v<T, SharedArray>) {
          return std::visit(
              [](const auto& elements) -> kv::Value {
                kv::Array out;
                out.reserve(elements.size());
                for (const auto& element : elements) out.push_back(scalar(element));
                return out;
              },
              *each);
        } else {
          return scalar(each);
        }
      },
      value);
}

kv::Struct fields_of(const Record& record) {
  kv::Struct out;
  std::visit(
      [&](const auto& each) {
        using T = std::decay_t<decltype(each)>;
        if constexpr (std::is_same_v<T, UnknownRecord>) {
          out.push_back({"kind", each.kind});
          out.push_back({"packed", Blob{each.packed}});
        } else {
          const auto fields = T::fields(each);
          static_assert(std::tuple_size_v<decltype(fields)> == Names<T>::kAll.size());
          std::size_t at = 0;
          std::apply(
              [&](const auto&... field) {
                (out.push_back({Names<T>::kAll[at++], field_value(field)}), ...);
              },
              fields);
        }
      },
      record);
  return out;
}

std::optional<kv::Value> field_of(const Record& record, std::string_view name) {
  std::optional<kv::Value> found;
  std::visit(
      [&](const auto& each) {
        using T = std::decay_t<decltype(each)>;
        if constexpr (!std::is_same_v<T, UnknownRecord>) {
          std::size_t at = 0;
          const auto look = [&](const auto& field) {
            if (name == Names<T>::kAll[at++]) found = field_value(field);
          };
          std::apply([&](const auto&... field) { (look(field), ...); }, T::fields(each));
        }
      },
      record);
  return found;
}

const std::vector<std::string_view>& field_names() {
  static const auto names = names_of(static_cast<const Record*>(nullptr));
  return names;
}

}  // namespace tidemark::model
