#include "tools/browse/mark_lanes.h"

#include <algorithm>
#include <array>

#include "tools/table.h"

namespace tidemark::tools::browse {
namespace {

/// What marks do in one lane at one row. Several may.
struct Sign {
  bool begins = false;
  bool ends = false;
  bool goes_on = false;
  bool hidden = false;  // begins and ends between two rows

  const char* text() const {
    if (goes_on && (begins || ends || hidden)) return "┆";  // deeper than there are lanes
    if (goes_on) return "│";
    if (begins && ends) return "├";
    if (begins) return "┌";
    if (ends) return "└";
    return hidden ? "╶" : " ";
  }
};

}  // namespace

std::vector<LanedMark> lanes_of(const std::vector<model::api::MarkEntry>& marks) {
  std::vector<LanedMark> out;
  for (const auto& mark : marks) {
    LanedMark laned{mark.id, printable(mark.name)};
    if (mark.begin) laned.begin = mark.begin->line;
    if (mark.end) laned.end = std::max(mark.end->line, laned.begin);
    out.push_back(std::move(laned));
  }
  // Of those that begin together the longest is the outer one.
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end > b.end;
  });
  std::array<std::uint64_t, kLanes> taken{};  // where the lane's last mark ends; 0: free
  for (auto& mark : out) {
    const auto free = std::find_if(taken.begin(), taken.end(),
                                   [&](auto end) { return end == 0 || end < mark.begin; });
    mark.lane = std::min<std::size_t>(static_cast<std::size_t>(free - taken.begin()), kLanes - 1);
    taken[mark.lane] = std::max(taken[mark.lane], mark.end);
  }
  return out;
}

std::vector<std::string> gutter_of(const std::vector<LanedMark>& marks, std::uint64_t before,
                                   std::uint64_t line, std::uint64_t after) {
  std::array<Sign, kLanes> signs;
  for (const auto& mark : marks) {
    if (mark.end <= before || mark.begin > line) continue;
    auto& sign = signs[mark.lane];
    const bool first = mark.begin > before || before == 0;
    const bool last = mark.end < after;
    if (mark.end < line) {
      sign.hidden = true;
    } else if (first && last) {
      sign.begins = sign.ends = true;
    } else if (first && mark.begin > 0) {
      sign.begins = true;
    } else if (last) {
      sign.ends = true;
    } else {
      sign.goes_on = true;
    }
  }
  std::vector<std::string> out;
  for (const auto& sign : signs) out.emplace_back(sign.text());
  return out;
}

std::size_t lanes_used(const std::vector<LanedMark>& marks, std::uint64_t first,
                       std::uint64_t last) {
  std::size_t used = 0;
  for (const auto& mark : marks) {
    if (mark.begin <= last && mark.end >= first) used = std::max(used, mark.lane + 1);
  }
  return used;
}

std::string within(const std::vector<LanedMark>& marks, std::uint64_t line) {
  std::string out;
  for (const auto& mark : marks) {
    if (mark.begin > line || mark.end < line) continue;
    out += (out.empty() ? "" : " › ") + mark.name;
  }
  return out;
}

}  // namespace tidemark::tools::browse
