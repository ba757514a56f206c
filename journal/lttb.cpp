#include "journal/lttb.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tidemark::journal {

std::vector<std::size_t> lttb(std::span<const PlotPoint> points, std::size_t count) {
  count = std::max<std::size_t>(count, 2);
  std::vector<std::size_t> kept;
  if (points.size() <= count) {
    kept.resize(points.size());
    std::iota(kept.begin(), kept.end(), std::size_t{0});
    return kept;
  }
  // Seconds since the first: nanoseconds since 1970 would leave no digits for the area.
  const auto x = [&](std::size_t at) {
    return static_cast<double>(points[at].time - points[0].time) * 1e-9;
  };
  // All but the first and the last are in count - 2 buckets.
  const auto inner = points.size() - 2;
  const auto begin_of = [&](std::size_t bucket) { return 1 + bucket * inner / (count - 2); };
  kept.reserve(count);
  kept.push_back(0);
  for (std::size_t bucket = 0; bucket + 2 < count; ++bucket) {
    const auto begin = begin_of(bucket);
    const auto end = begin_of(bucket + 1);
    const auto next_end = bucket + 3 < count ? begin_of(bucket + 2) : points.size();
    double next_x = 0;
    double next_y = 0;
    const auto share = 1 / static_cast<double>(next_end - end);
    for (auto i = end; i < next_end; ++i) {
      next_x += x(i) * share;
      next_y += points[i].value * share;
    }
    const auto before = kept.back();
    auto best = begin;
    double largest = -1;
    for (auto i = begin; i < end; ++i) {
      const auto area = std::abs((x(before) - next_x) * (points[i].value - points[before].value) -
                                 (x(before) - x(i)) * (next_y - points[before].value));
      if (!(area > largest)) continue;  // of values that overflow it may not be a number
      largest = area;
      best = i;
    }
    kept.push_back(best);
  }
  kept.push_back(points.size() - 1);
  return kept;
}

}  // namespace tidemark::journal
