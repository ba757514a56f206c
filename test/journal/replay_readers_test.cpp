#include "journal/replay_readers.h"

#include <gtest/gtest.h>

namespace tidemark::journal {
namespace {

using namespace std::chrono_literals;

const SteadyTime kNow{std::chrono::hours(1)};
const auto kFast = Uuid::derive("fast");
const auto kSlow = Uuid::derive("slow");

constexpr ReplayWindow kWindow{.bytes_max = 100, .frames_max = 10, .readers_max = 2};

TEST(ReplayReaders, WithoutReadersThereIsRoomForEver) {
  ReplayReaders readers(kWindow);
  for (std::uint64_t i = 1; i <= 100; ++i) readers.published(ReplayReaders::kItems, i, 1000);
  EXPECT_TRUE(readers.room());
}

TEST(ReplayReaders, TheSlowestSaysHowMuchMayGoOut) {
  ReplayReaders readers(kWindow);
  ASSERT_TRUE(readers.acknowledge(kFast, {0, 0}, kNow));
  ASSERT_TRUE(readers.acknowledge(kSlow, {0, 0}, kNow));
  readers.published(ReplayReaders::kItems, 1, 60);
  EXPECT_TRUE(readers.room());
  readers.published(ReplayReaders::kItems, 2, 60);
  EXPECT_FALSE(readers.room());
  ASSERT_TRUE(readers.acknowledge(kFast, {2, 0}, kNow));
  EXPECT_FALSE(readers.room());
  ASSERT_TRUE(readers.acknowledge(kSlow, {1, 0}, kNow));
  EXPECT_TRUE(readers.room());
}

TEST(ReplayReaders, BothStreamsAndManySmallFramesCount) {
  ReplayReaders readers(kWindow);
  ASSERT_TRUE(readers.acknowledge(kSlow, {0, 0}, kNow));
  for (std::uint64_t i = 1; i <= 5; ++i) {
    readers.published(ReplayReaders::kItems, i, 1);
    EXPECT_TRUE(readers.room());
    readers.published(ReplayReaders::kNews, i, 1);
  }
  EXPECT_FALSE(readers.room());
  ASSERT_TRUE(readers.acknowledge(kSlow, {0, 5}, kNow));
  EXPECT_TRUE(readers.room());
}

TEST(ReplayReaders, WhoLeavesOrIsSilentHoldsNothingUp) {
  ReplayReaders readers(kWindow);
  ASSERT_TRUE(readers.acknowledge(kFast, {0, 0}, kNow));
  ASSERT_TRUE(readers.acknowledge(kSlow, {0, 0}, kNow));
  readers.published(ReplayReaders::kItems, 1, 200);
  ASSERT_TRUE(readers.acknowledge(kFast, {1, 0}, kNow + 6s));
  readers.forget_silent(kNow + 10s);
  EXPECT_FALSE(readers.room());
  readers.forget_silent(kNow + 10s + 1ms);
  EXPECT_TRUE(readers.room());
  EXPECT_EQ(readers.count(), 1U);
  readers.leave(kFast);
  EXPECT_EQ(readers.count(), 0U);
}

TEST(ReplayReaders, AnAcknowledgementThatWasOvertakenTakesNothingBack) {
  ReplayReaders readers(kWindow);
  ASSERT_TRUE(readers.acknowledge(kFast, {0, 0}, kNow));
  readers.published(ReplayReaders::kItems, 5, 200);
  ASSERT_TRUE(readers.acknowledge(kFast, {5, 0}, kNow));
  ASSERT_TRUE(readers.acknowledge(kFast, {3, 0}, kNow));
  EXPECT_TRUE(readers.room());
}

TEST(ReplayReaders, ThereAreOnlySoMany) {
  ReplayReaders readers(kWindow);
  ASSERT_TRUE(readers.acknowledge(kFast, {0, 0}, kNow));
  ASSERT_TRUE(readers.acknowledge(kSlow, {0, 0}, kNow));
  const auto third = readers.acknowledge(Uuid::derive("third"), {0, 0}, kNow);
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, Code::kUnavailable);
  EXPECT_TRUE(readers.acknowledge(kFast, {0, 0}, kNow));
}

}  // namespace
}  // namespace tidemark::journal
