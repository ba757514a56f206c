#include "epics/update_queue.h"

#include <gtest/gtest.h>

namespace tidemark::epics {
namespace {

using model::ChannelId;
using model::PvUpdate;
using Event = PvUpdate::Event;

class UpdateQueueTest : public testing::Test {
 protected:
  void push(std::uint32_t channel, double value) {
    PvUpdate update;
    update.channel = ChannelId{channel};
    update.value = value;
    queue_.push(tap_, update);
  }
  void push(std::uint32_t channel, Event event) {
    PvUpdate update;
    update.channel = ChannelId{channel};
    update.event = event;
    queue_.push(tap_, update);
  }
  static double number(const PvUpdate& update) { return std::get<double>(update.value); }

  int wakes_ = 0;
  UpdateQueue queue_{3, [this] { ++wakes_; }};
  UpdateQueue::Tap tap_;
};

TEST_F(UpdateQueueTest, KeepsAllUpdatesInOrderWhileThereIsRoom) {
  push(1, 1.0);
  push(1, 2.0);
  push(2, 3.0);

  const auto drained = queue_.drain();

  ASSERT_EQ(drained.size(), 3u);
  EXPECT_EQ(number(drained[0]), 1.0);
  EXPECT_EQ(number(drained[1]), 2.0);
  EXPECT_EQ(number(drained[2]), 3.0);
  EXPECT_EQ(queue_.hidden(), 0u);
}

TEST_F(UpdateQueueTest, WakesOncePerBurst) {
  push(1, 1.0);
  push(1, 2.0);
  EXPECT_EQ(wakes_, 1);

  EXPECT_EQ(queue_.drain().size(), 2u);
  EXPECT_TRUE(queue_.drain().empty());
  push(1, 3.0);
  EXPECT_EQ(wakes_, 2);
}

TEST_F(UpdateQueueTest, HidesOnlyTheNewestWaitingValueWhenFull) {
  push(1, 1.0);
  push(1, 2.0);
  push(2, 3.0);
  push(1, 4.0);
  push(1, 5.0);

  const auto drained = queue_.drain();

  ASSERT_EQ(drained.size(), 3u);
  EXPECT_EQ(number(drained[0]), 1.0);
  EXPECT_EQ(number(drained[1]), 5.0);
  EXPECT_EQ(drained[1].hidden_before, 2u);
  EXPECT_EQ(queue_.hidden(), 2u);
  EXPECT_EQ(queue_.pushed(), 5u);
}

TEST_F(UpdateQueueTest, LetsOneMoreValuePerChannelInWhenFull) {
  push(1, 1.0);
  push(1, 2.0);
  push(1, 3.0);
  push(2, 4.0);
  push(2, 5.0);

  const auto drained = queue_.drain();

  ASSERT_EQ(drained.size(), 4u);
  EXPECT_EQ(number(drained[3]), 5.0);
  EXPECT_EQ(drained[3].hidden_before, 1u);
}

TEST_F(UpdateQueueTest, LetsNoValuePassAConnectionEvent) {
  push(1, 1.0);
  push(1, 2.0);
  push(1, 3.0);
  push(1, Event::kDisconnected);
  push(1, Event::kConnected);
  push(1, 4.0);
  push(1, 5.0);

  const auto drained = queue_.drain();

  ASSERT_EQ(drained.size(), 6u);
  EXPECT_EQ(number(drained[2]), 3.0);
  EXPECT_EQ(drained[3].event, Event::kDisconnected);
  EXPECT_EQ(drained[4].event, Event::kConnected);
  EXPECT_EQ(number(drained[5]), 5.0);
  EXPECT_EQ(drained[5].hidden_before, 1u);
}

TEST_F(UpdateQueueTest, ForgetsWhatWasFullAfterADrain) {
  for (int i = 0; i < 5; ++i) push(1, i);
  EXPECT_EQ(queue_.drain().size(), 3u);

  push(1, 7.0);
  push(1, 8.0);

  const auto drained = queue_.drain();
  ASSERT_EQ(drained.size(), 2u);
  EXPECT_EQ(drained[0].hidden_before, 0u);
}

TEST_F(UpdateQueueTest, DropsAndMutesAClosedChannel) {
  UpdateQueue::Tap other;
  push(1, 1.0);
  PvUpdate update;
  update.channel = ChannelId{2};
  queue_.push(other, update);

  queue_.close({&other}, {ChannelId{2}});
  queue_.push(other, update);

  const auto drained = queue_.drain();
  ASSERT_EQ(drained.size(), 1u);
  EXPECT_EQ(drained[0].channel, ChannelId{1});
}

}  // namespace
}  // namespace tidemark::epics
