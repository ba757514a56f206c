// test/bus/stream_reader_test.cpp

#include "bus/stream_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidemark::bus {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

/// Actions as a reader of the test would say them.
std::vector<std::string> said(const StreamReader::Actions& actions) {
  struct Say {
    std::string operator()(const StreamReader::AskState& ask) const {
      return "ask " + std::to_string(ask.incarnation);
    }
    std::string operator()(const StreamReader::AskAgain& ask) const {
      return "again " + std::to_string(ask.from) + ".." + std::to_string(ask.to);
    }
    std::string operator()(const StreamReader::Whole& whole) const {
      std::string said = "whole:";
      for (const auto& part : whole.parts) said += " " + part;
      return said;
    }
    std::string operator()(const StreamReader::Apply& apply) const { return apply.payload; }
    std::string operator()(const StreamReader::Lost& lost) const {
      return "lost " + std::to_string(lost.from) + ".." + std::to_string(lost.to);
    }
  };
  std::vector<std::string> words;
  for (const auto& action : actions) words.push_back(std::visit(Say{}, action));
  return words;
}

class StreamReaderTest : public testing::Test {
 protected:
  using Words = std::vector<std::string>;

  Words frame(std::uint64_t sequence, std::string payload, std::uint32_t count = 1,
              Incarnation incarnation = 1) {
    Frame made;
    made.header.incarnation = incarnation;
    made.header.sequence = sequence;
    made.header.count = count;
    made.payload = std::move(payload);
    return said(reader_.on_frame(std::move(made), now_));
  }
  static Frame jump_frame(std::uint64_t sequence) {
    Frame made;
    made.header.frame_class = FrameClass::kReplayState;
    made.header.incarnation = 1;
    made.header.sequence = sequence;
    made.header.count = 1;
    return made;
  }
  Words jump(std::uint64_t sequence) { return said(reader_.on_frame(jump_frame(sequence), now_)); }
  Words heartbeat(std::uint64_t sequence, Incarnation incarnation = 1) {
    Frame made;
    made.header.frame_class = FrameClass::kHeartbeat;
    made.header.incarnation = incarnation;
    made.header.sequence = sequence;
    return said(reader_.on_frame(std::move(made), now_));
  }
  Words state(std::uint64_t sequence, Incarnation incarnation = 1) {
    return said(reader_.on_state(incarnation, sequence, {"state"}, now_));
  }
  /// The lost items come again, as frames of one item each.
  Words again(std::uint64_t from, std::uint64_t to) {
    std::vector<Frame> frames;
    for (auto item = from; item <= to; ++item) {
      Frame made;
      made.header.incarnation = 1;
      made.header.sequence = item;
      made.header.count = 1;
      made.payload = "again" + std::to_string(item);
      frames.push_back(std::move(made));
    }
    return said(reader_.on_again(from, std::move(frames)));
  }
  Words no_again(std::uint64_t from) { return said(reader_.on_again_failed(from)); }
  Words fail() { return said(reader_.on_state_failed(now_)); }
  Words after(Duration duration) {
    now_ += duration;
    return said(reader_.on_tick(now_));
  }
  /// Brings the reader to where it has everything up to `sequence`.
  void live_at(std::uint64_t sequence) {
    heartbeat(sequence);
    state(sequence);
    ASSERT_TRUE(reader_.live());
  }

  SteadyTime now_{};
  StreamReader reader_{StreamReaderLimits{.buffer_bytes_max = 100}};
};

TEST_F(StreamReaderTest, FirstHeartbeatAsksForTheState) {
  EXPECT_THAT(heartbeat(0), ElementsAre("ask 1"));
  EXPECT_FALSE(reader_.live());
  EXPECT_THAT(state(0), ElementsAre("whole: state"));
  EXPECT_TRUE(reader_.live());
}

TEST_F(StreamReaderTest, FramesThatArriveBeforeTheStateFollowIt) {
  EXPECT_THAT(frame(10, "a"), ElementsAre("ask 1"));
  EXPECT_THAT(frame(11, "b"), ElementsAre());
  EXPECT_THAT(frame(12, "c"), ElementsAre());
  EXPECT_THAT(state(11), ElementsAre("whole: state", "c"));
  EXPECT_EQ(reader_.applied(), 12U);
}

TEST_F(StreamReaderTest, LiveFramesAreAppliedAtOnce) {
  live_at(5);
  EXPECT_THAT(frame(6, "a", 3), ElementsAre("a"));
  EXPECT_THAT(frame(9, "b"), ElementsAre("b"));
  EXPECT_EQ(reader_.applied(), 9U);
}

TEST_F(StreamReaderTest, HoleIsReportedAndRepaired) {
  live_at(5);
  EXPECT_THAT(frame(8, "late"), ElementsAre("again 6..7"));
  EXPECT_THAT(no_again(6), ElementsAre("lost 6..7", "ask 1"));
  EXPECT_THAT(state(8), ElementsAre("whole: state"));
  EXPECT_THAT(frame(9, "next"), ElementsAre("next"));
  EXPECT_EQ(reader_.counters().gaps, 1U);
  EXPECT_EQ(reader_.counters().items_lost, 2U);
}

TEST_F(StreamReaderTest, HeartbeatShowsTheLossOfTheLastFrame) {
  live_at(5);
  EXPECT_THAT(heartbeat(5), ElementsAre());
  EXPECT_THAT(heartbeat(7), ElementsAre("again 6..7"));
  EXPECT_THAT(heartbeat(7), ElementsAre());
  EXPECT_THAT(no_again(6), ElementsAre("lost 6..7", "ask 1"));
  EXPECT_THAT(state(7), ElementsAre("whole: state"));
}

TEST_F(StreamReaderTest, HoleIsFilledWithTheFramesThatWereLost) {
  live_at(5);
  EXPECT_THAT(frame(8, "c"), ElementsAre("again 6..7"));
  EXPECT_THAT(frame(9, "d"), ElementsAre());
  EXPECT_THAT(again(6, 7), ElementsAre("again6", "again7", "c", "d"));
  EXPECT_TRUE(reader_.live());
  EXPECT_EQ(reader_.applied(), 9U);
  EXPECT_EQ(reader_.counters().repaired, 1U);
  EXPECT_EQ(reader_.counters().items_lost, 0U);
}

TEST_F(StreamReaderTest, HoleThatIsFilledInPartIsFilledByTheState) {
  live_at(5);
  frame(9, "d");
  EXPECT_THAT(again(6, 7), ElementsAre("lost 6..8", "ask 1"));
  EXPECT_THAT(state(8), ElementsAre("whole: state", "d"));
}

TEST_F(StreamReaderTest, SecondHoleBeforeTheFirstIsFilledAsksForTheState) {
  live_at(5);
  EXPECT_THAT(frame(7, "b"), ElementsAre("again 6..6"));
  EXPECT_THAT(frame(9, "d"), ElementsAre("lost 6..6", "ask 1", "lost 8..8"));
  EXPECT_THAT(again(6, 6), ElementsAre()) << "too late";
  EXPECT_THAT(state(8), ElementsAre("whole: state", "d"));
}

TEST_F(StreamReaderTest, FullBufferWhileAHoleIsOpenAsksForTheState) {
  live_at(5);
  frame(7, std::string(60, 'a'));
  EXPECT_THAT(frame(8, std::string(60, 'b')), ElementsAre("lost 6..6", "ask 1", "lost 7..8"));
}

TEST_F(StreamReaderTest, SecondHoleWhileTheStateIsUnderWayIsReportedToo) {
  live_at(5);
  EXPECT_THAT(frame(7, "a"), ElementsAre("again 6..6"));
  EXPECT_THAT(no_again(6), ElementsAre("lost 6..6", "ask 1"));
  EXPECT_THAT(frame(9, "b"), ElementsAre("lost 8..8"));
  EXPECT_THAT(state(7), ElementsAre()) << "it does not contain 8";
  EXPECT_THAT(after(50ms), ElementsAre("ask 1"));
  EXPECT_THAT(state(8), ElementsAre("whole: state", "b"));
}

TEST_F(StreamReaderTest, LossThatAStateHidesIsStillReported) {
  live_at(5);
  heartbeat(6);
  EXPECT_THAT(no_again(6), ElementsAre("lost 6..6", "ask 1"));
  EXPECT_THAT(state(20), ElementsAre("whole: state"));
  EXPECT_THAT(frame(21, "next"), ElementsAre("lost 7..20", "next"));
  EXPECT_TRUE(reader_.live());
}

TEST_F(StreamReaderTest, DuplicatesAreDroppedAndCounted) {
  live_at(5);
  frame(6, "a", 2);
  EXPECT_THAT(frame(6, "a", 2), ElementsAre());
  EXPECT_THAT(frame(5, "old"), ElementsAre());
  EXPECT_EQ(reader_.counters().duplicates, 2U);
}

TEST_F(StreamReaderTest, FrameWithOldAndNewItemsIsApplied) {
  live_at(5);
  EXPECT_THAT(frame(4, "4 to 7", 4), ElementsAre("4 to 7"));
  EXPECT_EQ(reader_.applied(), 7U);
}

TEST_F(StreamReaderTest, OlderIncarnationIsFenced) {
  heartbeat(3, 2);
  EXPECT_THAT(frame(4, "ghost", 1, 1), ElementsAre());
  EXPECT_EQ(reader_.counters().stale, 1U);
}

TEST_F(StreamReaderTest, NewIncarnationStartsWithAFreshState) {
  live_at(5);
  EXPECT_THAT(frame(1, "new", 1, 2), ElementsAre("ask 2"));
  EXPECT_EQ(reader_.applied(), 0U);
  EXPECT_THAT(state(0, 2), ElementsAre("whole: state", "new"));
  EXPECT_EQ(reader_.incarnation(), 2U);
}

TEST_F(StreamReaderTest, StateOfAnotherIncarnationIsNotApplied) {
  heartbeat(3);
  EXPECT_THAT(state(3, 2), ElementsAre());
  EXPECT_FALSE(reader_.live());
  EXPECT_THAT(after(50ms), ElementsAre("ask 1"));
}

TEST_F(StreamReaderTest, FailureOfTheOldIncarnationsStateDoesNotDelayTheNew) {
  heartbeat(3, 1);
  EXPECT_THAT(heartbeat(1, 2), ElementsAre("ask 2"));
  fail();
  EXPECT_THAT(after(10s), ElementsAre()) << "one is under way";
  EXPECT_THAT(state(1, 2), ElementsAre("whole: state"));
}

TEST_F(StreamReaderTest, RetriesWithABackOffThatDoubles) {
  heartbeat(3);
  fail();
  EXPECT_THAT(after(49ms), ElementsAre());
  EXPECT_THAT(after(1ms), ElementsAre("ask 1"));
  fail();
  EXPECT_THAT(after(99ms), ElementsAre());
  EXPECT_THAT(after(1ms), ElementsAre("ask 1"));
  for (int i = 0; i < 10; ++i) {
    fail();
    after(5s);
  }
  fail();
  EXPECT_THAT(after(4999ms), ElementsAre());
  EXPECT_THAT(after(1ms), ElementsAre("ask 1"));
}

TEST_F(StreamReaderTest, AsksOnceHoweverMuchArrivesMeanwhile) {
  EXPECT_THAT(heartbeat(1), ElementsAre("ask 1"));
  EXPECT_THAT(frame(2, "a"), ElementsAre());
  EXPECT_THAT(heartbeat(2), ElementsAre());
  EXPECT_THAT(after(10s), ElementsAre());
}

TEST_F(StreamReaderTest, AJumpAsksForAStateThatContainsIt) {
  live_at(5);
  EXPECT_THAT(jump(6), ElementsAre("ask 1"));
  EXPECT_THAT(frame(7, "a"), ElementsAre());
  EXPECT_THAT(state(5), ElementsAre()) << "that of before the jump";
  EXPECT_THAT(after(50ms), ElementsAre("ask 1"));
  EXPECT_THAT(state(6), ElementsAre("whole: state", "a"));
  EXPECT_EQ(reader_.counters().items_lost, 0U);
}

TEST_F(StreamReaderTest, AJumpVoidsWhatWasKeptBeforeIt) {
  heartbeat(0);
  EXPECT_THAT(frame(1, "a"), ElementsAre());
  EXPECT_THAT(jump(2), ElementsAre());
  EXPECT_THAT(frame(3, "b"), ElementsAre());
  EXPECT_THAT(state(1), ElementsAre());
  EXPECT_THAT(after(50ms), ElementsAre("ask 1"));
  EXPECT_THAT(state(2), ElementsAre("whole: state", "b"));
}

TEST_F(StreamReaderTest, AJumpThatIsInTheStateIsNoNews) {
  heartbeat(0);
  state(2);
  EXPECT_THAT(jump(2), ElementsAre("lost 1..1"));
  EXPECT_TRUE(reader_.live());
}

TEST_F(StreamReaderTest, AJumpThatWasLostComesAgain) {
  live_at(1);
  EXPECT_THAT(frame(4, "c"), ElementsAre("again 2..3"));
  std::vector<Frame> frames;
  frames.push_back(jump_frame(2));
  frames.push_back(jump_frame(3));
  frames.back().payload = "b";
  EXPECT_THAT(said(reader_.on_again(2, std::move(frames))), ElementsAre("ask 1"));
  EXPECT_THAT(state(2), ElementsAre("whole: state", "b", "c"));
}

TEST_F(StreamReaderTest, FullBufferIsALossThatAStateMustCover) {
  heartbeat(0);
  frame(1, std::string(60, 'a'));
  EXPECT_THAT(frame(2, std::string(60, 'b')), ElementsAre("lost 1..2"));
  EXPECT_THAT(state(1), ElementsAre()) << "2 is neither in it nor kept";
  EXPECT_THAT(after(50ms), ElementsAre("ask 1"));
  EXPECT_THAT(frame(3, "c"), ElementsAre());
  EXPECT_THAT(state(2), ElementsAre("whole: state", "c"));
}

TEST_F(StreamReaderTest, ItemsThatCannotBeReadAreLostAndTheStateIsAskedForOnceASecond) {
  frame(1, "a");
  state(1);
  EXPECT_THAT(frame(2, "??", 2), ElementsAre("??"));
  EXPECT_THAT(said(reader_.on_unreadable(2, 3, now_)), ElementsAre("lost 2..3"));
  EXPECT_THAT(frame(4, "d"), ElementsAre()) << "kept until the state is here";
  EXPECT_THAT(said(reader_.on_tick(now_ + 999ms)), ElementsAre());
  EXPECT_THAT(said(reader_.on_tick(now_ + 1s)), ElementsAre("ask 1"));
  EXPECT_THAT(state(2), ElementsAre()) << "it may lack what was lost";
  EXPECT_EQ(reader_.counters().items_lost, 2U);
}

}  // namespace
}  // namespace tidemark::bus
