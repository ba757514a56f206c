#include "journal/replay_schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace tidemark::journal {
namespace {

using namespace std::chrono_literals;

const UtcTime kThen{std::chrono::seconds(1'700'000'000)};
const SteadyTime kBegin{std::chrono::hours(1)};

/// Five items that were recorded together, `after` the begin of the range.
ReplaySchedule::Piece piece(Duration after, std::uint64_t block = 1, std::uint32_t count = 5) {
  return {Line{block}, count, kThen + after};
}

/// Sends what is due; answers how much that was.
std::uint32_t run(ReplaySchedule& schedule, const ReplaySchedule::Piece& next, SteadyTime now) {
  const auto due = schedule.due(next, now);
  if (due > 0) schedule.sent(next, due, now);
  return due;
}

TEST(ReplaySchedule, GoesAtTheSpeedOfTheRecordedTime) {
  ReplaySchedule schedule(kThen, 1, false);
  EXPECT_EQ(schedule.due(piece(1s), kBegin), 0U);
  EXPECT_EQ(schedule.due_at(piece(1s), kBegin), kBegin + 1s);
  EXPECT_EQ(schedule.due(piece(1s), kBegin + 999ms), 0U);
  EXPECT_EQ(schedule.due(piece(1s), kBegin + 1s), 5U);
  EXPECT_EQ(schedule.moment(kBegin + 1500ms), kThen + 1500ms);
}

TEST(ReplaySchedule, GoesTenTimesAsFastAndATenthOfIt) {
  ReplaySchedule fast(kThen, 10, false);
  fast.due(piece(1s), kBegin);
  EXPECT_EQ(fast.due(piece(1s), kBegin + 99ms), 0U);
  EXPECT_EQ(fast.due(piece(1s), kBegin + 100ms), 5U);
  ReplaySchedule slow(kThen, 0.1, false);
  slow.due(piece(1s), kBegin);
  EXPECT_EQ(slow.due_at(piece(1s), kBegin), kBegin + 10s);
}

TEST(ReplaySchedule, AsFastAsItGoesEverythingIsDueAndTheClockFollows) {
  ReplaySchedule schedule(kThen, ReplaySchedule::kAsFastAsItGoes, false);
  EXPECT_EQ(run(schedule, piece(100h), kBegin), 5U);
  EXPECT_EQ(schedule.moment(kBegin + 1s), kThen + 100h);
  EXPECT_FALSE(schedule.due_at(piece(101h), kBegin));
}

TEST(ReplaySchedule, AClockWithoutABeginningTakesThatOfTheFirstPiece) {
  ReplaySchedule schedule(UtcTime{}, 1, false);
  EXPECT_EQ(schedule.due(piece(0s), kBegin), 5U);
  EXPECT_EQ(schedule.due(piece(2s), kBegin + 1s), 0U);
  EXPECT_EQ(schedule.due(piece(2s), kBegin + 2s), 5U);
}

TEST(ReplaySchedule, StandsStillWhilePausedAndGoesOnFromThere) {
  ReplaySchedule schedule(kThen, 1, false);
  schedule.due(piece(3s), kBegin);
  schedule.pause(kBegin + 1s);
  EXPECT_EQ(schedule.due(piece(3s), kBegin + 1h), 0U);
  EXPECT_EQ(schedule.moment(kBegin + 1h), kThen + 1s);
  schedule.resume(kBegin + 1h);
  EXPECT_EQ(schedule.due_at(piece(3s), kBegin + 1h), kBegin + 1h + 2s);
}

TEST(ReplaySchedule, AChangeOfSpeedDoesNotMoveTheClock) {
  ReplaySchedule schedule(kThen, 1, false);
  schedule.due(piece(11s), kBegin);
  schedule.set_speed(10, kBegin + 1s);
  EXPECT_EQ(schedule.moment(kBegin + 1s), kThen + 1s);
  EXPECT_EQ(schedule.due_at(piece(11s), kBegin + 1s), kBegin + 2s);
}

TEST(ReplaySchedule, AStepOfItemsEndsInTheMiddleOfAPiece) {
  ReplaySchedule schedule(kThen, 1, true);
  EXPECT_EQ(schedule.due(piece(1s), kBegin), 0U);
  schedule.step_items(3, kBegin);
  EXPECT_EQ(run(schedule, piece(1s), kBegin), 3U);
  EXPECT_EQ(run(schedule, piece(1s, 1, 2), kBegin), 0U);
  EXPECT_EQ(schedule.moment(kBegin), kThen + 1s);
  schedule.step_items(3, kBegin);
  EXPECT_EQ(run(schedule, piece(1s, 1, 2), kBegin), 2U);
  EXPECT_EQ(run(schedule, piece(2s, 2), kBegin), 1U);
}

TEST(ReplaySchedule, AStepOfABlockTakesAllOfItsPieces) {
  ReplaySchedule schedule(kThen, 1, true);
  schedule.step_blocks(1, kBegin);
  EXPECT_EQ(run(schedule, piece(1s, 7), kBegin), 5U);
  EXPECT_EQ(run(schedule, piece(1s, 7, 2), kBegin), 2U);
  EXPECT_EQ(run(schedule, piece(1s, 9), kBegin), 0U);
  schedule.step_blocks(2, kBegin);
  EXPECT_EQ(run(schedule, piece(1s, 9), kBegin), 5U);
  EXPECT_EQ(run(schedule, piece(2s, 14), kBegin), 5U);
  EXPECT_EQ(run(schedule, piece(3s, 19), kBegin), 0U);
}

TEST(ReplaySchedule, AStepOfTimeTakesWhatWasRecordedInIt) {
  ReplaySchedule schedule(kThen, 1, true);
  schedule.step_time(1s, kBegin);
  EXPECT_EQ(run(schedule, piece(500ms), kBegin), 5U);
  EXPECT_EQ(run(schedule, piece(1s), kBegin), 5U);
  EXPECT_EQ(run(schedule, piece(1001ms), kBegin), 0U);
  EXPECT_EQ(schedule.moment(kBegin + 1h), kThen + 1s);
}

TEST(ReplaySchedule, AStepPausesWhatRuns) {
  ReplaySchedule schedule(kThen, 1, false);
  schedule.due(piece(10s), kBegin);
  schedule.step_time(1s, kBegin + 2s);
  EXPECT_TRUE(schedule.paused());
  EXPECT_EQ(schedule.due(piece(10s), kBegin + 1h), 0U);
  EXPECT_EQ(schedule.moment(kBegin + 1h), kThen + 3s);
}

TEST(ReplaySchedule, AJumpSetsTheClockAndEndsAStep) {
  ReplaySchedule schedule(kThen, 1, true);
  schedule.step_items(100, kBegin);
  schedule.jump(kThen + 1h, kBegin);
  EXPECT_EQ(schedule.due(piece(1h), kBegin), 0U);
  EXPECT_EQ(schedule.moment(kBegin), kThen + 1h);
  schedule.resume(kBegin);
  EXPECT_EQ(schedule.due_at(piece(1h + 2s), kBegin), kBegin + 2s);
}

TEST(ReplaySchedule, AClockThatWaitedForAReaderDoesNotHurryAfterwards) {
  ReplaySchedule schedule(kThen, 1, false);
  schedule.due(piece(1s), kBegin);
  schedule.hold(piece(1s), kBegin + 5s);
  EXPECT_EQ(schedule.moment(kBegin + 5s), kThen + 1s);
  schedule.hold(piece(1s), kBegin + 9s);
  EXPECT_EQ(run(schedule, piece(1s), kBegin + 9s), 5U);
  EXPECT_EQ(schedule.due(piece(2s), kBegin + 9s), 0U);
  EXPECT_EQ(schedule.due_at(piece(2s), kBegin + 9s), kBegin + 10s);
}

/// Whatever is asked of it: every item goes out once and in order, none before its time, and the
/// clock goes back only to what is held up.
TEST(ReplaySchedule, SaysEachItemOnceWhateverIsAskedOfIt) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto below = [&](std::uint32_t end) { return static_cast<std::uint32_t>(random() % end); };
  for (int round = 0; round < 200; ++round) {
    std::vector<ReplaySchedule::Piece> pieces;
    Duration at{};
    for (std::uint64_t block = 1; block <= 20; ++block) {
      at += std::chrono::milliseconds(below(500));
      for (auto left = below(2) + 1; left > 0; --left) {
        pieces.push_back(piece(at, block, 1 + below(4)));
      }
    }
    ReplaySchedule schedule(kThen, 1 << below(4), below(2) == 0);
    auto now = kBegin;
    auto clock = kThen;
    for (std::size_t next = 0; next < pieces.size();) {
      switch (below(12)) {
        case 0: schedule.pause(now); break;
        case 1:
        case 2: schedule.resume(now); break;
        case 3: schedule.set_speed(below(3), now); break;
        case 4: schedule.step_items(1 + below(3), now); break;
        case 5: schedule.step_blocks(1 + below(2), now); break;
        case 6: schedule.step_time(std::chrono::milliseconds(1 + below(300)), now); break;
        case 7:
          schedule.hold(pieces[next], now);
          // It waits at what could not go out, however far it had run.
          ASSERT_GE(schedule.moment(now), std::min(clock, pieces[next].recorded_at));
          clock = std::min(clock, schedule.moment(now));
          break;
        default: now += std::chrono::milliseconds(below(100));
      }
      auto& at_hand = pieces[next];
      const auto due = schedule.due(at_hand, now);
      ASSERT_LE(due, at_hand.count);
      if (due > 0) {
        schedule.sent(at_hand, due, now);
        ASSERT_GE(schedule.moment(now), at_hand.recorded_at) << "before its time";
        at_hand.count -= due;
        if (at_hand.count == 0) ++next;
      }
      ASSERT_GE(schedule.moment(now), clock) << "the clock went back";
      clock = schedule.moment(now);
    }
  }
}

}  // namespace
}  // namespace tidemark::journal
