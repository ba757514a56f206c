// tools/times.h
//
// Times and durations as arguments.

#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace tidemark::tools {

/// "2026-11-21T14:05:00Z" and the other forms of parse_iso(), "-10m" (before `now`), "now".
/// Errors: kInvalidArgument, with examples of what would do.
Result<UtcTime> parse_time_argument(std::string_view text, UtcTime now);

/// "5s", "10m"; a number alone is seconds.
/// Errors: kInvalidArgument.
Result<Duration> parse_duration_argument(std::string_view text);

/// How long, for people: "12s", "3m 20s", "2d 4h".
std::string duration_text(Duration duration);

}  // namespace tidemark::tools
