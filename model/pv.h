// model/pv.h
//
// What a process variable is called, what it can hold, and what its IOC says about it.
// Plain values: no threads, no I/O, no clock, and no type from EPICS, CAF, ZeroMQ or RocksDB.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace tidemark::model {

/// One address (one EPICS channel), numbered by the keeper from 1, bound to its name for ever.
enum class ChannelId : std::uint32_t {};
constexpr std::uint32_t raw(ChannelId id) { return static_cast<std::uint32_t>(id); }

inline constexpr std::size_t kPvNameBytesMax = 255;

/// Accepts 1 to kPvNameBytesMax bytes of printable ASCII without spaces.
/// Errors: kInvalidArgument, naming the first offending byte.
Result<Unit> check_pv_name(std::string_view text);

/// Stored and sent: never renumber. These are the EPICS severities.
enum class Severity : std::uint8_t { kNone = 0, kMinor = 1, kMajor = 2, kInvalid = 3 };
std::string_view to_string(Severity severity);  // "NO_ALARM", "MINOR", "MAJOR", "INVALID"

struct Alarm {
  Severity severity = Severity::kNone;
  std::uint8_t status = 0;  // EPICS alarm status (0 NO_ALARM, 3 HIHI, … 17 UDF).

  bool operator==(const Alarm&) const = default;
};
/// "HIHI", "UDF", …; "status 99" for what EPICS does not define.
std::string status_text(std::uint8_t status);

struct EnumIndex {
  std::uint16_t index = 0;
  auto operator<=>(const EnumIndex&) const = default;
};

/// A waveform: one of the native types, any length.
using PvArray = std::variant<std::vector<double>, std::vector<float>, std::vector<std::int32_t>,
                             std::vector<std::int16_t>, std::vector<std::uint8_t>,
                             std::vector<EnumIndex>, std::vector<std::string>>;

/// Arrays are shared, never changed: copying a value is cheap. Equal when their elements are.
class SharedArray {
 public:
  explicit SharedArray(PvArray array) : array_(std::make_shared<const PvArray>(std::move(array))) {}
  const PvArray& operator*() const { return *array_; }
  const PvArray* operator->() const { return array_.get(); }
  bool operator==(const SharedArray& other) const { return *array_ == *other.array_; }

 private:
  std::shared_ptr<const PvArray> array_;  // Never null.
};

/// A value keeps the type that its IOC gave it. monostate: there is none (yet).
/// Long strings are std::string. Stored and sent by index: only ever append.
using PvValue = std::variant<std::monostate, double, float, std::int32_t, std::int16_t,
                             std::uint8_t, EnumIndex, std::string, SharedArray>;

/// "double", "float", "long", "short", "char", "enum", "string", "double[]", …; "none".
std::string_view type_name(const PvValue& value);

/// The number in a scalar; empty for strings, arrays and none. An enum is its index.
std::optional<double> as_number(const PvValue& value);

/// For people: full precision, an enum by its label when `labels` has one, arrays by their
/// first elements and length. Never for storing.
std::string to_text(const PvValue& value, const std::vector<std::string>& labels = {});

/// Bytes of what a string or an array holds; 0 for all else, which needs no memory of its own.
std::size_t content_bytes(const PvValue& value);

/// Equal of type and content, and NaN equals NaN.
bool same_value(const PvValue& a, const PvValue& b);

struct Range {
  double low = 0;
  double high = 0;
  bool operator==(const Range&) const = default;
};

/// What an IOC says once per connection. Limits are empty where the type has none, or where
/// low == high (EPICS for "not set").
struct PvMeta {
  std::string native_type;  // as type_name()
  std::uint32_t count = 1;  // elements at most
  bool readable = true;
  bool writable = true;
  std::string host;  // host:port of the IOC, as libca reports it
  std::string units;
  std::int16_t precision = 0;  // decimal digits for display
  std::optional<Range> display_limits;
  std::optional<Range> alarm_limits;
  std::optional<Range> warning_limits;
  std::optional<Range> control_limits;
  std::vector<std::string> labels;  // of an enum, by index

  bool operator==(const PvMeta&) const = default;
};

}  // namespace tidemark::model
