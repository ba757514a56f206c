#include "nodes/log_limit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidemark::nodes {
namespace {

using model::Level;
using std::chrono::milliseconds;
using testing::IsEmpty;
using testing::SizeIs;

class LogLimitTest : public testing::Test {
 protected:
  bool admit(const std::string& text, Level level = Level::kInfo) {
    return limit_.admit(level, text, now_);
  }
  std::uint32_t admitted(const std::string& text, int times) {
    std::uint32_t count = 0;
    for (int i = 0; i < times; ++i) count += admit(text + std::to_string(i)) ? 1 : 0;
    return count;
  }

  SteadyTime now_{std::chrono::hours(1)};
  LogLimit limit_;
};

TEST_F(LogLimitTest, LetsAFewOfAKindThroughAndCountsTheRest) {
  EXPECT_EQ(admitted("restarted as pid ", 4711), LogLimit::kAlikeMax);
  EXPECT_THAT(limit_.more(now_), IsEmpty()) << "the second is not over";
  now_ += milliseconds(1000);
  const auto more = limit_.more(now_);
  ASSERT_THAT(more, SizeIs(1));
  EXPECT_EQ(more[0].count, 4711u - LogLimit::kAlikeMax);
  EXPECT_EQ(more[0].text, "restarted as pid 10");
  EXPECT_THAT(limit_.more(now_), IsEmpty());
  EXPECT_TRUE(admit("restarted as pid 1"));
}

TEST_F(LogLimitTest, TellsMessagesApartByTheirWordsAndTheirLevel) {
  admitted("a ", 100);
  EXPECT_TRUE(admit("b 1"));
  EXPECT_TRUE(admit("a 1", Level::kError));
  EXPECT_FALSE(admit("a 1"));
}

TEST_F(LogLimitTest, CountsWhatIsHeldBackUntilItIsSaid) {
  admitted("a ", 12);
  now_ += milliseconds(5000);
  EXPECT_FALSE(admit("a 1")) << "first it says what it has held back";
  ASSERT_TRUE(limit_.has_more());
  EXPECT_EQ(limit_.more(now_).at(0).count, 3u);
  EXPECT_TRUE(admit("a 1"));
}

TEST_F(LogLimitTest, SaysAllAtTheEnd) {
  admitted("a ", 12);
  ASSERT_THAT(limit_.more(now_, true), SizeIs(1));
  EXPECT_FALSE(limit_.has_more());
}

TEST_F(LogLimitTest, LetsNoFloodThroughWhateverItSays) {
  std::uint32_t count = 0;
  for (int i = 0; i < 5000; ++i) {
    const auto length = static_cast<std::size_t>(i % 70);
    const auto last = static_cast<char>('a' + i % 26);
    count += admit(std::string(length, 'x') + last) ? 1 : 0;
  }
  EXPECT_LE(count, LogLimit::kAllMax);
  now_ += milliseconds(1000);
  std::uint64_t more = 0;
  for (const auto& each : limit_.more(now_)) more += each.count;
  EXPECT_EQ(count + more, 5000u);
}

}  // namespace
}  // namespace tidemark::nodes
