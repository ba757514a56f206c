// journal/line_of_numbers.h
//
// The few of a channel's samples that draw nearly the same line as all of them (lttb.h).

#pragma once

#include <optional>
#include <utility>

#include "journal/archive.h"

namespace tidemark::journal {

struct LineQuery {
  model::ChannelId channel{};
  Line from{};  // lines, both included
  Line to{};
  std::size_t points = 0;
  std::optional<std::pair<UtcTime, UtcTime>> taken{};  // only what was: after, up to
};

/// What the line is chosen from is held in memory: some 100 MiB.
inline constexpr std::size_t kLineNumbersMax = 4u << 20;

/// Numbers only, in the order of their times. Errors: kInvalidArgument more than kLineNumbersMax;
/// as Archive::samples.
Result<std::vector<Sample>> line_of_numbers(const Archive& archive, const LineQuery& query);

}  // namespace tidemark::journal
