// test/journal/scrubber_test.cpp
//
// What the scrubber finds, at which pace.

#include "journal/scrubber.h"

#include <gtest/gtest.h>

#include <atomic>

#include "holed_store.h"
#include "journal_samples.h"

namespace tidemark::journal {
namespace {

void fill(Store& store, std::uint64_t blocks) {
  for (std::uint64_t i = 0; i < blocks; ++i) {
    ASSERT_TRUE(append_one(store, section_of({message("a"), message("b")}, 2 * i + 1)));
  }
}

TEST(ScrubWalk, TellsEachDamageOnceAndBeginsAgain) {
  const auto store =
      std::make_shared<HoledStore>(std::vector<LineRange>{{Line{3}, Line{4}}, {Line{9}, Line{10}}});
  fill(*store, 5);
  ScrubWalk walk(store);
  std::vector<LineRange> told;
  int ends = 0;
  for (int steps = 0; ends < 2 && steps < 100; ++steps) {
    const auto step = walk.step(1);  // a block at a time
    ASSERT_TRUE(step) << step.error().message;
    for (const auto& each : step.value().damage) told.push_back(each.lines);
    ends += step.value().end ? 1 : 0;
  }
  EXPECT_EQ(ends, 2);
  EXPECT_EQ(told, (std::vector<LineRange>{{Line{3}, Line{4}}, {Line{9}, Line{10}}}));
  EXPECT_EQ(walk.figures().lines, 12u);  // six, twice
  EXPECT_EQ(walk.figures().damaged, 4u);
  EXPECT_EQ(walk.figures().passes, 2u);
}

TEST(ScrubWalk, OfNothingIsAtItsEnd) {
  ScrubWalk walk(std::make_shared<HoledStore>(std::vector<LineRange>{}));
  const auto step = walk.step(1);
  ASSERT_TRUE(step);
  EXPECT_TRUE(step.value().end);
}

TEST(Scrubber, FindsDamageByItselfAndStopsInTheMiddleOfAPause) {
  const auto store = std::make_shared<HoledStore>(std::vector<LineRange>{{Line{3}, Line{4}}});
  fill(*store, 100);
  std::atomic<int> found = 0;
  std::atomic<std::uint64_t> passes = 0;
  std::atomic<std::uint64_t> lines = 0;
  {
    const Scrubber scrubber(
        store, {},
        [&](const Damage& damage) {
          EXPECT_EQ(damage.lines, (LineRange{Line{3}, Line{4}}));
          ++found;
        },
        [&](const ScrubFigures& figures) {
          lines = figures.lines;
          passes = figures.passes;
        });
    const auto deadline = steady_now() + std::chrono::seconds(30);
    while (passes == 0 && steady_now() < deadline) std::this_thread::yield();
  }
  EXPECT_EQ(found, 1);
  EXPECT_EQ(lines, 198u);
}

TEST(Scrubber, KeepsItsPace) {
  const auto store = std::make_shared<HoledStore>(std::vector<LineRange>{});
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(append_one(*store, section_of({message(std::string(1u << 20, 'x'))}, 1 + i)));
  }
  const auto began = steady_now();
  std::atomic<std::uint64_t> passes = 0;
  const Scrubber scrubber(
      store, {.bytes_per_second = 20u << 20}, [](const Damage&) {},
      [&](const ScrubFigures& figures) { passes = figures.passes; });
  const auto deadline = began + std::chrono::seconds(60);
  while (passes == 0 && steady_now() < deadline) std::this_thread::yield();
  EXPECT_EQ(passes, 1u);
  EXPECT_GE(steady_now() - began, std::chrono::milliseconds(440));  // nine pauses of 50 ms
}

}  // namespace
}  // namespace tidemark::journal
