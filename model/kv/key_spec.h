// model/kv/key_spec.h
//
// What a subsystem says once about each of its keys, and whether a value may go into one. Writers,
// the owner and clients judge by the same function, so all of them give the same reason.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "model/kv/type.h"
#include "model/kv/value.h"

namespace tidemark::model::kv {

struct KeySpec {
  std::string name;
  Type type;
  bool readable = true;
  bool writable = false;
  bool published = false;
  bool journaled = false;
  std::string unit;
  std::string description;
  // For numbers, and each element of arrays of numbers, in `unit`. Steps count from `low`, or 0.
  std::optional<double> low;
  std::optional<double> high;
  std::optional<double> step;
  std::optional<Value> default_value;

  bool operator==(const KeySpec&) const = default;
  static auto fields(auto& s) {
    return std::tie(s.name, s.type, s.readable, s.writable, s.published, s.journaled, s.unit,
                    s.description, s.low, s.high, s.step, s.default_value);
  }
};

inline constexpr std::size_t kKeyNameBytesMax = 255;

/// Accepts 1 to kKeyNameBytesMax bytes: segments of letters, digits, `_`, `-`, `.` and `:`, with
/// one `/` between them. `*` and `?` are for patterns.
/// Errors: kInvalidArgument, naming the first offending byte.
Result<Unit> check_key_name(std::string_view name);

/// A spec from outside is checked once, here; unpack() has checked its type only.
/// Errors: kInvalidArgument, naming the key: its name or type is none, it can be neither read,
/// written nor subscribed to, its limits contradict each other or its type, or its own default
/// does not conform.
Result<Unit> check_spec(const KeySpec& spec);

/// `value` in the type of the key, or why not.
///
/// Taken besides the type itself: an integer for int64 and uint64 when in range, for a double when
/// it is exactly that; an enum by index, or by label as a string. The answer has the label, and
/// fields in the order of the type. A double is never taken for an integer, and NaN never passes
/// a limit. None passes only for `any`.
///
/// Errors: kInvalidArgument, such as "trace[3]: 140 A is above the limit of 100 A".
Result<Value> conform(const KeySpec& spec, const Value& value);

}  // namespace tidemark::model::kv
