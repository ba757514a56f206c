// base/time.h
//
// Two clocks, never mixed: UtcTime says when something was (people, records), SteadyTime
// measures how long (deadlines, leases). Wall clocks jump; nothing waits on one.

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace tidemark {

using UtcTime = std::chrono::sys_time<std::chrono::nanoseconds>;
using SteadyTime = std::chrono::steady_clock::time_point;
using Duration = std::chrono::nanoseconds;

UtcTime utc_now();
inline SteadyTime steady_now() { return std::chrono::steady_clock::now(); }

/// ISO 8601 in UTC with `digits` (0 to 9) of fraction: 2026-11-21T14:05:00.123Z.
std::string to_iso(UtcTime time, int digits = 3);

/// Reads ISO 8601: date, or date and time with `T` or a space, optional fraction, optional
/// zone (`Z`, `+hh:mm`; without one it is UTC). Empty when it is anything else.
std::optional<UtcTime> parse_iso(std::string_view text);

/// A duration as people write it: `500ms`, `5s`, `10m`, `2h`, `3d`. Empty when it is not.
std::optional<Duration> parse_duration(std::string_view text);

}  // namespace tidemark
