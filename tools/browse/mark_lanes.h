// tools/browse/mark_lanes.h
//
// The marks beside the lines: each is a range in a lane of its own, and what lies inside another
// is further right. A filter may hide the lines where a mark begins and ends: the first and the
// last line that are shown of it then have its corners.
//
//   ┌   4711  MarkBegin shift 12
//   │┌  4712  MarkBegin shot 1
//   │└  4718  MarkEnd   shot 1
//
// Pure.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/api/marks.h"

namespace tidemark::tools::browse {

/// Lanes that there are; what is nested deeper is drawn in the last.
inline constexpr std::size_t kLanes = 4;

struct LanedMark {
  Uuid id;
  std::string name;
  std::uint64_t begin = 0;                // 0: the journal has only its end
  std::uint64_t end = ~std::uint64_t{0};  // open
  std::size_t lane = 0;
};

/// In the order of their begin, each in the first lane that is free there.
std::vector<LanedMark> lanes_of(const std::vector<model::api::MarkEntry>& marks);

/// What stands beside a line: one sign a lane, " " where there is no mark.
/// `before` and `after`: the lines that are shown above and below; 0 and the greatest when none.
std::vector<std::string> gutter_of(const std::vector<LanedMark>& marks, std::uint64_t before,
                                   std::uint64_t line, std::uint64_t after);

/// Lanes that marks between these two lines take.
std::size_t lanes_used(const std::vector<LanedMark>& marks, std::uint64_t first,
                       std::uint64_t last);

/// "shift 12 › shot 1": what the line is in, outermost first.
std::string within(const std::vector<LanedMark>& marks, std::uint64_t line);

}  // namespace tidemark::tools::browse
