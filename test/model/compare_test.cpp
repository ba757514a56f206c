#include "model/compare.h"

#include <gtest/gtest.h>

#include <limits>

namespace tidemark::model {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

Difference difference(const PvValue& reference, const PvValue& other, Tolerance tolerance = {}) {
  return compare_values(reference, {}, other, {}, tolerance);
}
PvValue array(std::vector<double> elements) { return SharedArray(PvArray(std::move(elements))); }

TEST(Compare, FindsNothingEqualToNothing) {
  EXPECT_EQ(difference({}, {}), Difference::kEqual);
  EXPECT_EQ(difference({}, 1.0), Difference::kMissingLeft);
  EXPECT_EQ(difference(1.0, {}), Difference::kMissingRight);
}

TEST(Compare, TakesTheAbsoluteToleranceFirst) {
  EXPECT_EQ(difference(1.0, 1.0), Difference::kEqual);
  EXPECT_EQ(difference(1.0, 1.5, {0.5, 0}), Difference::kWithinTolerance);
  EXPECT_EQ(difference(1.0, 1.5, {0.4, 0}), Difference::kDifferent);
  EXPECT_EQ(difference(1.0, 1.5, {0.4, 0.5}), Difference::kWithinTolerance);
}

TEST(Compare, TakesTheRelativeToleranceOfTheReference) {
  EXPECT_EQ(difference(100.0, 110.0, {0, 0.1}), Difference::kWithinTolerance);
  EXPECT_EQ(difference(110.0, 100.0, {0, 0.09}), Difference::kDifferent);
  EXPECT_EQ(difference(-100.0, -110.0, {0, 0.1}), Difference::kWithinTolerance);
  EXPECT_EQ(difference(0.0, 1e-9, {0, 1}), Difference::kDifferent) << "nothing is a part of zero";
}

TEST(Compare, FindsNanEqualToNanAndInfinityToItself) {
  EXPECT_EQ(difference(kNan, kNan), Difference::kEqual);
  EXPECT_EQ(difference(kNan, 1.0, {1e9, 1}), Difference::kDifferent);
  EXPECT_EQ(difference(kInfinity, kInfinity), Difference::kEqual);
  EXPECT_EQ(difference(kInfinity, -kInfinity, {1, 1}), Difference::kDifferent);
}

TEST(Compare, TakesNumbersAsNumbersWhateverTheirWidth) {
  EXPECT_EQ(difference(3.0, std::int32_t{3}), Difference::kEqual);
  EXPECT_EQ(difference(std::uint8_t{200}, std::int16_t{200}), Difference::kEqual);
  EXPECT_EQ(difference(std::numeric_limits<std::int32_t>::min(),
                       std::numeric_limits<std::int32_t>::max()),
            Difference::kDifferent);
}

TEST(Compare, ReadsNoNumbersOutOfStrings) {
  EXPECT_EQ(difference(std::string("1.0"), std::string("1")), Difference::kDifferent);
  EXPECT_EQ(difference(std::string("1"), 1.0), Difference::kTypeChanged);
  EXPECT_EQ(difference(EnumIndex{1}, 1.0), Difference::kTypeChanged);
  EXPECT_EQ(difference(array({1}), 1.0), Difference::kTypeChanged);
}

TEST(Compare, TakesTheToleranceForEachElementOfAnArray) {
  EXPECT_EQ(difference(array({1, 2}), array({1, 2})), Difference::kEqual);
  EXPECT_EQ(difference(array({1, 2}), array({1.1, 2}), {0.2, 0}), Difference::kWithinTolerance);
  EXPECT_EQ(difference(array({1, 2}), array({1.1, 3}), {0.2, 0}), Difference::kDifferent);
  EXPECT_EQ(difference(array({1}), array({1, 2}), {9, 9}), Difference::kDifferent);
  EXPECT_EQ(difference(array({1, 2}), SharedArray(PvArray(std::vector<float>{1, 2}))),
            Difference::kEqual);
  EXPECT_EQ(difference(array({1}), SharedArray(PvArray(std::vector<std::string>{"1"}))),
            Difference::kTypeChanged);
}

TEST(Compare, TakesAnEnumByItsLabelWhenBothSidesKnowOne) {
  const std::vector<std::string> then = {"Off", "On"};
  const std::vector<std::string> now = {"Off", "Standby", "On"};
  EXPECT_EQ(compare_values(EnumIndex{1}, then, EnumIndex{2}, now, {}), Difference::kEqual);
  EXPECT_EQ(compare_values(EnumIndex{1}, then, EnumIndex{1}, now, {}), Difference::kDifferent);
  EXPECT_EQ(compare_values(EnumIndex{1}, then, EnumIndex{1}, {}, {}), Difference::kEqual);
}

/// PVs with a setpoint each; ids by name.
Snapshot snapshot(const std::vector<std::pair<std::string, PvValue>>& pvs) {
  Snapshot made;
  for (const auto& [name, value] : pvs) {
    auto& pv = made.pvs.emplace_back();
    pv.pv = Uuid::derive(name);
    pv.name = name;
    pv.abs_tolerance = 0.5;
    pv.setpoint = static_cast<std::uint32_t>(made.values.size());
    auto& captured = made.values.emplace_back();
    captured.channel = static_cast<ChannelId>(made.values.size());
    captured.address = name;
    captured.value = value;
  }
  return made;
}

TEST(Compare, MatchesPvsByTheirIdInAnyOrder) {
  const auto result =
      compare(snapshot({{"a", 1.0}, {"b", 2.0}}), snapshot({{"b", 2.0}, {"a", 1.25}}), false);
  ASSERT_EQ(result.pvs.size(), 2u);
  EXPECT_EQ(result.matching, 2u);
  EXPECT_EQ(result.pvs[0].name, "a");
  EXPECT_EQ(result.pvs[0].setpoint->difference, Difference::kWithinTolerance);
  EXPECT_EQ(result.pvs[0].setpoint->deviation, 0.25);
  EXPECT_EQ(result.pvs[0].setpoint->right, PvValue(1.25));
  EXPECT_FALSE(result.pvs[0].readback);
}

TEST(Compare, ShowsPvsThatOnlyOneSideHas) {
  const auto result =
      compare(snapshot({{"a", 1.0}, {"b", 2.0}}), snapshot({{"c", 3.0}, {"b", 2.0}}), true);
  ASSERT_EQ(result.pvs.size(), 2u);
  EXPECT_EQ(result.matching, 1u);
  EXPECT_EQ(result.different, 2u);
  EXPECT_EQ(result.pvs[0].name, "a");
  EXPECT_EQ(result.pvs[0].setpoint->difference, Difference::kMissingRight);
  EXPECT_EQ(result.pvs[1].name, "c");
  EXPECT_EQ(result.pvs[1].setpoint->difference, Difference::kMissingLeft);
}

TEST(Compare, NeedsSetpointAndReadbackToMatch) {
  auto left = snapshot({{"a", 1.0}, {"a:R", 5.0}});
  left.pvs.resize(1);
  left.pvs[0].readback = 1;
  auto right = left;
  EXPECT_EQ(compare(left, right, true).matching, 1u);
  right.values[1].value = 9.0;
  const auto result = compare(left, right, true);
  ASSERT_EQ(result.pvs.size(), 1u);
  EXPECT_EQ(result.pvs[0].setpoint->difference, Difference::kEqual);
  EXPECT_EQ(result.pvs[0].readback->deviation, 4.0);
}

TEST(LiveView, HasTheSnapshotsPvsWithTheValuesOfNow) {
  const auto taken = snapshot({{"a", 1.0}, {"b", 2.0}});
  LiveTable live;
  PvUpdate update;
  update.channel = ChannelId{1};
  update.event = PvUpdate::Event::kConnected;
  PvMeta meta;
  meta.units = "mm";
  update.meta = std::make_shared<const PvMeta>(meta);
  live.apply(update, {});
  update.event = PvUpdate::Event::kValue;
  update.value = 7.0;
  live.apply(update, {});
  const auto view = live_view(taken, live);
  EXPECT_EQ(view.header.source, "live");
  EXPECT_EQ(view.header.values, 1u);
  EXPECT_EQ(view.header.missing, 1u);
  EXPECT_EQ(view.pvs, taken.pvs);
  EXPECT_EQ(view.values[0].value, PvValue(7.0));
  EXPECT_EQ(view.values[0].units, "mm");
  EXPECT_EQ(view.values[1].state, LiveState::kNeverConnected);
  EXPECT_EQ(compare(taken, view, true).pvs[1].setpoint->difference, Difference::kMissingRight);
}

}  // namespace
}  // namespace tidemark::model
