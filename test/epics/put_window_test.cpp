#include "epics/put_window.h"

#include <gmock/gmock.h>

#include <random>

namespace tidemark::epics {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr PutLane kA{1};
constexpr PutLane kB{2};
constexpr PutLane kC{3};
constexpr PutId id(std::uint64_t n) { return PutId{n}; }

class PutWindowTest : public testing::Test {
 protected:
  PutWindow window_{2};
  SteadyTime now_{};
};

TEST_F(PutWindowTest, SendsAsManyPerIocAsItMay) {
  window_.add("one", kA, id(1), 1s);
  window_.add("one", kB, id(2), 1s);
  window_.add("one", kC, id(3), 1s);
  window_.add("two", PutLane{4}, id(4), 1s);

  EXPECT_THAT(window_.next(now_), testing::UnorderedElementsAre(id(1), id(2), id(4)));
  EXPECT_THAT(window_.next(now_), IsEmpty());
  EXPECT_TRUE(window_.complete(id(2)));
  EXPECT_THAT(window_.next(now_), ElementsAre(id(3)));
  EXPECT_EQ(window_.in_flight(), 3u);
}

TEST_F(PutWindowTest, HasOnePutInFlightPerChannelAndKeepsTheirOrder) {
  window_.add("one", kA, id(1), 1s);
  window_.add("one", kA, id(2), 1s);
  window_.add("one", kA, id(3), 1s);

  EXPECT_THAT(window_.next(now_), ElementsAre(id(1)));
  window_.complete(id(1));
  EXPECT_THAT(window_.next(now_), ElementsAre(id(2)));
  window_.complete(id(2));
  EXPECT_THAT(window_.next(now_), ElementsAre(id(3)));
}

TEST_F(PutWindowTest, StartsADeadlineWhenItSends) {
  window_.add("one", kA, id(1), 1s);
  window_.add("one", kA, id(2), 1s);
  EXPECT_EQ(window_.deadline(), std::nullopt);

  window_.next(now_ + 5s);
  EXPECT_EQ(window_.deadline(), now_ + 6s);
  EXPECT_THAT(window_.expire(now_ + 6s - 1ns), IsEmpty());
  EXPECT_THAT(window_.expire(now_ + 6s), ElementsAre(id(1)));

  EXPECT_FALSE(window_.complete(id(1)));
  EXPECT_THAT(window_.next(now_ + 7s), ElementsAre(id(2)));
}

TEST_F(PutWindowTest, TellsWaitingFromSentWhenAChannelIsLost) {
  window_.add("one", kA, id(1), 1s);
  window_.add("one", kA, id(2), 1s);
  window_.next(now_);

  const auto lost = window_.lose(kA);

  EXPECT_THAT(lost.in_flight, ElementsAre(id(1)));
  EXPECT_THAT(lost.waiting, ElementsAre(id(2)));
  EXPECT_FALSE(window_.complete(id(1)));
  EXPECT_EQ(window_.in_flight(), 0u);
}

TEST_F(PutWindowTest, TakesPutsOfAChannelThatCameBackAtAnotherIoc) {
  window_.add("one", kA, id(1), 1s);
  EXPECT_THAT(window_.lose(kA).waiting, ElementsAre(id(1)));

  window_.add("two", kA, id(2), 1s);

  EXPECT_THAT(window_.next(now_), ElementsAre(id(2)));
  EXPECT_TRUE(window_.complete(id(2)));
  EXPECT_THAT(window_.next(now_), IsEmpty());
}

TEST_F(PutWindowTest, LetsEachPutLeaveOnce) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  const auto pick = [&](std::uint64_t n) { return random() % n; };
  std::map<PutId, int> left;
  std::map<PutId, PutLane> in_flight;
  std::uint64_t added = 0;
  const auto leave = [&](PutId put) {
    ++left[put];
    in_flight.erase(put);
  };

  for (int step = 0; step < 20'000; ++step) {
    now_ += 1ms;
    switch (pick(6)) {
      case 0:
      case 1: {
        const auto lane = pick(6);
        window_.add(lane % 2 ? "one" : "two", PutLane{lane}, id(++added), 20ms);
        break;
      }
      case 2:
        if (!in_flight.empty()) {
          const auto put = std::next(in_flight.begin(), static_cast<long>(pick(in_flight.size())));
          const auto done = put->first;
          ASSERT_TRUE(window_.complete(done));
          leave(done);
        }
        break;
      case 3: {
        const auto lost = window_.lose(PutLane{pick(6)});
        for (const auto put : lost.in_flight) leave(put);
        for (const auto put : lost.waiting) leave(put);
        break;
      }
      case 4:
        for (const auto put : window_.expire(now_)) leave(put);
        break;
      default:
        for (const auto put : window_.next(now_)) in_flight.emplace(put, PutLane{});
        ASSERT_LE(in_flight.size(), 4u);
    }
    ASSERT_EQ(window_.in_flight(), in_flight.size());
  }
  for (std::uint64_t lane = 0; lane < 6; ++lane) {
    const auto lost = window_.lose(PutLane{lane});
    for (const auto put : lost.in_flight) leave(put);
    for (const auto put : lost.waiting) leave(put);
  }
  EXPECT_EQ(left.size(), added);
  for (const auto& [put, times] : left) EXPECT_EQ(times, 1);
}

}  // namespace
}  // namespace tidemark::epics
