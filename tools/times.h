// tools/times.h
//
// Durations as arguments and as text. Times are in tools/moment.h.

#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace tidemark::tools {

/// "5s", "10m"; a number alone is seconds.
/// Errors: kInvalidArgument.
Result<Duration> parse_duration_argument(std::string_view text);

/// How long, for people: "12s", "3m 20s", "2d 4h".
std::string duration_text(Duration duration);

}  // namespace tidemark::tools
