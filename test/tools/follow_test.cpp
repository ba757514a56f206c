#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <thread>

#include "fake_site.h"
#include "model/api/journal.h"

namespace tidemark::tools {
namespace {

namespace api = model::api;
using testing::HasSubstr;

/// A journal that answers from a vector of lines, and can die and come back with them.
class Follow : public testing::Test {
 protected:
  void SetUp() override {
    start_journal();
    append(3);
  }

  void start_journal() {
    site_.start("journal");
    site_.serve<api::ReadRequest, api::ReadReply>(
        "journal", "journal.read",
        [this](const auto& request) -> Result<api::ReadReply> { return read(request); });
  }

  void append(std::uint64_t count) {
    const std::lock_guard lock(mutex_);
    last_ += count;
  }

  Result<api::ReadReply> read(const api::ReadRequest& request) {
    const std::lock_guard lock(mutex_);
    ++reads_;
    changed_.notify_all();
    if (fail_) return *fail_;
    api::ReadReply reply;
    reply.last_line = last_;
    reply.end = true;
    if (request.newest_first) {
      reply.next = 0;
      if (last_ > 0) reply.lines.push_back(line(last_));
      return reply;
    }
    auto number = request.from;
    for (; number <= last_ && reply.lines.size() < request.limit; ++number) {
      reply.lines.push_back(line(number));
    }
    reply.next = number;
    reply.end = number > last_;
    return reply;
  }

  static api::LogLine line(std::uint64_t number) {
    api::LogLine line;
    line.line = number;
    line.kind = model::RecordKind::kLogMessage;
    line.level = model::Level::kInfo;
    line.text = "text " + std::to_string(number);
    return line;
  }

  /// Waits until the journal was read `more` times from now on.
  void await_reads(int more) {
    std::unique_lock lock(mutex_);
    const int goal = reads_ + more;
    ASSERT_TRUE(changed_.wait_for(lock, std::chrono::seconds(10), [&] { return reads_ >= goal; }));
  }

  static std::vector<std::uint64_t> numbers(const Ran& ran) {
    std::vector<std::uint64_t> out;
    std::istringstream lines(ran.out);
    for (std::string text; std::getline(lines, text);) {
      out.push_back(Json::parse(text).at("line").get<std::uint64_t>());
    }
    return out;
  }

  FakeSite site_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  std::uint64_t last_ = 0;
  int reads_ = 0;
  std::optional<Error> fail_;
};

TEST_F(Follow, BeginsAtTheLineThatIsAsked) {
  const auto ran = site_.run({"log", "follow", "--from", "2", "--count", "2", "--json"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(numbers(ran), (std::vector<std::uint64_t>{2, 3}));
}

TEST_F(Follow, ShowsOnlyWhatIsNewByDefault) {
  Ran ran;
  std::thread follower([&] { ran = site_.run({"log", "follow", "--count", "1", "--json"}); });
  await_reads(2);  // The newest line, then the first wait for another.
  append(1);
  follower.join();
  EXPECT_EQ(numbers(ran), (std::vector<std::uint64_t>{4}));
}

TEST_F(Follow, EndsAfterItsTime) {
  const auto ran = site_.run({"log", "follow", "--for", "200ms"});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_EQ(ran.out, "");
}

TEST_F(Follow, GoesOnAfterARestartWithoutLosingOrRepeatingALine) {
  Ran ran;
  std::thread follower([&] {
    ran = site_.run({"log", "follow", "--from", "1", "--count", "6", "--json"});
  });
  await_reads(2);
  site_.stop("journal");
  append(3);
  start_journal();
  follower.join();
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(numbers(ran), (std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6}));
}

TEST_F(Follow, WaitsForAJournalThatHasNoMethodsYet) {
  Ran ran;
  std::thread follower([&] {
    ran = site_.run({"log", "follow", "--from", "1", "--count", "4", "--json"});
  });
  await_reads(2);
  site_.start("journal");
  append(1);
  // It asks, and there is none.
  const auto deadline = steady_now() + std::chrono::seconds(10);
  while (site_.link("journal").counters().bytes_received == 0 && steady_now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_GT(site_.link("journal").counters().bytes_received, 0U);
  site_.serve<api::ReadRequest, api::ReadReply>(
      "journal", "journal.read",
      [this](const auto& request) -> Result<api::ReadReply> { return read(request); });
  follower.join();
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(numbers(ran), (std::vector<std::uint64_t>{1, 2, 3, 4}));
}

TEST_F(Follow, EndsWhenTheNodeHasNeverHadTheMethod) {
  site_.start("journal");
  site_.link("journal").set_peer(site_.link("journal").self());
  const auto ran = site_.run({"log", "follow", "--from", "1"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.err, HasSubstr("no method 'journal.read'"));
}

TEST_F(Follow, SaysOnceThatTheJournalIsAwayAndOnceThatItIsBack) {
  Ran ran;
  std::thread follower([&] {
    ran = site_.run({"log", "follow", "--from", "1", "--count", "4", "--json"});
  });
  await_reads(2);
  {
    const std::lock_guard lock(mutex_);
    fail_ = Error{Code::kUnavailable, "stopping"};
  }
  await_reads(3);
  {
    const std::lock_guard lock(mutex_);
    fail_.reset();
    last_ += 1;
  }
  follower.join();
  EXPECT_EQ(ran.err,
            "tidemark: the journal is away (stopping); waiting\n"
            "tidemark: the journal is back\n");
  EXPECT_EQ(numbers(ran), (std::vector<std::uint64_t>{1, 2, 3, 4}));
}

TEST_F(Follow, WarnsWhenTheJournalEndsBeforeWhatWasSeen) {
  const auto ran = site_.run({"log", "follow", "--from", "100", "--for", "100ms"});
  EXPECT_THAT(ran.err, HasSubstr("the journal ends at line 3"));
}

TEST_F(Follow, QueryReadsPageByPageUpToItsLimit) {
  append(5000);
  const auto ran = site_.run({"log", "query", "--oldest-first", "--limit", "2500", "--json"});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_EQ(numbers(ran).size(), 2500u);
  EXPECT_EQ(numbers(ran).back(), 2500u);
}

TEST_F(Follow, ShowExitsWithOneForALineThatIsNotThere) {
  EXPECT_EQ(site_.run({"log", "show", "2"}).exit, 0);
  const auto ran = site_.run({"log", "show", "9"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.err, HasSubstr("the journal has no line 9"));
}

}  // namespace
}  // namespace tidemark::tools
