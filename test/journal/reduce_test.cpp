// test/journal/reduce_test.cpp
//
// Bins as nobody would mistake them: no extremum and no alarm is lost, whatever lies in chunks.

#include "journal/reduce.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "naive_history.h"

namespace tidemark::journal {
namespace {

using model::PvUpdate;

TEST(Reduction, KnowsTheDeviationOfLargeValuesThatHardlyDiffer) {
  auto store = std::make_shared<MemoryStore>();
  std::vector<PvUpdate> updates(4000);
  for (std::size_t i = 0; i < updates.size(); ++i) {
    updates[i].channel = model::ChannelId{1};
    updates[i].taken_at = at_second(static_cast<std::int64_t>(i));
    updates[i].value = 2.856e9 + (i % 2 == 0 ? 1.0 : -1.0);
  }
  const auto appended = inspected(section_of(updates));
  ASSERT_TRUE(store->append({&appended, 1}));
  auto limits = small_limits(1u << 20);
  limits.segments.length = 1000;  // some of it in chunks, some in the head
  const auto projections =
      std::make_shared<Projections>(store, std::make_shared<MemoryProjectionTable>(), limits);
  ASSERT_TRUE(projections->load());
  while (projections->advance(1000).value()) {
  }
  const auto bins = reduce(Archive(projections), model::ChannelId{1},
                           {Line{1}, Line{4000}, at_second(0), at_second(4000), 1});
  ASSERT_TRUE(bins);
  ASSERT_EQ(bins.value().bins.size(), 1u);
  EXPECT_EQ(bins.value().bins[0].count, 4000u);
  EXPECT_NEAR(bins.value().bins[0].deviation, 1.0, 1e-6);
  EXPECT_NEAR(bins.value().bins[0].mean, 2.856e9, 1e-3);
}

/// Sums are compared roughly: they are added in another order.
void check_bin(const model::api::Bin& bin, const std::vector<Sample>& samples, bool median) {
  std::vector<double> numbers;
  auto worst = model::Severity::kNone;
  bool disconnected = false;
  for (const auto& [line, update] : samples) {
    disconnected |= update.event == PvUpdate::Event::kDisconnected;
    if (update.event == PvUpdate::Event::kValue) worst = std::max(worst, update.alarm.severity);
    const auto number = model::as_number(update.value);
    if (number && !std::isnan(*number)) numbers.push_back(*number);
  }
  RC_ASSERT(bin.samples == samples.size());
  RC_ASSERT(bin.count == numbers.size());
  RC_ASSERT(bin.worst == worst);
  RC_ASSERT(bin.disconnected == disconnected);
  RC_ASSERT(bin.median.has_value() == (median && !numbers.empty()));
  if (numbers.empty()) return;
  RC_ASSERT(bin.first == numbers.front());
  RC_ASSERT(bin.last == numbers.back());
  std::sort(numbers.begin(), numbers.end());
  RC_ASSERT(bin.min == numbers.front());
  RC_ASSERT(bin.max == numbers.back());
  const auto half = numbers.size() / 2;
  if (median) {
    RC_ASSERT(*bin.median == (numbers.size() % 2 == 1
                                  ? numbers[half]
                                  : std::midpoint(numbers[half - 1], numbers[half])));
  }
  const auto largest = std::max(std::abs(numbers.front()), std::abs(numbers.back()));
  if (largest > 1e300) return;
  const auto sum = std::accumulate(numbers.begin(), numbers.end(), 0.0);
  const auto mean = sum / bin.count;
  RC_ASSERT(std::abs(bin.mean - mean) <= 1e-9 * largest);
  if (largest > 1e150) return;  // its square is none
  double squares = 0;
  for (const auto number : numbers) squares += (number - mean) * (number - mean);
  // Of what nearly does not differ, what is left are the last digits of the largest.
  RC_ASSERT(std::abs(bin.deviation - std::sqrt(squares / bin.count)) <= 1e-7 * largest);
}

void check_bins(const NaiveHistory& history) {
  const auto channel = history.any_channel();
  Reduction asked;
  asked.from = history.any_line();
  asked.to = history.any_line();
  asked.begin = at_second(*rc::gen::inRange(-1100, 0));
  asked.end = at_second(*rc::gen::inRange(1, 1100));
  asked.bins = *rc::gen::inRange<std::uint32_t>(1, 20);
  asked.median = *rc::gen::arbitrary<bool>();
  asked.outside = *rc::gen::arbitrary<bool>();
  const auto found = reduce(history.archive(), channel, asked);
  RC_ASSERT(found.ok());
  std::map<UtcTime, std::vector<Sample>> naive;
  for (const auto& each : history.samples(channel, asked.from, asked.to)) {
    const auto time = each.update.taken_at;
    if (!asked.outside && (time <= asked.begin || time > asked.end)) continue;
    auto bin = (time - asked.begin) / bin_width(asked);
    bin = std::clamp<std::int64_t>(bin, 0, asked.bins - 1);
    naive[asked.begin + bin_width(asked) * bin].push_back(each);
  }
  RC_ASSERT(found.value().bins.size() == naive.size());
  for (const auto& bin : found.value().bins) {
    RC_ASSERT(naive.contains(bin.begin));
    check_bin(bin, naive[bin.begin], asked.median);
  }
}

RC_GTEST_PROP(Reduction, LosesNoExtremumAndNoAlarm, ()) {
  NaiveHistory history(*rc::gen::element<std::size_t>(1000, 1u << 20));
  history.live([&] { check_bins(history); });
  history.project_all();
  check_bins(history);
}

}  // namespace
}  // namespace tidemark::journal
