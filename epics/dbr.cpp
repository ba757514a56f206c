#include "epics/dbr.h"

#include <db_access.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

namespace tidemark::epics::dbr {
namespace {

using model::EnumIndex;
using model::PvArray;
using model::PvUpdate;
using model::PvValue;
using model::SharedArray;

/// EPICS counts from 1990-01-01, everybody else from 1970-01-01.
constexpr std::chrono::seconds kEpicsEpoch(631'152'000);

/// What all DBR_TIME_* begin with.
struct TimeHeader {
  dbr_short_t status;
  dbr_short_t severity;
  epicsTimeStamp stamp;
};

void read_header(const void* data, PvUpdate& update) {
  TimeHeader header;
  std::memcpy(&header, data, sizeof header);
  update.alarm.severity = static_cast<model::Severity>(std::clamp<int>(header.severity, 0, 3));
  update.alarm.status = static_cast<std::uint8_t>(std::clamp<int>(header.status, 0, 255));
  update.taken_at = UtcTime(kEpicsEpoch + std::chrono::seconds(header.stamp.secPastEpoch) +
                            std::chrono::nanoseconds(header.stamp.nsec));
}

/// T is ours, E is EPICS's; the elements are at `values`, in the machine's byte order.
template <class T, class E>
PvValue read_elements(bool scalar, const char* values, std::uint32_t count) {
  const auto read = [&](std::uint32_t i) {
    E element;
    std::memcpy(&element, values + std::size_t{i} * sizeof(E), sizeof(E));
    return T{element};
  };
  if (scalar) return count > 0 ? PvValue(read(0)) : PvValue(T{});
  std::vector<T> elements(count);
  if constexpr (sizeof(T) == sizeof(E) && std::is_arithmetic_v<T>) {
    if (count > 0) std::memcpy(elements.data(), values, count * sizeof(E));
  } else {
    for (std::uint32_t i = 0; i < count; ++i) elements[i] = read(i);
  }
  return SharedArray(PvArray(std::move(elements)));
}

std::string read_string(const char* text, std::size_t bytes_max) {
  return {text, ::strnlen(text, bytes_max)};
}

PvValue read_strings(bool scalar, const char* values, std::uint32_t count) {
  if (scalar) return count > 0 ? read_string(values, MAX_STRING_SIZE) : std::string();
  std::vector<std::string> elements;
  elements.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    elements.push_back(read_string(values + std::size_t{i} * MAX_STRING_SIZE, MAX_STRING_SIZE));
  }
  return SharedArray(PvArray(std::move(elements)));
}

template <class Dbr>
const char* values_of(const void* data) {
  return static_cast<const char*>(data) + offsetof(Dbr, value);
}

/// Low == high is how EPICS says "not set"; NaN is no limit on that side.
std::optional<model::Range> range(double low, double high) {
  if (low == high || (std::isnan(low) && std::isnan(high))) return std::nullopt;
  constexpr auto kNone = std::numeric_limits<double>::infinity();
  return model::Range{std::isnan(low) ? -kNone : low, std::isnan(high) ? kNone : high};
}

template <class Dbr>
void read_limits(const void* data, model::PvMeta& meta) {
  Dbr ctrl;
  std::memcpy(&ctrl, data, sizeof ctrl);
  meta.units = read_string(ctrl.units, sizeof ctrl.units);
  if constexpr (requires { ctrl.precision; }) meta.precision = ctrl.precision;
  const auto pair = [](auto low, auto high) {
    return range(static_cast<double>(low), static_cast<double>(high));
  };
  meta.display_limits = pair(ctrl.lower_disp_limit, ctrl.upper_disp_limit);
  meta.alarm_limits = pair(ctrl.lower_alarm_limit, ctrl.upper_alarm_limit);
  meta.warning_limits = pair(ctrl.lower_warning_limit, ctrl.upper_warning_limit);
  meta.control_limits = pair(ctrl.lower_ctrl_limit, ctrl.upper_ctrl_limit);
}

template <class E, class T>
void append(Raw& raw, const T& value) {
  E element{};
  if constexpr (std::is_same_v<T, EnumIndex>) {
    element = value.index;
  } else {
    element = value;
  }
  raw.bytes.append(reinterpret_cast<const char*>(&element), sizeof element);
  ++raw.count;
}

void append_string(Raw& raw, const std::string& text) {
  const auto length = std::min<std::size_t>(text.size(), MAX_STRING_SIZE - 1);
  raw.bytes.append(text, 0, length);
  raw.bytes.append(MAX_STRING_SIZE - length, '\0');
  ++raw.count;
}

void append_any(Raw& raw, double value) { append<dbr_double_t>(raw, value); }
void append_any(Raw& raw, float value) { append<dbr_float_t>(raw, value); }
void append_any(Raw& raw, std::int32_t value) { append<dbr_long_t>(raw, value); }
void append_any(Raw& raw, std::int16_t value) { append<dbr_short_t>(raw, value); }
void append_any(Raw& raw, std::uint8_t value) { append<dbr_char_t>(raw, value); }
void append_any(Raw& raw, EnumIndex value) { append<dbr_enum_t>(raw, value); }
void append_any(Raw& raw, const std::string& value) { append_string(raw, value); }

}  // namespace

long time_type(short field) { return dbf_type_to_DBR_TIME(field); }
long ctrl_type(short field) { return dbf_type_to_DBR_CTRL(field); }

std::string native_name(const Native& native) {
  if (native.long_string) return "string";
  std::string name;
  switch (native.field) {
    case DBF_DOUBLE: name = "double"; break;
    case DBF_FLOAT: name = "float"; break;
    case DBF_LONG: name = "long"; break;
    case DBF_SHORT: name = "short"; break;
    case DBF_CHAR: name = "char"; break;
    case DBF_ENUM: name = "enum"; break;
    case DBF_STRING: name = "string"; break;
    default: return "none";
  }
  return native.count == 1 ? name : name + "[]";
}

PvUpdate read_time(const Native& native, const void* data, std::uint32_t count,
                   std::uint32_t elements_max) {
  PvUpdate update;
  const bool scalar = native.count == 1;
  const auto taken = std::min(count, elements_max);
  read_header(data, update);
  switch (native.field) {
    case DBF_DOUBLE:
      update.value =
          read_elements<double, dbr_double_t>(scalar, values_of<dbr_time_double>(data), taken);
      break;
    case DBF_FLOAT:
      update.value =
          read_elements<float, dbr_float_t>(scalar, values_of<dbr_time_float>(data), taken);
      break;
    case DBF_LONG:
      update.value =
          read_elements<std::int32_t, dbr_long_t>(scalar, values_of<dbr_time_long>(data), taken);
      break;
    case DBF_SHORT:
      update.value =
          read_elements<std::int16_t, dbr_short_t>(scalar, values_of<dbr_time_short>(data), taken);
      break;
    case DBF_ENUM:
      update.value =
          read_elements<EnumIndex, dbr_enum_t>(scalar, values_of<dbr_time_enum>(data), taken);
      break;
    case DBF_CHAR:
      if (native.long_string) {
        update.value = read_string(values_of<dbr_time_char>(data), taken);
      } else {
        update.value =
            read_elements<std::uint8_t, dbr_char_t>(scalar, values_of<dbr_time_char>(data), taken);
      }
      break;
    case DBF_STRING:
      update.value = read_strings(scalar, values_of<dbr_time_string>(data), taken);
      break;
    default: break;
  }
  return update;
}

void read_ctrl(short field, const void* data, model::PvMeta& meta) {
  switch (field) {
    case DBF_DOUBLE: return read_limits<dbr_ctrl_double>(data, meta);
    case DBF_FLOAT: return read_limits<dbr_ctrl_float>(data, meta);
    case DBF_LONG: return read_limits<dbr_ctrl_long>(data, meta);
    case DBF_SHORT: return read_limits<dbr_ctrl_int>(data, meta);
    case DBF_CHAR: return read_limits<dbr_ctrl_char>(data, meta);
    case DBF_ENUM: {
      dbr_ctrl_enum ctrl;
      std::memcpy(&ctrl, data, sizeof ctrl);
      const auto count = std::clamp<int>(ctrl.no_str, 0, MAX_ENUM_STATES);
      for (int i = 0; i < count; ++i) {
        meta.labels.push_back(read_string(ctrl.strs[i], MAX_ENUM_STRING_SIZE));
      }
      return;
    }
    default: return;  // Strings have none.
  }
}

Raw write(const Native& native, const PvValue& value) {
  Raw raw;
  raw.type = dbf_type_to_DBR(native.field);
  std::visit(
      [&](const auto& each) {
        using T = std::decay_t<decltype(each)>;
        if constexpr (std::is_same_v<T, SharedArray>) {
          std::visit(
              [&](const auto& elements) {
                for (const auto& element : elements) append_any(raw, element);
              },
              *each);
        } else if constexpr (std::is_same_v<T, std::string>) {
          if (native.long_string) {
            raw.bytes = each;
            raw.bytes.push_back('\0');
            raw.count = static_cast<std::uint32_t>(raw.bytes.size());
          } else {
            append_string(raw, each);
          }
        } else if constexpr (!std::is_same_v<T, std::monostate>) {
          append_any(raw, each);
        }
      },
      value);
  return raw;
}

}  // namespace tidemark::epics::dbr
