// tools/moment.h
//
// A moment of the past as people write it:
//
//   @4711                              a line of the journal
//   now   1h   -10m   2h30m ago   2 hours ago   an hour ago     before now
//   14:05   today 14:05   yesterday 14:05   monday 08:00        the clocks on the wall here
//   today   yesterday   monday   last tuesday                   the beginning of that day
//   2026-11-21   2026-11-21 14:05:07.123
//   2026-11-21T14:05:00Z   …+01:00                              everywhere
//   shot 12   shot 12.end   mark:today                          a mark; with mark: whatever its
//   name

#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "model/api/past.h"

namespace tidemark::tools {

/// `now` itself is neither line nor time: the journal's last line, whatever its clock says. A day
/// of the week is the last one, today counted unless it says `last`; a time of today must not be
/// still to come. What begins with a letter and is no time is a mark: the journal knows whether
/// there is one.
/// Errors: kInvalidArgument, with the forms that would do.
Result<model::api::Moment> parse_moment(std::string_view text, UtcTime now);

/// The same of an option or argument, which an error names.
Result<model::api::Moment> parse_moment(std::string_view option, std::string_view text,
                                        UtcTime now);

/// For --help.
inline constexpr std::string_view kMomentHelp =
    "A MOMENT is a line (@184223), now, how long ago (1h, 10m, -10m, '2 hours ago'), 14:05 "
    "(today), "
    "'yesterday 14:05', 'monday 08:00', yesterday or 'last tuesday' (where that day begins), "
    "'2026-11-21 14:05' (local time), 2026-11-21T14:05:00Z, or a mark: 'shot 12', 'shot 12.end', "
    "and "
    "mark:NAME for one that is called like a time.";

}  // namespace tidemark::tools
