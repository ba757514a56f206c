// test/bus/out_streams_test.cpp

#include "bus/out_streams.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "answer_text.h"

namespace tidemark::bus {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Incarnation kIncarnation = 7;
constexpr NodeNumber kNode{1};

class OutStreamsTest : public testing::Test {
 protected:
  using Words = std::vector<std::string>;

  std::uint64_t publish(BytesView payload, std::uint32_t count = 1,
                        StreamNumber stream = kLiveStream) {
    return out_.publish(FrameClass::kState, stream, count, payload);
  }
  /// Frames as a reader of the test would say them.
  static Words said(const std::vector<SharedBytes>& frames) {
    Words words;
    for (const auto& frame : frames) {
      const auto view = decode_frame(*frame);
      EXPECT_TRUE(view);
      const auto& header = view.value().header;
      words.push_back(header.frame_class == FrameClass::kHeartbeat
                          ? "heartbeat " + std::to_string(header.sequence)
                          : std::to_string(header.sequence) + " " +
                                std::string(view.value().payload.substr(0, 10)));
    }
    return words;
  }
  Words take() { return said(out_.take()); }
  Words again(std::uint64_t from, std::uint64_t to, Incarnation incarnation = kIncarnation) {
    const auto frames = out_.again(kLiveStream, incarnation, from, to);
    if (frames) return said(frames.value());
    return {std::string(to_string(frames.error().code)) + ": " + frames.error().message};
  }

  SteadyTime now_ = SteadyTime{} + 1h;
  int woken_ = 0;
  OutStreams out_{kNode, kIncarnation, Clock{[this] { return now_; }, [] { return UtcTime{}; }},
                  [this] { ++woken_; }};
};

TEST_F(OutStreamsTest, ItemsAreNumberedPerStream) {
  EXPECT_EQ(publish("a", 3), 1U);
  EXPECT_EQ(publish("b", 1), 4U);
  EXPECT_EQ(publish("c", 1, kJobStream), 1U);
  EXPECT_THAT(take(), ElementsAre("1 a", "4 b", "1 c"));
  EXPECT_THAT(take(), IsEmpty());
}

TEST_F(OutStreamsTest, LoopIsWokenOncePerBurst) {
  publish("a");
  publish("b");
  EXPECT_EQ(woken_, 1);
  take();
  publish("c");
  EXPECT_EQ(woken_, 2);
}

TEST_F(OutStreamsTest, SilentStreamGetsAHeartbeatWithItsLastItem) {
  publish("a", 5);
  take();
  now_ += kHeartbeatInterval - 1ms;
  EXPECT_THAT(take(), IsEmpty());
  now_ += 1ms;
  EXPECT_THAT(take(), ElementsAre("heartbeat 5"));
  EXPECT_EQ(out_.next_heartbeat(), now_ + kHeartbeatInterval);
}

TEST_F(OutStreamsTest, JoinerNeedNotWaitForTheHeartbeat) {
  out_.declare(kLiveStream);
  EXPECT_THAT(take(), ElementsAre("heartbeat 0"));
  EXPECT_THAT(take(), IsEmpty());
  out_.hurry({kNode, kLiveStream});
  EXPECT_THAT(take(), ElementsAre("heartbeat 0"));
}

TEST_F(OutStreamsTest, ARetiredStreamIsSilentAndForgotten) {
  publish("a");
  take();
  out_.retire(kLiveStream);
  now_ += kHeartbeatInterval;
  EXPECT_THAT(take(), IsEmpty());
  EXPECT_THAT(again(1, 1), ElementsAre(HasSubstr("no such items")));
  publish("b");
  EXPECT_THAT(again(1, 1), ElementsAre("1 b"));
}

TEST_F(OutStreamsTest, LostItemsComeAgainInTheirVeryFrames) {
  publish("abc", 3);
  publish("de", 2);
  publish("f");
  EXPECT_THAT(again(4, 5), ElementsAre("4 de"));
  EXPECT_THAT(again(4, 6), ElementsAre("4 de", "6 f"));
  // A frame that is in it by half comes whole.
  EXPECT_THAT(again(2, 4), ElementsAre("1 abc", "4 de"));
}

TEST_F(OutStreamsTest, ItemsThatWereNeverPublishedAreNotToBeHad) {
  publish("a");
  EXPECT_THAT(again(1, 2), ElementsAre("not found: item 2 of stream 1 is not kept any more"));
  EXPECT_THAT(again(2, 1), ElementsAre(HasSubstr("no such items")));
  EXPECT_FALSE(out_.again(kJobStream, kIncarnation, 1, 1));
}

TEST_F(OutStreamsTest, ItemsOfAnotherIncarnationAreNotToBeHad) {
  publish("a");
  EXPECT_THAT(again(1, 1, kIncarnation - 1), ElementsAre(HasSubstr("no such items")));
}

TEST_F(OutStreamsTest, FrameThatWasDroppedHereIsAHoleInTheRingToo) {
  publish("a");
  publish(Bytes(kFrameBytesMax + 1, 'x'));
  publish("c");
  EXPECT_EQ(out_.dropped(), 1U);
  EXPECT_THAT(again(1, 3), ElementsAre("not found: item 2 of stream 1 is not kept any more"));
  EXPECT_THAT(again(3, 3), ElementsAre("3 c"));
}

TEST_F(OutStreamsTest, WhatTheLoopCannotTakeIsDroppedAndItsNumbersStayUsed) {
  const Bytes large(kFrameBytesMax - kFrameHeaderBytes, 'x');
  for (int i = 0; i < 4; ++i) publish(large);
  EXPECT_EQ(publish("e"), 5U);
  EXPECT_EQ(out_.dropped(), 1U);
  take();
  EXPECT_EQ(publish("f"), 6U);
  EXPECT_THAT(take(), ElementsAre("6 f"));
}

TEST_F(OutStreamsTest, RingForgetsByAge) {
  publish("a");
  now_ += OutStreams::kRingAgeMax;
  publish("b");
  EXPECT_THAT(again(1, 2), ElementsAre("1 a", "2 b"));
  now_ += 1ms;
  EXPECT_THAT(again(1, 2), ElementsAre(HasSubstr("item 1 of stream 1 is not kept")));
  EXPECT_THAT(again(2, 2), ElementsAre("2 b"));
}

TEST_F(OutStreamsTest, RingForgetsByBytes) {
  const Bytes half(OutStreams::kRingBytesMax / 2, 'x');
  publish("a");
  publish(half);
  publish(half);
  EXPECT_THAT(again(1, 1), ElementsAre(HasSubstr("item 1 of stream 1 is not kept")));
  EXPECT_THAT(again(2, 2), ElementsAre(HasSubstr("item 2 of stream 1 is not kept")));
  EXPECT_THAT(again(3, 3), testing::SizeIs(1));
}

TEST_F(OutStreamsTest, RingForgetsByFrames) {
  for (std::size_t i = 0; i <= OutStreams::kRingFramesMax; ++i) publish("x");
  EXPECT_THAT(again(1, 1), ElementsAre(HasSubstr("item 1 of stream 1 is not kept")));
  EXPECT_THAT(again(2, 2), ElementsAre("2 x"));
}

TEST_F(OutStreamsTest, WhatIsSentAgainHasABudgetThatGrowsWithTime) {
  publish(Bytes(OutStreams::kAgainBytesPerSecond / 2, 'x'));  // and a header
  EXPECT_THAT(again(1, 1), testing::SizeIs(1));
  EXPECT_THAT(again(1, 1), ElementsAre("unavailable: too much was sent again lately"));
  now_ += 100ms;
  EXPECT_THAT(again(1, 1), testing::SizeIs(1));
  now_ += 100ms;
  EXPECT_THAT(again(1, 1), ElementsAre(HasSubstr("too much")));
  now_ += 5s;  // No more is saved up than for a second.
  EXPECT_THAT(again(1, 1), testing::SizeIs(1));
  EXPECT_THAT(again(1, 1), ElementsAre(HasSubstr("too much")));
}

}  // namespace
}  // namespace tidemark::bus
