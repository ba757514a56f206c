// tools/local_time.h
//
// Clocks on the wall: what people mean by "14:05", in the time zone of whoever runs the command
// (TZ, or that of the host). Twice a year an hour of them is missing, and one is there twice.

#pragma once

#include <chrono>

#include "base/result.h"
#include "base/time.h"

namespace tidemark::tools {

/// A day and a time of day, without a zone.
struct WallTime {
  std::chrono::sys_days day;
  Duration time_of_day{0};
  bool operator==(const WallTime&) const = default;
};

/// What the clocks on the wall show at `time`.
WallTime wall_time(UtcTime time);

/// When they show that.
/// Errors: kInvalidArgument  never, or twice: the clocks were put forward or back over it. The
///                           message says what to write instead.
Result<UtcTime> utc_of(const WallTime& wall);

}  // namespace tidemark::tools
