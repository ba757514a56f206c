// test/journal/lttb_test.cpp

#include "journal/lttb.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>

namespace tidemark::journal {
namespace {

using Points = std::vector<PlotPoint>;
using Kept = std::vector<std::size_t>;

constexpr std::int64_t kSecond = 1'000'000'000;

TEST(Lttb, KeepsAllWhenThereAreNoMore) {
  EXPECT_EQ(lttb(Points{}, 10), Kept{});
  EXPECT_EQ(lttb(Points{{0, 1}}, 10), Kept{0});
  EXPECT_EQ(lttb(Points{{0, 1}, {1, 2}, {2, 3}}, 3), (Kept{0, 1, 2}));
  EXPECT_EQ(lttb(Points{{0, 1}, {1, 2}, {2, 3}}, 1), (Kept{0, 2}));
}

TEST(Lttb, KeepsASpikeAndTheCornersOfAStep) {
  Points points;
  for (int i = 0; i < 1000; ++i) points.push_back({i * kSecond, i < 500 ? 0.0 : 1.0});
  points[250].value = 5;
  const auto kept = lttb(points, 20);
  EXPECT_EQ(kept.size(), 20u);
  EXPECT_TRUE(std::binary_search(kept.begin(), kept.end(), 250u));
  const auto before = std::count_if(kept.begin(), kept.end(), [](auto at) { return at < 500; });
  EXPECT_GE(before, 9);
  EXPECT_LE(before, 11);
}

/// The triangle that `a`, `b` and a mean span, as in the paper.
double area(const PlotPoint& a, const PlotPoint& b, double x, double y, std::int64_t start) {
  const auto ax = static_cast<double>(a.time - start) * 1e-9;
  const auto bx = static_cast<double>(b.time - start) * 1e-9;
  return std::abs((ax - x) * (b.value - a.value) - (ax - bx) * (y - a.value));
}

RC_GTEST_PROP(Lttb, KeepsOfEachBucketTheLargestTriangle, ()) {
  const auto values = *rc::gen::container<std::vector<int>>(rc::gen::inRange(-1000, 1000));
  const auto count = *rc::gen::inRange<std::size_t>(3, 12);
  RC_PRE(values.size() > count);
  Points points;
  for (const auto each : values) {
    const auto time = points.empty() ? 0 : points.back().time + (1 + std::abs(each) % 5) * kSecond;
    points.push_back({time, static_cast<double>(each)});
  }
  const auto kept = lttb(points, count);
  RC_ASSERT(kept.size() == count);
  RC_ASSERT(kept.front() == 0u);
  RC_ASSERT(kept.back() == points.size() - 1);
  const auto inner = points.size() - 2;
  for (std::size_t k = 1; k + 1 < count; ++k) {
    const auto begin = 1 + (k - 1) * inner / (count - 2);
    const auto end = 1 + k * inner / (count - 2);
    const auto next_end = k + 2 < count ? 1 + (k + 1) * inner / (count - 2) : points.size();
    RC_ASSERT(kept[k] >= begin && kept[k] < end);
    double x = 0;
    double y = 0;
    for (auto i = end; i < next_end; ++i) {
      x += static_cast<double>(points[i].time) * 1e-9 / static_cast<double>(next_end - end);
      y += points[i].value / static_cast<double>(next_end - end);
    }
    const auto& before = points[kept[k - 1]];
    const auto largest = area(before, points[kept[k]], x, y, points[0].time);
    for (auto i = begin; i < end; ++i) {
      RC_ASSERT(area(before, points[i], x, y, points[0].time) <= largest * (1 + 1e-9) + 1e-6);
    }
  }
}

}  // namespace
}  // namespace tidemark::journal
