// base/result.h
//
// Result<T>: a value, or an Error that says what the caller can do about it.
// Used for everything that may fail in operation (disk, network, IOC, input).
// Broken code is not an operating error: that is TIDEMARK_CHECK's job (check.h).

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/check.h"

namespace tidemark {

/// Sorted by what the caller does next, not by which library failed.
/// Sent on the bus: never renumber.
enum class Code : std::uint8_t {
  kInvalidArgument = 1,  // Fix the call; repeating it unchanged fails again.
  kNotFound = 2,         // Absent, and absence was not an expected answer.
  kConflict = 3,         // Somebody else holds it or it exists already; the message says who.
  kTimeout = 4,          // Outcome unknown; the effect may still happen.
  kUnavailable = 5,      // Not now: disconnected or over a limit. Try later.
  kRefused = 6,          // Understood, and the answer is no; the message is the reason.
  kCorruption = 7,       // Stored or received bytes are not what was written. Page a human.
  kFailed = 8,           // This object is finished; make a new one.
  kCancelled = 9,        // Whoever asked took it back before it was done.
};

std::string_view to_string(Code code);

struct Error {
  Code code;
  std::string message;  // For the operator: what was attempted, on what.

  bool operator==(const Error&) const = default;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  const T& value() const& {
    TIDEMARK_CHECK(ok());
    return std::get<0>(state_);
  }
  T& value() & {
    TIDEMARK_CHECK(ok());
    return std::get<0>(state_);
  }
  T value() && {
    TIDEMARK_CHECK(ok());
    return std::get<0>(std::move(state_));
  }
  const Error& error() const {
    TIDEMARK_CHECK(!ok());
    return std::get<1>(state_);
  }

 private:
  std::variant<T, Error> state_;
};

struct Unit {  // Result<Unit>: succeeded with nothing to report.
  bool operator==(const Unit&) const = default;
};

}  // namespace tidemark
