// tools/moment.h
//
// A moment of the past as people write it:
//
//   @4711                            after that line of the journal
//   now   10m ago   -10m   2h30m ago before now
//   14:05   today 14:05   yesterday 14:05   monday 08:00
//   2026-11-21   2026-11-21 14:05:07.123    the clocks on the wall here
//   2026-11-21T14:05:00Z   …+01:00          everywhere

#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "model/api/past.h"

namespace tidemark::tools {

/// `now` itself is neither line nor time: the journal's last line, whatever its clock says. A day
/// of the week is the last one; a time of today must not be still to come.
/// Errors: kInvalidArgument, with examples of what would do.
Result<model::api::Moment> parse_moment(std::string_view text, UtcTime now);

/// The same, or the name of a mark: "shot 12", "shot 12.end". The journal knows whether it is one.
Result<model::api::Moment> parse_moment_or_mark(std::string_view text, UtcTime now);

/// The same where only a time will do. Errors: kInvalidArgument, also for a line.
Result<UtcTime> parse_time_argument(std::string_view text, UtcTime now);

/// For --help.
inline constexpr std::string_view kMomentHelp =
    "A MOMENT is a line (@184223), now, '10m ago' or -10m, 14:05 (today), 'yesterday 14:05', "
    "'monday 08:00', '2026-11-21 14:05' (local time), 2026-11-21T14:05:00Z, or a mark: 'shot 12', "
    "'shot 12.end'.";

}  // namespace tidemark::tools
