#include "model/thinner.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>

#include "arbitrary.h"

namespace tidemark::model {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr Alarm kHigh{Severity::kMinor, 4};

PvUpdate of(PvValue value, Alarm alarm = {}, ChannelId channel = ChannelId{1}) {
  PvUpdate update;
  update.channel = channel;
  update.alarm = alarm;
  update.value = std::move(value);
  return update;
}
PvUpdate event(PvUpdate::Event what) {
  PvUpdate update;
  update.channel = ChannelId{1};
  update.event = what;
  if (what == PvUpdate::Event::kConnected) update.meta = std::make_shared<const PvMeta>();
  return update;
}
SteadyTime at(int ms) { return SteadyTime{} + std::chrono::hours(1) + milliseconds(ms); }

Thinning deadband(double absolute) {
  Thinning thinning;
  thinning.deadband_abs = absolute;
  return thinning;
}
Thinning rate(double updates_per_s) {
  Thinning thinning;
  thinning.updates_per_s_max = updates_per_s;
  return thinning;
}
Thinning off() {
  Thinning thinning;
  thinning.off = true;
  return thinning;
}

/// What is kept, as "value" or "value+hidden".
class Channel {
 public:
  explicit Channel(Thinning policy, std::optional<GuardBudget> guard = {})
      : thinner_(policy, guard) {}

  Channel& step(int ms, const PvUpdate& update) {
    thinner_.step(update, at(ms), kept_);
    return *this;
  }
  Channel& step(int ms, PvValue value, Alarm alarm = {}) {
    return step(ms, of(std::move(value), alarm));
  }
  Channel& timer(int ms) {
    if (thinner_.due() && *thinner_.due() <= at(ms)) thinner_.release(at(ms), kept_);
    return *this;
  }
  Channel& change(int ms, const Thinning& policy) {
    thinner_.change(policy, {}, at(ms), kept_);
    return *this;
  }
  std::vector<std::string> kept() const {
    std::vector<std::string> out;
    for (const auto& each : kept_) {
      out.push_back(each.event == PvUpdate::Event::kConnected      ? "up"
                    : each.event == PvUpdate::Event::kDisconnected ? "down"
                                                                   : to_text(each.value));
      if (each.hidden_before > 0) out.back() += "+" + std::to_string(each.hidden_before);
    }
    return out;
  }
  const ChannelThinner& thinner() const { return thinner_; }

 private:
  ChannelThinner thinner_;
  std::vector<PvUpdate> kept_;
};

TEST(Thinner, HidesWhatStaysInTheDeadbandOfTheLastOneKept) {
  Channel channel(deadband(0.5));
  channel.step(0, 1.0).step(1, 1.4).step(2, 0.5).step(3, 1.6).step(4, 1.2);
  EXPECT_THAT(channel.kept(), ElementsAre("1", "1.6+2"));  // slow drift is not lost either:
  channel.step(5, 1.9).step(6, 2.2);
  EXPECT_THAT(channel.kept(), ElementsAre("1", "1.6+2", "2.2+2"));
}

TEST(Thinner, ADeadbandOfZeroHidesWhatDoesNotChange) {
  EXPECT_THAT(Channel(deadband(0)).step(0, 1.0).step(1, 1.0).step(2, -0.0).step(3, 0.0).kept(),
              ElementsAre("1", "-0+1"));
}

TEST(Thinner, ARelativeDeadbandIsOfTheLastOneKept) {
  Thinning thinning;
  thinning.deadband_rel = 0.1;
  EXPECT_THAT(Channel(thinning).step(0, 100).step(1, 110).step(2, 111).step(3, -111).kept(),
              ElementsAre("100", "111+1", "-111"));
}

TEST(Thinner, NanAndInfinitiesAreNearThemselvesOnly) {
  Channel channel(deadband(1e300));
  channel.step(0, kNan).step(1, kNan).step(2, 1.0).step(3, kInf).step(4, kInf).step(5, -kInf);
  channel.step(6, kNan).step(7, 2.0);
  EXPECT_THAT(channel.kept(), ElementsAre("nan", "1+1", "inf", "-inf+1", "nan", "2"));
}

TEST(Thinner, ADeadbandIsForNumbersOnly) {
  Channel channel(deadband(1e9));
  channel.step(0, std::string("a")).step(1, std::string("a"));
  channel.step(2, SharedArray(std::vector<double>{1})).step(3, SharedArray(std::vector<double>{1}));
  channel.step(4, EnumIndex{1}).step(5, EnumIndex{2});
  EXPECT_THAT(channel.kept(), testing::SizeIs(6));
}

TEST(Thinner, KeepsTheNewestAtTheEndOfEachPause) {
  Channel channel(rate(10));
  channel.step(0, 1).step(30, 2).step(60, 3).timer(99);
  EXPECT_THAT(channel.kept(), ElementsAre("1"));
  channel.timer(100);
  EXPECT_THAT(channel.kept(), ElementsAre("1", "3+1"));
  channel.step(150, 4).timer(200).step(400, 5);
  EXPECT_THAT(channel.kept(), ElementsAre("1", "3+1", "4", "5"));
}

TEST(Thinner, ALateTimerDoesNotMakeTheRateSmaller) {
  Channel channel(rate(10));
  channel.step(0, 1).step(95, 2).timer(119).step(195, 3);
  EXPECT_EQ(channel.thinner().due(), at(200));
  channel.timer(200);
  EXPECT_THAT(channel.kept(), ElementsAre("1", "2", "3"));
}

TEST(Thinner, WhatWentAndCameBackWithinAPauseLeavesATrace) {
  auto thinning = deadband(0.1);
  thinning.updates_per_s_max = 10;
  Channel channel(thinning);
  channel.step(0, 1.0).step(10, 9.0).step(20, 1.0).timer(100);
  EXPECT_THAT(channel.kept(), ElementsAre("1", "1+1"));
}

TEST(Thinner, NeverHidesAChangeOfAlarmTypeOrState) {
  Channel channel(rate(0.001));
  channel.step(0, 1.0).step(1, 1.0, kHigh).step(2, 1.0).step(3, 1).step(4, std::string("x"));
  channel.step(5, EnumIndex{1}).step(6, EnumIndex{1}).step(7, EnumIndex{2});
  EXPECT_THAT(channel.kept(), ElementsAre("1", "1", "1", "1", "x", "1", "2+1"));
}

TEST(Thinner, KeepsConnectionEventsAndTheFirstValueBehindThem) {
  Channel channel(rate(0.001));
  channel.step(0, event(PvUpdate::Event::kConnected)).step(1, 1.0).step(2, 2.0).step(3, 3.0);
  channel.step(4, event(PvUpdate::Event::kDisconnected));
  channel.step(5, event(PvUpdate::Event::kConnected)).step(6, 4.0);
  EXPECT_THAT(channel.kept(), ElementsAre("up", "1", "3+1", "down", "up", "4"));
}

TEST(Thinner, AWaveformWaitsForAsLongAsItsBytesTake) {
  Thinning thinning;
  thinning.waveform_bytes_per_s_max = 8'023;  // as many as the row of a thousand doubles takes
  const SharedArray array(std::vector<double>(1'000));
  Channel channel(thinning);
  channel.step(0, array).step(10, array).step(500, array);
  EXPECT_EQ(channel.thinner().due(), at(1'000));
  channel.timer(1'000).step(1'500, array).timer(2'000);
  EXPECT_THAT(channel.kept(), testing::SizeIs(3));
  EXPECT_EQ(channel.thinner().hidden(), 1u);
  Channel scalars(thinning);
  EXPECT_THAT(scalars.step(0, 1.0).step(0, 2.0).kept(), ElementsAre("1", "2"));
}

TEST(Thinner, WhatIsOffKeepsConnectionEventsOnly) {
  Channel channel(off());
  channel.step(0, event(PvUpdate::Event::kConnected)).step(1, 1.0).step(2, 2.0, kHigh);
  channel.step(3, event(PvUpdate::Event::kDisconnected));
  EXPECT_THAT(channel.kept(), ElementsAre("up", "down+2"));
  EXPECT_FALSE(channel.thinner().due());
}

TEST(Thinner, TheNewestIsKeptWhenThePolicyEnds) {
  Channel held(deadband(5));
  EXPECT_THAT(held.step(0, 1.0).step(1, 2.0).step(2, 3.0).change(3, {}).step(4, 3.5).kept(),
              ElementsAre("1", "3+1", "3.5"));
  EXPECT_TRUE(held.thinner().idle());
  Channel nothing(off());
  EXPECT_THAT(nothing.step(0, 1.0).step(1, 2.0).change(3, {}).kept(), ElementsAre("2+1"));
  Channel waiting(rate(1));
  EXPECT_THAT(waiting.step(0, 1.0).step(1, 2.0).change(3, off()).step(4, 3.0).kept(),
              ElementsAre("1"));
  EXPECT_FALSE(waiting.thinner().due());
}

TEST(Thinner, TheGuardHidesAlsoChangesOfAlarm) {
  Channel channel({}, GuardBudget{10, 1e6});
  channel.step(0, 1.0).step(10, 1.0, kHigh).step(20, 2.0).step(30, 3.0, kHigh).timer(100);
  EXPECT_THAT(channel.kept(), ElementsAre("1", "3+2"));
  Channel bytes({}, GuardBudget{1e6, 230});
  bytes.step(0, 1.0).step(10, 2.0);
  EXPECT_EQ(bytes.thinner().due(), at(100));
}

TEST(Thinner, CountsAlsoWhatAFullQueueHid) {
  auto squashed = of(2.0);
  squashed.hidden_before = 5;
  EXPECT_THAT(Channel(deadband(1)).step(0, 1.5).step(1, squashed).step(2, 9.0).kept(),
              ElementsAre("1.5", "9+6"));
}

TEST(Thinner, TouchesOnlyTheChannelsThatAreThinned) {
  Thinner thinner;
  std::vector<PvUpdate> kept;
  const auto other = of(1.0, {}, ChannelId{7});
  EXPECT_FALSE(thinner.step({of(1.0), other}, at(0)));
  thinner.set(ChannelId{1}, deadband(1), {}, at(0), kept);
  EXPECT_FALSE(thinner.step({other, other}, at(0)));
  EXPECT_EQ(thinner.step({other, of(1.0), of(1.5), other}, at(0))->size(), 3u);
  EXPECT_EQ(thinner.thinned(), 1u);
  EXPECT_THAT(kept, IsEmpty());
}

TEST(Thinner, GivesWhatIsDueOfAllChannelsInOrder) {
  Thinner thinner;
  std::vector<PvUpdate> kept;
  for (const auto channel : {ChannelId{1}, ChannelId{2}}) {
    thinner.set(channel, rate(channel == ChannelId{1} ? 1 : 10), {}, at(0), kept);
    thinner.step({of(1.0, {}, channel), of(2.0, {}, channel)}, at(0));
  }
  EXPECT_EQ(thinner.next_due(), at(100));
  const auto first = thinner.due(at(100));
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].channel, ChannelId{2});
  EXPECT_EQ(thinner.next_due(), at(1'000));
  EXPECT_EQ(thinner.due(at(2'000)).size(), 1u);
  EXPECT_FALSE(thinner.next_due());
}

TEST(Thinner, ForgetsAChannelWhenAllThatWasHiddenIsCounted) {
  Thinner thinner;
  std::vector<PvUpdate> kept;
  thinner.set(ChannelId{1}, off(), {}, at(0), kept);
  EXPECT_THAT(*thinner.step({of(1.0), event(PvUpdate::Event::kDisconnected), of(2.0)}, at(1)),
              testing::SizeIs(1));
  thinner.set(ChannelId{1}, {}, {}, at(2), kept);
  ASSERT_THAT(kept, testing::SizeIs(1));
  EXPECT_EQ(thinner.thinned(), 0u);
  EXPECT_FALSE(thinner.step({of(3.0)}, at(3)));
  EXPECT_EQ(thinner.hidden(), 1u);
}

// ---- properties ---------------------------------------------------------------------------------

Thinning any_thinning() {
  Thinning thinning;
  if (arbitrary::any<bool>()) thinning.deadband_abs = *rc::gen::inRange(0, 4);
  if (arbitrary::any<bool>()) thinning.deadband_rel = *rc::gen::inRange(0, 5) / 10.0;
  if (arbitrary::any<bool>()) thinning.updates_per_s_max = *rc::gen::inRange(1, 50);
  if (arbitrary::any<bool>()) thinning.waveform_bytes_per_s_max = *rc::gen::inRange(100, 5'000);
  return thinning;
}

PvValue any_small_value() {
  switch (*rc::gen::inRange(0, 8)) {
    case 0: return *rc::gen::element(kNan, kInf, -kInf);
    case 1: return EnumIndex{*rc::gen::inRange<std::uint16_t>(0, 3)};
    case 2: return SharedArray(std::vector<double>(*rc::gen::inRange<std::size_t>(0, 20)));
    case 3: return *rc::gen::inRange(-5, 5);
    default: return *rc::gen::inRange(-20, 20) / 2.0;
  }
}

bool near(const PvUpdate& last, const PvUpdate& other, const Thinning& policy) {
  if (last.value.index() != other.value.index() || last.alarm != other.alarm) return false;
  if (!policy.deadband_abs && !policy.deadband_rel) return false;
  if (std::holds_alternative<EnumIndex>(other.value)) return false;
  const auto a = as_number(last.value);
  const auto b = as_number(other.value);
  if (!a || !b) return false;
  if (*a == *b || (std::isnan(*a) && std::isnan(*b))) return true;
  const double band =
      std::max(policy.deadband_abs.value_or(0),
               std::isfinite(*a) ? policy.deadband_rel.value_or(0) * std::abs(*a) : 0);
  return std::abs(*a - *b) <= band;
}

/// Values with a change of alarm now and then, and connections, at random times; each is known by
/// its taken_at. The timer comes when it is due, or some time later.
RC_GTEST_PROP(ThinnerProperty, HidesOnlyWhatThePolicyPermitsAndCountsIt, ()) {
  const auto policy = any_thinning();
  const auto lateness = *rc::gen::inRange(0, 30);
  ChannelThinner thinner(policy, {});
  std::vector<PvUpdate> seen;
  std::vector<SteadyTime> seen_at;
  std::vector<PvUpdate> kept;
  std::vector<SteadyTime> kept_at;  // of kept[i]
  auto now = at(0);
  const auto note = [&] { kept_at.resize(kept.size(), now); };
  const auto last_value_kept = [&]() -> const PvUpdate& { return kept.back(); };

  const auto count = *rc::gen::inRange<std::size_t>(1, 120);
  for (std::size_t i = 0; i < count; ++i) {
    const auto next = now + milliseconds(*rc::gen::inRange(0, 120));
    while (thinner.due() && *thinner.due() + milliseconds(lateness) <= next) {
      now = std::max(now, *thinner.due() + milliseconds(lateness));
      thinner.release(now, kept);
      note();
      RC_ASSERT(kept.back().taken_at == seen.back().taken_at);  // the newest
    }
    now = next;
    auto update = of(any_small_value(), arbitrary::any<bool>() ? Alarm{} : kHigh);
    if (*rc::gen::inRange(0, 10) > 0 && !seen.empty()) update.alarm = seen.back().alarm;
    if (*rc::gen::inRange(0, 15) == 0) update = event(PvUpdate::Event::kDisconnected);
    update.taken_at = UtcTime{Duration{static_cast<std::int64_t>(i) + 1}};
    seen.push_back(update);
    seen_at.push_back(now);
    thinner.step(update, now, kept);
    note();
    // What is newest was kept, is due, or is near what was kept.
    RC_ASSERT(!kept.empty());
    RC_ASSERT(kept.back().taken_at == update.taken_at || thinner.due() ||
              near(last_value_kept(), update, policy));
  }

  // In order, and each either kept or counted: at the end nothing is held.
  thinner.change({}, {}, now, kept);
  note();
  RC_ASSERT(thinner.idle());
  RC_ASSERT(kept.back().taken_at == seen.back().taken_at);
  std::size_t at_seen = 0;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const PvUpdate* before = i == 0 ? nullptr : &kept[i - 1];
    std::uint32_t hidden = 0;
    for (; seen[at_seen].taken_at != kept[i].taken_at; ++at_seen, ++hidden) {
      const auto& gone = seen[at_seen];
      RC_ASSERT(gone.event == PvUpdate::Event::kValue);
      RC_ASSERT(before != nullptr && before->event == PvUpdate::Event::kValue);
      RC_ASSERT(gone.alarm == before->alarm);
      RC_ASSERT(gone.value.index() == before->value.index());
      if (const auto* state = std::get_if<EnumIndex>(&gone.value)) {
        RC_ASSERT(*state == std::get<EnumIndex>(before->value));
      }
      double pause = policy.updates_per_s_max > 0 ? 1 / policy.updates_per_s_max : 0;
      if (std::holds_alternative<SharedArray>(before->value) &&
          policy.waveform_bytes_per_s_max > 0) {
        pause = std::max(pause,
                         static_cast<double>(row_bytes(*before)) / policy.waveform_bytes_per_s_max);
      }
      const auto waited = std::chrono::duration<double>(seen_at[at_seen] - kept_at[i - 1]).count();
      RC_ASSERT(waited <= pause || near(*before, gone, policy));
    }
    RC_ASSERT(kept[i].hidden_before == hidden);
    ++at_seen;
  }
  RC_ASSERT(at_seen == seen.size());
}

RC_GTEST_PROP(ThinnerProperty, KeepsTheRate, ()) {
  const auto per_s = *rc::gen::inRange(1, 40);
  ChannelThinner thinner(rate(per_s), {});
  std::vector<PvUpdate> kept;
  auto now = at(0);
  for (int i = 0; i < 300; ++i) {
    now += milliseconds(*rc::gen::inRange(0, 60));
    if (thinner.due() && *thinner.due() <= now) thinner.release(*thinner.due(), kept);
    thinner.step(of(static_cast<double>(i)), now, kept);
  }
  const auto seconds = std::chrono::duration<double>(now - at(0)).count();
  RC_ASSERT(static_cast<double>(kept.size()) <= seconds * per_s + 1.001);
}

}  // namespace
}  // namespace tidemark::model
