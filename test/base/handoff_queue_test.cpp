#include "base/handoff_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

namespace tidemark {
namespace {

TEST(HandoffQueue, WakesOncePerBurst) {
  int wakes = 0;
  HandoffQueue<int> queue(10, [&] { ++wakes; });
  queue.push(1);
  queue.push(2);
  EXPECT_EQ(wakes, 1);
  queue.drain();
  queue.push(3);
  EXPECT_EQ(wakes, 2);
}

TEST(HandoffQueue, GivesWhatArrivedInItsOrder) {
  HandoffQueue<int> queue(10, [] {});
  for (int i = 0; i < 3; ++i) queue.push(int{i});
  EXPECT_EQ(queue.drain(), (std::vector<int>{0, 1, 2}));
  EXPECT_TRUE(queue.drain().empty());
}

TEST(HandoffQueue, RefusesWhatDoesNotFitAndLeavesItUntouched) {
  HandoffQueue<std::unique_ptr<int>> queue(2, [] {});
  EXPECT_TRUE(queue.push(std::make_unique<int>(1)));
  EXPECT_TRUE(queue.push(std::make_unique<int>(2)));
  auto third = std::make_unique<int>(3);
  EXPECT_FALSE(queue.push(std::move(third)));
  ASSERT_NE(third, nullptr);
  queue.drain();
  EXPECT_TRUE(queue.push(std::move(third)));
}

TEST(HandoffQueue, TakesOneItemHeavierThanAllWhenEmpty) {
  HandoffQueue<int> queue(10, [] {});
  EXPECT_TRUE(queue.push(1, 100));
  EXPECT_FALSE(queue.push(2, 1));
}

TEST(HandoffQueue, LosesNothingBetweenThreads) {
  constexpr int kThreads = 4;
  constexpr int kEach = 10'000;
  std::atomic<int> wakes = 0;
  HandoffQueue<int> queue(std::size_t{kThreads} * kEach, [&] { ++wakes; });
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) queue.push(int{i});
    });
  }
  std::size_t taken = 0;
  while (taken < std::size_t{kThreads} * kEach) taken += queue.drain().size();
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(taken, std::size_t{kThreads} * kEach);
  EXPECT_GE(wakes, 1);
}

}  // namespace
}  // namespace tidemark
