#include "model/restart_policy.h"

#include <gtest/gtest.h>

namespace tidemark::model {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class RestartHistoryTest : public testing::Test {
 protected:
  /// Dies after `life`, now.
  std::optional<Duration> died_after(Duration life) { return history_.died(now_ - life, now_); }
  void pass(Duration duration) { now_ += duration; }

  SteadyTime now_{std::chrono::hours(1)};
  RestartHistory history_{
      RestartPolicy{milliseconds(100), milliseconds(500), 6, seconds(60), seconds(1)}};
};

TEST_F(RestartHistoryTest, StartsANodeThatHadLivedAtOnce) {
  EXPECT_EQ(died_after(seconds(1)), Duration{0});
  EXPECT_EQ(died_after(std::chrono::hours(1)), Duration{0});
}

TEST_F(RestartHistoryTest, DoublesThePauseWithEachEarlyDeathUpToItsLimit) {
  EXPECT_EQ(died_after(milliseconds(999)), milliseconds(100));
  EXPECT_EQ(died_after(Duration{0}), milliseconds(200));
  EXPECT_EQ(died_after(Duration{0}), milliseconds(400));
  EXPECT_EQ(died_after(Duration{0}), milliseconds(500));
  EXPECT_EQ(died_after(Duration{0}), milliseconds(500));
}

TEST_F(RestartHistoryTest, ForgetsEarlyDeathsAfterALifeThatWasLongEnough) {
  died_after(Duration{0});
  died_after(Duration{0});
  EXPECT_EQ(died_after(seconds(5)), Duration{0});
  EXPECT_EQ(died_after(Duration{0}), milliseconds(100));
}

TEST_F(RestartHistoryTest, GivesUpAfterTooManyDeathsInTheWindow) {
  for (int i = 0; i < 6; ++i) {
    EXPECT_TRUE(died_after(seconds(5)));
    pass(seconds(5));
  }
  EXPECT_EQ(died_after(seconds(5)), std::nullopt);
}

TEST_F(RestartHistoryTest, CountsOnlyTheDeathsInTheWindow) {
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(died_after(seconds(10)));
    pass(milliseconds(10'100));
  }
}

}  // namespace
}  // namespace tidemark::model
