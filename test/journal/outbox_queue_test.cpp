#include "journal/outbox_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidemark::journal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class OutboxQueueTest : public testing::Test {
 protected:
  std::uint64_t push_records(std::uint32_t count, std::size_t bytes = 1) {
    return queue_.push(SectionFormat::kRecords, Worth::kRecords, count, {}, Bytes(bytes, 'r'));
  }
  std::uint64_t push_updates(std::uint32_t count, std::size_t bytes = 1) {
    return queue_.push(SectionFormat::kUpdates, Worth::kUpdates, count, {}, Bytes(bytes, 'u'));
  }
  /// Sequences of the first records of the next request's sections.
  std::vector<std::uint64_t> next() {
    std::vector<std::uint64_t> begins;
    for (const auto& section : queue_.next()) begins.push_back(section.sequence);
    return begins;
  }

  OutboxQueue queue_{{10'000, 1000, 2}};
};

TEST_F(OutboxQueueTest, NumbersRecordsFromOneOnWithoutHoles) {
  EXPECT_EQ(push_records(3), 3u);
  EXPECT_EQ(push_updates(1), 4u);
  EXPECT_EQ(push_records(2), 6u);
  EXPECT_THAT(next(), ElementsAre(1, 4, 5));
}

TEST_F(OutboxQueueTest, HasNothingToSendWhenAllIsOnTheWay) {
  push_records(1);
  next();
  EXPECT_THAT(next(), IsEmpty());
  EXPECT_FALSE(queue_.idle());
}

TEST_F(OutboxQueueTest, CutsRequestsAtTheirLimitOfBytes) {
  for (int i = 0; i < 3; ++i) push_records(1, 400);
  EXPECT_THAT(next(), ElementsAre(1));
  EXPECT_THAT(next(), ElementsAre(2));
}

TEST_F(OutboxQueueTest, CutsRequestsAtTheirLimitOfSections) {
  OutboxQueue queue{{.bytes_max = 10'000'000}};
  for (int i = 0; i < 1500; ++i) {
    queue.push(SectionFormat::kRecords, Worth::kRecords, 1, {}, "r");
  }
  EXPECT_THAT(queue.next(), SizeIs(1000));
  EXPECT_EQ(queue.after(), 1000u);
  EXPECT_THAT(queue.next(), SizeIs(500));
}

TEST_F(OutboxQueueTest, SendsASectionOverTheLimitAlone) {
  push_records(1, 5000);
  push_records(1, 1);
  EXPECT_THAT(next(), ElementsAre(1));
  EXPECT_THAT(next(), ElementsAre(2));
}

TEST_F(OutboxQueueTest, HasAWindowOfRequests) {
  for (int i = 0; i < 3; ++i) push_records(1, 900);
  EXPECT_THAT(next(), ElementsAre(1));
  EXPECT_THAT(next(), ElementsAre(2));
  EXPECT_THAT(next(), IsEmpty());

  queue_.acknowledged(1);
  EXPECT_THAT(next(), ElementsAre(3));
}

TEST_F(OutboxQueueTest, ForgetsAllThatOneAnswerAcknowledges) {
  push_records(2);
  push_updates(3);
  push_records(1);
  next();
  queue_.acknowledged(5);
  EXPECT_EQ(queue_.acknowledged_through(), 5u);
  queue_.acknowledged(6);
  EXPECT_TRUE(queue_.idle());
  EXPECT_EQ(queue_.bytes(), 0u);
}

TEST_F(OutboxQueueTest, KeepsASectionThatIsAcknowledgedInPart) {
  push_records(3);
  next();
  queue_.acknowledged(2);
  EXPECT_FALSE(queue_.idle());
}

TEST_F(OutboxQueueTest, NeverAcknowledgesLessThanBefore) {
  push_records(5);
  next();
  queue_.acknowledged(5);
  queue_.acknowledged(2);
  EXPECT_EQ(queue_.acknowledged_through(), 5u);
}

TEST_F(OutboxQueueTest, SendsTheSameCutsAgainAfterARewind) {
  push_records(2);
  push_updates(3);
  const auto first = queue_.next();
  push_records(1);
  queue_.rewind();
  const auto second = queue_.next();

  ASSERT_THAT(second, SizeIs(3));
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(second[i].sequence, first[i].sequence);
    EXPECT_EQ(second[i].count, first[i].count);
    EXPECT_EQ(second[i].payload, first[i].payload);
  }
  EXPECT_EQ(second[2].sequence, 6u);
}

TEST_F(OutboxQueueTest, DropsTheOldestUpdatesWhenFull) {
  for (int i = 0; i < 3; ++i) push_updates(1, 4000);
  EXPECT_EQ(queue_.dropped(), 1u);
  EXPECT_LE(queue_.bytes(), 10'000u);
  EXPECT_THAT(next(), ElementsAre(2));
}

TEST_F(OutboxQueueTest, LeavesAHoleForRecordsThatNobodyCouldTake) {
  push_records(2);
  queue_.skip(3);
  EXPECT_EQ(queue_.dropped(), 3u);
  EXPECT_EQ(push_records(1), 6u);
  EXPECT_THAT(next(), ElementsAre(1, 6));
}

TEST_F(OutboxQueueTest, DropsRecordsThatAreUpdatesOfKeys) {
  queue_.push(SectionFormat::kRecords, Worth::kUpdates, 1, {}, Bytes(6000, 'k'));
  push_records(1, 6000);
  EXPECT_EQ(queue_.dropped(), 1u);
  EXPECT_THAT(next(), ElementsAre(2));
}

TEST_F(OutboxQueueTest, NeverDropsOtherRecords) {
  push_records(1, 4000);
  push_updates(2, 4000);
  push_records(1, 4000);
  EXPECT_EQ(queue_.dropped(), 2u);
  push_records(1, 4000);
  EXPECT_EQ(queue_.dropped(), 2u);
  EXPECT_GT(queue_.bytes(), 10'000u);
  EXPECT_THAT(next(), ElementsAre(1));
  EXPECT_THAT(next(), ElementsAre(4));
}

TEST_F(OutboxQueueTest, GoesOnWithTheNextSectionWhenOneThatWasSentIsDropped) {
  push_updates(1, 4000);
  next();
  push_updates(1, 4000);
  push_updates(1, 4000);  // the first one goes
  EXPECT_THAT(next(), ElementsAre(2));
}

TEST_F(OutboxQueueTest, HasNotDroppedWhatWasOnTheWayAndArrived) {
  push_updates(5, 4000);
  next();
  push_updates(1, 4000);
  push_updates(1, 4000);  // no room for the first one any more
  EXPECT_LE(queue_.bytes(), 10'000u);
  EXPECT_EQ(queue_.after(), 5u) << "the next request follows it";
  queue_.acknowledged(5);
  EXPECT_EQ(queue_.dropped(), 0u);
  EXPECT_THAT(next(), ElementsAre(6));
  EXPECT_THAT(next(), ElementsAre(7));
  queue_.acknowledged(6);
  queue_.acknowledged(7);
  EXPECT_TRUE(queue_.idle());
  EXPECT_EQ(queue_.bytes(), 0u);
}

TEST_F(OutboxQueueTest, HasDroppedWhatWasOnTheWayAndDidNotArrive) {
  push_updates(5, 4000);
  next();
  push_updates(1, 4000);
  push_updates(1, 4000);
  queue_.rewind();
  EXPECT_EQ(queue_.dropped(), 5u);
  EXPECT_EQ(queue_.after(), 0u);
  EXPECT_THAT(next(), ElementsAre(6));
  EXPECT_THAT(next(), ElementsAre(7));
  queue_.acknowledged(7);
  EXPECT_EQ(queue_.bytes(), 0u);
}

TEST_F(OutboxQueueTest, SaysWhatComesBeforeTheNextRequest) {
  EXPECT_EQ(queue_.after(), 0u);
  push_records(2);
  next();
  EXPECT_EQ(queue_.after(), 2u);
  queue_.acknowledged(2);
  EXPECT_EQ(queue_.after(), 2u);
}

TEST_F(OutboxQueueTest, SaysNothingOfWhatItDropped) {
  for (int i = 0; i < 3; ++i) push_updates(10, 4000);  // the first ten go
  EXPECT_EQ(queue_.after(), 0u);
}

}  // namespace
}  // namespace tidemark::journal
