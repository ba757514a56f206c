#include "epics/name_search.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace tidemark::epics {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

class NameSearchTest : public testing::Test {
 protected:
  static SearchId id(std::uint32_t n) { return SearchId{n}; }
  void add(std::uint32_t from, std::uint32_t to) {
    for (auto n = from; n <= to; ++n) search_.add(id(n), now_);
  }
  /// Runs until `end` after the start; `alive` decides whether a name answers (after 1 ms).
  template <class Alive>
  void run(Duration end, Alive alive) {
    for (; now_ < SteadyTime{} + end; now_ += 1ms) {
      for (const auto name : std::exchange(answers_, {})) {
        search_.answered(name, now_);
        found_.push_back(name);
      }
      const auto step = search_.step(now_);
      asked_ += step.ask.size();
      silent_ += step.silent.size();
      for (const auto name : step.ask) {
        if (alive(static_cast<std::uint32_t>(name))) answers_.push_back(name);
      }
    }
  }

  NameSearch search_;
  SteadyTime now_{};
  std::vector<SearchId> answers_;
  std::vector<SearchId> found_;
  std::size_t asked_ = 0;
  std::size_t silent_ = 0;
};

TEST_F(NameSearchTest, AsksForAllNamesInBurstsAsFastAsTheyAnswer) {
  add(1, 50'000);
  run(200ms, [](auto) { return true; });

  EXPECT_EQ(found_.size(), 50'000u);
  EXPECT_EQ(asked_, 50'000u);
  EXPECT_EQ(search_.size(), 0u);
  EXPECT_EQ(search_.next_step(), std::nullopt);
}

TEST_F(NameSearchTest, IsNotHeldUpByOneDeadNameInTen) {
  add(1, 50'000);
  run(250ms, [](auto n) { return n % 10 != 0; });

  EXPECT_EQ(found_.size(), 45'000u);
}

TEST_F(NameSearchTest, WaitsBetweenBurstsThatNobodyAnswers) {
  add(1, 50'000);
  run(79ms, [](auto) { return false; });

  EXPECT_LE(asked_, 4u * SearchLimits{}.burst_names_max);
}

TEST_F(NameSearchTest, AsksAYoungNameFiveTimesAndThenRarely) {
  add(1, 1);
  run(1300ms, [](auto) { return false; });
  EXPECT_EQ(silent_, 1u);
  EXPECT_GE(asked_, 5u);

  asked_ = 0;
  now_ = SteadyTime{} + 1300ms;
  run(121s, [](auto) { return false; });
  EXPECT_EQ(silent_, 1u);
  EXPECT_LE(asked_, 80u);
  EXPECT_GE(asked_, 20u);
}

TEST_F(NameSearchTest, AsksForAllNamesOfAnIocWhenOneAnswers) {
  for (std::uint32_t n = 1; n <= 10'000; ++n) search_.add_lost(id(n), "ioc:5064", now_);
  run(20s, [](auto) { return false; });
  EXPECT_LT(asked_, 3'000u);

  const auto back = now_;
  run(now_ - SteadyTime{} + 2s, [](auto) { return true; });

  EXPECT_EQ(found_.size(), 10'000u);
  EXPECT_GT(now_, back);
}

TEST_F(NameSearchTest, FindsAnIocThatIsBackAtOnceAtOnce) {
  for (std::uint32_t n = 1; n <= 10'000; ++n) search_.add_lost(id(n), "ioc:5064", now_);
  run(600ms, [](auto) { return true; });

  EXPECT_EQ(found_.size(), 10'000u);
}

TEST_F(NameSearchTest, AsksForNoNameThatWasRemoved) {
  add(1, 2);
  search_.add_lost(id(3), "ioc", now_);
  search_.remove(id(1));
  search_.remove(id(3));
  search_.remove(id(3));

  EXPECT_THAT(search_.step(now_).ask, ElementsAre(id(2)));
  EXPECT_FALSE(search_.answered(id(1), now_));
}

TEST_F(NameSearchTest, TakesAllNamesOfAGroupInTurn) {
  for (std::uint32_t n = 1; n <= 100; ++n) search_.add_lost(id(n), "ioc", now_);
  std::vector<bool> seen(101);
  run(1400ms, [&](auto n) {
    seen[n] = true;
    return false;
  });

  EXPECT_EQ(std::count(seen.begin(), seen.end(), true), 100);
}

}  // namespace
}  // namespace tidemark::epics
