// test/journal/retention_test.cpp
//
// What is due, against the rule read out loud.

#include "journal/retention.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <numeric>

#include "journal_samples.h"

namespace tidemark::journal {
namespace {

using namespace std::chrono_literals;

/// Parts of ten lines; `age` of each in hours, `bytes` of each.
std::vector<StoredPart> parts_of(const std::vector<std::pair<int, std::uint64_t>>& wanted) {
  std::vector<StoredPart> parts;
  for (const auto& [age, bytes] : wanted) {
    const auto first = parts.size() * 10 + 1;
    parts.push_back({Line{first}, Line{first}, Line{first + 9}, at_second(0) - age * 1h, bytes});
  }
  return parts;
}

std::vector<DueParts> due_of(const std::vector<StoredPart>& parts, const RetentionRule& rule,
                             const std::vector<LineRange>& pinned = {}) {
  return due(parts, rule, pinned, at_second(0));
}

TEST(Retention, KeepsAllWithoutARule) {
  EXPECT_TRUE(due_of(parts_of({{1000, 100}, {1, 100}}), {}).empty());
}

TEST(Retention, LetsGoWhatIsOlderThanTheAge) {
  const auto parts = parts_of({{30, 1}, {25, 1}, {24, 1}, {2, 1}});
  const std::vector<DueParts> wanted{{0, 2, ExpiryReason::kAge}};
  EXPECT_EQ(due_of(parts, {24h, {}}), wanted);
}

TEST(Retention, LetsTheOldestGoUntilTheRestFits) {
  const auto parts = parts_of({{4, 50}, {3, 50}, {2, 50}, {1, 50}});
  const std::vector<DueParts> wanted{{0, 2, ExpiryReason::kBytes}};
  EXPECT_EQ(due_of(parts, {{}, 110}), wanted);
  EXPECT_TRUE(due_of(parts, {{}, 200}).empty());
}

TEST(Retention, SaysWhyOfEach) {
  const auto parts = parts_of({{30, 50}, {3, 50}, {2, 50}});
  const std::vector<DueParts> wanted{{0, 1, ExpiryReason::kAge}, {1, 2, ExpiryReason::kBytes}};
  EXPECT_EQ(due_of(parts, {24h, 60}), wanted);
}

TEST(Retention, KeepsWhatIsPinnedAndLetsTheNextGoInItsPlace) {
  const auto parts = parts_of({{30, 50}, {29, 50}, {28, 50}, {1, 50}});
  const std::vector<LineRange> pinned{{Line{15}, Line{15}}};
  const std::vector<DueParts> by_age{{0, 1, ExpiryReason::kAge}, {2, 3, ExpiryReason::kAge}};
  EXPECT_EQ(due_of(parts, {24h, {}}, pinned), by_age);
  const std::vector<DueParts> by_bytes{{0, 1, ExpiryReason::kBytes}, {2, 3, ExpiryReason::kBytes}};
  EXPECT_EQ(due_of(parts, {{}, 100}, pinned), by_bytes);
}

TEST(Retention, AnAgeBeyondAllTimesKeepsAll) {
  EXPECT_TRUE(due_of(parts_of({{1000, 1}}), {Duration::max(), {}}).empty());
}

TEST(Retention, PartsWithNothingGoOnlyWithOthers) {
  EXPECT_TRUE(due_of(parts_of({{30, 0}, {29, 0}}), {24h, {}}).empty());
  const std::vector<DueParts> wanted{{0, 3, ExpiryReason::kAge}};
  EXPECT_EQ(due_of(parts_of({{30, 0}, {29, 1}, {28, 0}, {1, 1}}), {24h, {}}), wanted);
}

TEST(Retention, DoesSomeAtOnceAndNotAll) {
  const std::vector<std::pair<int, std::uint64_t>> many(kPartsAtOnce + 1, {30, 1});
  const std::vector<DueParts> wanted{{0, kPartsAtOnce, ExpiryReason::kAge},
                                     {kPartsAtOnce, kPartsAtOnce + 1, ExpiryReason::kAge}};
  EXPECT_EQ(due_of(parts_of(many), {24h, {}}), wanted);
  EXPECT_EQ(due(parts_of(many), {24h, {}}, {}, at_second(0), 1).size(), many.size());
}

TEST(Retention, ForRoomTakesTheOldestButNoneThatIsNew) {
  const auto parts = parts_of({{5, 10}, {4, 10}, {3, 10}, {1, 10}});
  const std::vector<DueParts> wanted{{0, 2, ExpiryReason::kWatermark}};
  EXPECT_EQ(due_for_room(parts, 15, 2h, {}, at_second(0)), wanted);
  const std::vector<DueParts> all_that_may{{0, 3, ExpiryReason::kWatermark}};
  EXPECT_EQ(due_for_room(parts, 1000, 2h, {}, at_second(0)), all_that_may);
}

RC_GTEST_PROP(Retention, IsWhatTheRuleSaysPartByPart, ()) {
  std::vector<StoredPart> parts;
  std::uint64_t line = 1;
  int age = 200;
  const auto count = *rc::gen::inRange(0, 60);
  for (int i = 0; i < count; ++i) {
    if (*rc::gen::inRange(0, 8) == 0) line += 10;  // one that is not there any more
    age -= *rc::gen::inRange(0, 5);
    parts.push_back({Line{line}, Line{line}, Line{line + 9}, at_second(0) - age * 1h,
                     *rc::gen::element<std::uint64_t>(0, 1, 10, 1000)});
    line += 10;
  }
  RetentionRule rule;
  if (*rc::gen::arbitrary<bool>()) rule.age = *rc::gen::inRange(0, 200) * 1h;
  if (*rc::gen::arbitrary<bool>()) rule.bytes = *rc::gen::inRange<std::uint64_t>(0, 20'000);
  std::vector<LineRange> pinned;
  const auto pins = *rc::gen::inRange(0, 3);
  for (int i = 0; i < pins; ++i) {
    const auto from = *rc::gen::inRange<std::uint64_t>(1, line + 1);
    pinned.push_back({Line{from}, Line{from + *rc::gen::inRange<std::uint64_t>(0, 50)}});
  }
  const auto is_pinned = [&](const StoredPart& part) {
    for (const auto& pin : pinned) {
      for (auto at = raw(pin.first); at <= raw(pin.last); ++at) {
        if (Line{at} >= part.first && Line{at} <= part.last) return true;
      }
    }
    return false;
  };

  // One by one, the oldest first, as long as a reason is found.
  std::vector<std::optional<ExpiryReason>> wanted(parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool old = rule.age && at_second(0) - parts[i].latest > *rule.age;
    if (old && !is_pinned(parts[i])) wanted[i] = ExpiryReason::kAge;
  }
  const auto left = [&] {
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) bytes += wanted[i] ? 0 : parts[i].bytes;
    return bytes;
  };
  for (std::size_t i = 0; i < parts.size() && rule.bytes && left() > *rule.bytes; ++i) {
    if (!wanted[i] && !is_pinned(parts[i])) wanted[i] = ExpiryReason::kBytes;
  }

  std::vector<std::optional<ExpiryReason>> found(parts.size());
  std::size_t before = 0;
  for (const auto& each : due_of(parts, rule, pinned)) {
    RC_ASSERT(each.begin >= before && each.begin < each.end && each.end <= parts.size());
    before = each.end;
    std::size_t filled = 0;
    for (auto i = each.begin; i < each.end; ++i) {
      found[i] = each.reason;
      filled += parts[i].bytes > 0 ? 1 : 0;
      if (i > each.begin) RC_ASSERT(raw(parts[i].first) == raw(parts[i - 1].last) + 1);
    }
    RC_ASSERT(filled > 0 && filled <= kPartsAtOnce);
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    // One without a byte may stay: nobody misses it, and nothing is won.
    if (parts[i].bytes > 0 || found[i]) RC_ASSERT(found[i] == wanted[i]);
  }
}

}  // namespace
}  // namespace tidemark::journal
