#include "model/archiving.h"

#include <gmock/gmock.h>

namespace tidemark::model {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr ChannelId kNoisy{1};
constexpr ChannelId kCalm{2};

PvUpdate of(ChannelId channel, PvValue value) {
  PvUpdate update;
  update.channel = channel;
  update.value = std::move(value);
  return update;
}
PvValue waveform(std::size_t doubles) { return SharedArray(std::vector<double>(doubles)); }

Thinning rate(double updates_per_s) {
  Thinning thinning;
  thinning.updates_per_s_max = updates_per_s;
  return thinning;
}
Thinning deadband(double absolute) {
  Thinning thinning;
  thinning.deadband_abs = absolute;
  return thinning;
}

// ---- rates --------------------------------------------------------------------------------------

TEST(RateMeter, ComesNearASteadyRateWithinSomeTenSeconds) {
  RateMeter meter;
  for (int second = 0; second < 30; ++second) {
    for (int i = 0; i < 10; ++i) meter.count(kNoisy, 100);
    meter.turn(seconds(1));
  }
  EXPECT_NEAR(meter.lately(kNoisy).updates_per_s, 10, 0.6);
  EXPECT_NEAR(meter.lately(kNoisy).bytes_per_s, 1'000, 60);
  EXPECT_NEAR(meter.usually(kNoisy).updates_per_s, 10, 0.01);
  EXPECT_EQ(meter.lately(kCalm), api::Rate{});
  EXPECT_EQ(meter.usually(ChannelId{99}), api::Rate{});
}

TEST(RateMeter, OneLargeUpdateIsNoRate) {
  RateMeter meter;
  meter.count(kNoisy, 10'000'000);
  meter.turn(seconds(1));
  EXPECT_LT(meter.lately(kNoisy).bytes_per_s, 1'000'000);
}

TEST(RateMeter, AMeasurementThatWasLateIsNotTakenForMore) {
  RateMeter meter;
  for (int turn = 0; turn < 20; ++turn) {
    for (int i = 0; i < 30; ++i) meter.count(kNoisy, 8);
    meter.turn(seconds(3));
  }
  EXPECT_NEAR(meter.usually(kNoisy).updates_per_s, 10, 0.01);
}

TEST(RateMeter, AChannelThatFallsSilentFades) {
  RateMeter meter;
  meter.count(kNoisy, 8);
  for (int second = 0; second < 100; ++second) meter.turn(seconds(1));
  EXPECT_LT(meter.lately(kNoisy).updates_per_s, 1e-4);
}

TEST(RateMeter, IgnoresWhatIsNoChannelOfOurs) {
  RateMeter meter;
  meter.count(ChannelId{~0u}, 8);
  EXPECT_EQ(meter.size(), 0u);
}

// ---- the guard ----------------------------------------------------------------------------------

class StorageGuardTest : public testing::Test {
 protected:
  using Verdict = StorageGuard::Verdict;
  Verdict turns(std::uint32_t count, double archived, double seen) {
    auto verdict = Verdict::kAsBefore;
    for (std::uint32_t i = 0; i < count; ++i) {
      EXPECT_EQ(verdict, Verdict::kAsBefore);
      verdict = guard_.turn(kNoisy, {archived, 0}, {seen, 0});
    }
    return verdict;
  }
  StorageGuard guard_{{100, 1e6}};
};

TEST_F(StorageGuardTest, HoldsWhoIsOverTheBudgetForSomeTime) {
  EXPECT_EQ(turns(StorageGuard::kHoldTurns - 1, 101, 101), Verdict::kAsBefore);
  EXPECT_EQ(turns(1, 100, 100), Verdict::kAsBefore);  // within it for a moment: counted anew
  EXPECT_EQ(turns(StorageGuard::kHoldTurns, 101, 101), Verdict::kHold);
  EXPECT_TRUE(guard_.holds(kNoisy));
  EXPECT_FALSE(guard_.holds(kCalm));
}

TEST_F(StorageGuardTest, LooksAtBytesToo) {
  auto verdict = Verdict::kAsBefore;
  for (std::uint32_t i = 0; i < StorageGuard::kHoldTurns; ++i) {
    verdict = guard_.turn(kNoisy, {1, 2e6}, {1, 2e6});
  }
  EXPECT_EQ(verdict, Verdict::kHold);
}

TEST_F(StorageGuardTest, LetsGoWhenWhatComesIsBelowHalfForAWhile) {
  turns(StorageGuard::kHoldTurns, 101, 101);
  EXPECT_EQ(turns(StorageGuard::kReleaseTurns - 1, 40, 50), Verdict::kAsBefore);
  EXPECT_EQ(turns(1, 40, 60), Verdict::kAsBefore);  // counted anew
  EXPECT_EQ(turns(StorageGuard::kReleaseTurns, 40, 50), Verdict::kRelease);
  EXPECT_FALSE(guard_.holds(kNoisy));
}

TEST_F(StorageGuardTest, WhomAPolicyKeepsWithinTheBudgetIsNoConcernOfIt) {
  EXPECT_EQ(turns(100, 10, 5'000), Verdict::kAsBefore);
}

// ---- all together -------------------------------------------------------------------------------

class ArchivingTest : public testing::Test {
 protected:
  void follow(const Thinning& thinning, std::vector<ChannelId> channels = {kNoisy}) {
    api::Channels all;
    if (thinning != Thinning{}) all.thinned.push_back({"slow", thinning, std::move(channels)});
    append(archiving_.follow(all, now_));
  }
  void append(std::vector<PvUpdate> updates) {
    kept_.insert(kept_.end(), updates.begin(), updates.end());
  }
  /// `count` updates of `channel` within a second, and the turn at its end.
  void second(ChannelId channel, int count, const PvValue& value) {
    for (int i = 0; i < count; ++i) {
      now_ += std::chrono::milliseconds(1'000 / count);
      append(archiving_.due(now_));
      const std::vector<PvUpdate> batch = {of(channel, value)};
      append(archiving_.take(batch, now_).value_or(batch));
    }
    auto turn = archiving_.turn(now_);
    append(std::move(turn.kept));
    for (const auto& each : turn.guarded) guarded_.push_back(each);
  }
  std::uint32_t hidden_in_kept() const {
    std::uint32_t hidden = 0;
    for (const auto& each : kept_) hidden += each.hidden_before;
    return hidden;
  }

  SteadyTime now_ = SteadyTime{} + std::chrono::hours(1);
  Archiving archiving_{{50, 100'000}};
  std::vector<PvUpdate> kept_;
  std::vector<Archiving::Guarded> guarded_;
};

TEST_F(ArchivingTest, WhatNobodyThinsGoesAsItIs) {
  EXPECT_FALSE(archiving_.take({of(kNoisy, 1.0)}, now_));
  follow(rate(1));
  EXPECT_FALSE(archiving_.take({of(kCalm, 1.0)}, now_));
  EXPECT_TRUE(archiving_.take({of(kNoisy, 1.0)}, now_));
  EXPECT_EQ(archiving_.thinned(), 1u);
}

TEST_F(ArchivingTest, APolicyThatEndsGivesWhatWasHeld) {
  follow(rate(0.01));
  append(*archiving_.take({of(kNoisy, 1.0), of(kNoisy, 2.0), of(kNoisy, 3.0)}, now_));
  EXPECT_THAT(kept_, SizeIs(1));
  follow({});
  ASSERT_THAT(kept_, SizeIs(2));
  EXPECT_EQ(kept_[1].value, PvValue{3.0});
  EXPECT_EQ(kept_[1].hidden_before, 1u);
  EXPECT_EQ(archiving_.thinned(), 0u);
}

TEST_F(ArchivingTest, APolicyThatSaysTheSameChangesNothing) {
  follow(rate(0.01));
  append(*archiving_.take({of(kNoisy, 1.0), of(kNoisy, 2.0)}, now_));
  follow(rate(0.01), {kCalm, kNoisy});
  EXPECT_THAT(kept_, SizeIs(1));
  EXPECT_EQ(archiving_.thinned(), 2u);
}

TEST_F(ArchivingTest, TheGuardThinsANoisyWaveformAndLetsItGo) {
  constexpr int kPerSecond = 10;
  int seen = 0;
  for (int i = 0; i < 40; ++i, seen += kPerSecond) second(kNoisy, kPerSecond, waveform(10'000));
  ASSERT_THAT(guarded_, SizeIs(1));  // once
  EXPECT_TRUE(guarded_[0].held);
  EXPECT_GT(guarded_[0].rate.bytes_per_s, 100'000);
  EXPECT_THAT(archiving_.held(), ElementsAre(kNoisy));
  const auto before = kept_.size();
  for (int i = 0; i < 40; ++i, seen += kPerSecond) second(kNoisy, kPerSecond, waveform(10'000));
  const auto per_second = static_cast<double>(kept_.size() - before) / 40;
  EXPECT_NEAR(per_second * 80'023, 100'000, 5'000);
  EXPECT_THAT(guarded_, SizeIs(1));
  auto rates = archiving_.rates({});
  ASSERT_THAT(rates.channels, SizeIs(1));
  EXPECT_TRUE(rates.channels[0].guarded);
  EXPECT_NEAR(rates.channels[0].seen.updates_per_s, kPerSecond, 0.1);
  EXPECT_LT(rates.channels[0].archived.updates_per_s, rates.channels[0].seen.updates_per_s / 2);

  for (int i = 0; i < 120 && guarded_.size() < 2; ++i, ++seen) second(kNoisy, 1, waveform(10));
  ASSERT_THAT(guarded_, SizeIs(2));
  EXPECT_FALSE(guarded_[1].held);
  EXPECT_GT(guarded_[1].hidden, 300u);
  EXPECT_THAT(archiving_.held(), IsEmpty());
  EXPECT_EQ(kept_.size() + hidden_in_kept(), static_cast<std::size_t>(seen));
}

TEST_F(ArchivingTest, APolicyThatThinsEnoughTakesTheGuardAway) {
  for (int i = 0; i < 40; ++i) second(kNoisy, 200, 1.0);
  ASSERT_THAT(archiving_.held(), ElementsAre(kNoisy));
  follow(rate(1));
  EXPECT_THAT(archiving_.held(), IsEmpty());
  for (int i = 0; i < 60; ++i) second(kNoisy, 200, 1.0);
  // Until the average has come down the guard may hold it once more, and never for long.
  EXPECT_LE(guarded_.size(), 2u);
  kept_.clear();
  for (int i = 0; i < 10; ++i) second(kNoisy, 200, 1.0);
  EXPECT_NEAR(static_cast<double>(kept_.size()), 10, 1);
}

TEST_F(ArchivingTest, ShowsTheNoisiestFirst) {
  for (int i = 0; i < 5; ++i) {
    second(kCalm, 2, 1.0);
    second(kNoisy, 2, waveform(100));
  }
  auto rates = archiving_.rates({{}, 1});
  ASSERT_THAT(rates.channels, SizeIs(1));
  EXPECT_EQ(rates.channels[0].channel, kNoisy);
  EXPECT_EQ(rates.channel_count, 2u);
  EXPECT_GT(rates.seen.bytes_per_s, rates.channels[0].seen.bytes_per_s);
  rates = archiving_.rates({{kCalm, ChannelId{77}}, 0});
  ASSERT_THAT(rates.channels, SizeIs(2));
  EXPECT_EQ(rates.channels[0].channel, kCalm);
  EXPECT_EQ(rates.channels[1].seen, api::Rate{});
}

// ---- forecasts ----------------------------------------------------------------------------------

TEST_F(ArchivingTest, ForecastsWhatLimitsWouldLeave) {
  for (int i = 0; i < 60; ++i) second(kNoisy, 10, waveform(122));  // 999 bytes each
  for (int i = 0; i < 60; ++i) second(kCalm, 10, i % 2 == 0 ? 1.0 : 1.5);
  Thinning budget;
  budget.waveform_bytes_per_s_max = 1998;
  Thinning off;
  off.off = true;
  const api::ForecastQuery query{{{}, rate(2), budget, off, deadband(1)},
                                 {{kNoisy, 0, 1},
                                  {kNoisy, 0, 2},
                                  {kNoisy, 1, 3},
                                  {kCalm, 0, 4},
                                  {kCalm, 0, 2},
                                  {ChannelId{5}, 0, 1}}};
  const auto is_array = [](ChannelId channel) { return channel == kNoisy; };
  const auto forecast = archiving_.forecast(query, is_array).value();
  ASSERT_THAT(forecast.rows, SizeIs(6));
  EXPECT_NEAR(forecast.rows[0].after.updates_per_s, 2, 1e-6);
  EXPECT_NEAR(forecast.rows[1].after.bytes_per_s, 1998, 1);
  EXPECT_NEAR(forecast.rows[2].before.updates_per_s, 2, 1e-6);
  EXPECT_EQ(forecast.rows[2].after, api::Rate{});
  EXPECT_EQ(forecast.rows[3].after, api::Rate{});  // it never leaves the deadband
  EXPECT_EQ(forecast.rows[4].after, forecast.rows[4].seen);
  EXPECT_EQ(forecast.rows[5].seen, api::Rate{});
  EXPECT_EQ(forecast.measured, seconds(119));
  api::ForecastQuery wrong;
  wrong.thinnings.resize(1);
  wrong.rows = {{kNoisy, 0, 1}};
  EXPECT_EQ(archiving_.forecast(wrong, is_array).error().code, Code::kInvalidArgument);
}

TEST(RecentUpdates, TriesADeadbandOnWhatCame) {
  RecentUpdates recent;
  for (int i = 0; i < 101; ++i) {
    recent.add(of(kNoisy, static_cast<double>(i)));
    recent.add(of(kCalm, std::int32_t{i % 2}));
    recent.add(of(ChannelId{3}, std::string("text")));
  }
  const auto passing =
      recent.passing({{kNoisy, deadband(3)}, {kCalm, deadband(0)}, {ChannelId{3}, deadband(1)}});
  EXPECT_DOUBLE_EQ(passing.at(kNoisy), 0.25);  // each fourth
  EXPECT_DOUBLE_EQ(passing.at(kCalm), 1.0);
  EXPECT_FALSE(passing.contains(ChannelId{3}));
}

TEST(RecentUpdates, ForgetsTheOldest) {
  RecentUpdates recent;
  for (int i = 0; i < 10; ++i) recent.add(of(kNoisy, 1.0 * i));
  for (std::size_t i = 0; i < RecentUpdates::kMax; ++i) recent.add(of(kCalm, 1.0));
  const auto passing = recent.passing({{kNoisy, deadband(0)}, {kCalm, deadband(0)}});
  EXPECT_FALSE(passing.contains(kNoisy));
  EXPECT_DOUBLE_EQ(passing.at(kCalm), 0.0);
}

}  // namespace
}  // namespace tidemark::model
