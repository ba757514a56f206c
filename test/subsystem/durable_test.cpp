// test/subsystem/durable_test.cpp
//
// Durable subscriptions: what the journal recorded of keys, each update once and in order.

#include <gmock/gmock.h>

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "subsystem_fixture.h"

namespace tidemark {
namespace {

using namespace std::chrono_literals;
using test::eventually;
using test::Heard;
using testing::ElementsAre;
using testing::HasSubstr;

/// What was said to be wrong.
struct Problems {
  std::mutex mutex;
  std::vector<Error> said;

  std::function<void(const Error&)> hear() {
    return [this](const Error& error) {
      const std::lock_guard lock(mutex);
      said.push_back(error);
    };
  }
  std::vector<Error> all() {
    const std::lock_guard lock(mutex);
    return said;
  }
};

class DurableSubscription : public test::SubsystemTest {
 protected:
  void SetUp() override {
    current_ = psu_.publish<double>("current", {.journaled = true});
    voltage_ = psu_.publish<double>("voltage");
    join(psu_);
    join_client(client_);
    ASSERT_TRUE(sees(client_, "psu.1"));
  }
  /// Sets `current` to each, and waits until the journal has it.
  void record(int from, int to) {
    const auto before = site_.recorded<model::KvUpdate>().size();
    for (int i = from; i <= to; ++i) *current_ = i;
    ASSERT_TRUE(eventually([&] {
      return site_.recorded<model::KvUpdate>().size() ==
             before + static_cast<std::size_t>(to - from + 1);
    }));
  }
  Subscription follow(Heard& heard, Durable durable, const std::string& pattern = "psu.1/current") {
    if (!durable.on_problem) durable.on_problem = problems_.hear();
    return client_.subscribe(
        pattern, [&](const auto& update) { heard(update); }, durable);
  }
  static std::vector<double> values(Heard& heard) {
    const std::lock_guard lock(heard.mutex);
    std::vector<double> values;
    for (const auto& each : heard.updates) values.push_back(from_value<double>(each.value).value());
    return values;
  }

  Subsystem psu_{"psu.1"};
  Client client_;
  std::optional<Published<double>> current_;
  std::optional<Published<double>> voltage_;
  Problems problems_;
};

TEST_F(DurableSubscription, TellsEachUpdateOnceInOrderWithItsLine) {
  record(1, 600);  // more than one page
  Heard heard;
  const auto subscription = follow(heard, {.from = 1});
  ASSERT_TRUE(eventually([&] { return heard.count() == 600; }));
  record(601, 700);
  ASSERT_TRUE(eventually([&] { return heard.count() == 700; }));
  std::uint64_t line = 0;
  for (std::size_t i = 0; i < heard.updates.size(); ++i) {
    const auto& update = heard.updates[i];
    EXPECT_EQ(update.key, "psu.1/current");
    EXPECT_EQ(update.value, Value(static_cast<double>(i + 1)));
    EXPECT_EQ(update.sequence, i + 1);
    EXPECT_EQ(update.missed, 0u);
    EXPECT_GT(update.line, line);
    line = update.line;
  }
  EXPECT_TRUE(problems_.all().empty());
}

TEST_F(DurableSubscription, HasWhatAKeyStartsWith) {
  Subsystem rf{"rf.1"};
  const auto set = rf.publish<double>("set", {.journaled = true});
  (void)set.set(1.0);
  (void)set.set(2.0);
  rf.publish<double>("preset", {.default_value = Value(3.0), .journaled = true});
  rf.publish<double>("unset", {.journaled = true});
  join(rf);
  rf.publish<double>("late", {.default_value = Value(4.0), .journaled = true});
  Heard heard;
  const auto subscription = follow(heard, {.from = 1}, "rf.1");
  ASSERT_TRUE(eventually([&] { return heard.count() == 3; }));
  EXPECT_THAT(values(heard), ElementsAre(2, 3, 4));
}

TEST_F(DurableSubscription, BeginsWithWhatIsRecordedFromNowOn) {
  record(1, 5);
  Heard heard;
  const auto subscription = follow(heard, {});
  // "Now" is the journal's first answer: until then nothing tells what came before from what comes.
  int next = 6;
  ASSERT_TRUE(eventually([&] {
    record(next, next);
    ++next;
    return heard.count() > 0;
  }));
  EXPECT_GT(values(heard).front(), 5);
}

TEST_F(DurableSubscription, GoesOnWhereItsProgramEnded) {
  record(1, 10);
  std::uint64_t line = 0;
  {
    Heard heard;
    const auto subscription = follow(heard, {.from = 1});
    ASSERT_TRUE(eventually([&] { return heard.count() == 10; }));
    line = heard.last().line;
  }
  record(11, 13);
  Heard heard;
  const auto subscription = follow(heard, {.from = line + 1});
  ASSERT_TRUE(eventually([&] { return heard.count() == 3; }));
  EXPECT_THAT(values(heard), ElementsAre(11, 12, 13));
}

TEST_F(DurableSubscription, BeginsAtATime) {
  record(1, 10);
  Heard heard;
  const auto last = site_.lines();
  const auto subscription = follow(heard, {.since = test::MemorySite::recorded_at(last - 1)});
  ASSERT_TRUE(eventually([&] { return heard.count() == 2; }));
  EXPECT_THAT(values(heard), ElementsAre(9, 10));
}

TEST_F(DurableSubscription, WaitsForAJournalThatIsAway) {
  Heard heard;
  const auto subscription = follow(heard, {.from = 1});
  record(1, 3);
  ASSERT_TRUE(eventually([&] { return heard.count() == 3; }));
  site_.fail_reads(Error{Code::kUnavailable, "it restarts"});
  record(4, 6);
  ASSERT_TRUE(eventually([&] { return problems_.all().size() == 1; }));
  EXPECT_EQ(problems_.all()[0].code, Code::kUnavailable);
  EXPECT_EQ(problems_.all()[0].message, "the journal is away (it restarts); waiting");
  site_.fail_reads(std::nullopt);
  ASSERT_TRUE(eventually([&] { return heard.count() == 6; }));
  record(7, 8);
  ASSERT_TRUE(eventually([&] { return heard.count() == 8; }));
  EXPECT_THAT(values(heard), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
  EXPECT_EQ(problems_.all().size(), 1u);
}

TEST_F(DurableSubscription, SaysWhichKeysAreNotJournaledOnceEach) {
  Heard heard;
  const auto subscription = follow(heard, {.from = 1}, "psu.*");
  record(1, 1);
  ASSERT_TRUE(eventually([&] { return !problems_.all().empty(); }));
  EXPECT_EQ(problems_.all()[0].code, Code::kRefused);
  EXPECT_EQ(problems_.all()[0].message,
            "psu.1/voltage is not journaled: only what others write to it is recorded");
  // Each page looks again, at most once a second; what comes later is said, too.
  Subsystem late{"psu.2"};
  const auto quiet = late.publish<double>("quiet");
  join(late);
  ASSERT_TRUE(sees(client_, "psu.2"));
  int next = 2;
  ASSERT_TRUE(eventually([&] {
    record(next, next);
    ++next;
    return problems_.all().size() == 2;
  }));
  EXPECT_THAT(problems_.all()[1].message, HasSubstr("psu.2/quiet is not journaled"));
}

TEST_F(DurableSubscription, CountsWhatWasNotRecorded) {
  auto setpoint = psu_.writable<double>("setpoint");  // not journaled: only what others write is
  ASSERT_TRUE(eventually([&] {
    for (const auto& peer : client_.peers()) {
      if (peer.name == "psu.1" && peer.surface.keys.size() == 3) return true;
    }
    return false;
  }));
  Heard heard;
  const auto subscription = follow(heard, {.from = 1}, "psu.1/setpoint");
  const auto key = client_.key<double>("psu.1/setpoint");
  ASSERT_TRUE(key.set(1.0).ok());
  for (int i = 0; i < 4; ++i) setpoint = 2.0 + i;
  ASSERT_TRUE(key.set(9.0).ok());
  ASSERT_TRUE(eventually([&] { return heard.count() == 2; }));
  EXPECT_EQ(heard.last().missed, 4u);
  EXPECT_EQ(heard.last().writer, client_.session()->user());
}

TEST_F(DurableSubscription, EndsWithWhatTheJournalSaysOfDamage) {
  Heard heard;
  const auto subscription = follow(heard, {.from = 1});
  record(1, 1);
  ASSERT_TRUE(eventually([&] { return heard.count() == 1; }));
  site_.fail_reads(Error{Code::kCorruption, "lines 2 to 3 are damaged"});
  ASSERT_TRUE(eventually([&] { return problems_.all().size() == 1; }));
  EXPECT_EQ(problems_.all()[0].code, Code::kCorruption);
  site_.fail_reads(std::nullopt);
  record(2, 3);
  const auto beyond = follow(heard, {.from = 3});
  ASSERT_TRUE(eventually([&] { return heard.count() == 2; }));
  EXPECT_THAT(values(heard), ElementsAre(1, 3));
}

TEST_F(DurableSubscription, SaysThatTheJournalMayBeAnotherOne) {
  Heard heard;
  const auto subscription = follow(heard, {.from = 1000});
  record(1, 1);
  // This journal lets who waits wait; one that comes back answers at once.
  site_.fail_reads(Error{Code::kUnavailable, "it restarts"});
  ASSERT_TRUE(eventually([&] { return !problems_.all().empty(); }));
  site_.fail_reads(std::nullopt);
  ASSERT_TRUE(eventually([&] {
    for (const auto& each : problems_.all()) {
      if (each.code == Code::kConflict) return true;
    }
    return false;
  }));
  EXPECT_EQ(heard.count(), 0u);
}

TEST_F(DurableSubscription, ASlowListenerMissesNothing) {
  std::mutex mutex;
  std::vector<std::uint64_t> heard;
  std::atomic<bool> go{false};
  const auto subscription = client_.subscribe(
      "psu.1/current",
      [&](const auto& update) {
        go.wait(false);
        const std::lock_guard lock(mutex);
        heard.push_back(update.sequence);
      },
      Durable{.from = 1});
  record(1, 700);
  go = true;
  go.notify_all();
  ASSERT_TRUE(eventually(
      [&] {
        const std::lock_guard lock(mutex);
        return heard.size() == 700;
      },
      30s));
  for (std::size_t i = 0; i < heard.size(); ++i) EXPECT_EQ(heard[i], i + 1);
}

TEST_F(DurableSubscription, ListenerThatStopsItsProgramHearsNoMore) {
  record(1, 10);
  Client client;
  join_client(client);
  Heard heard;
  const auto subscription = client.subscribe(
      "psu.1/current",
      [&](const auto& update) {
        heard(update);
        if (heard.count() == 3) client.stop(0s);
      },
      Durable{.from = 1});
  ASSERT_TRUE(eventually([&] { return heard.count() == 3; }));
  EXPECT_FALSE(eventually([&] { return heard.count() > 3; }, 50ms));
}

TEST_F(DurableSubscription, IsMadeBeforeItsProgramIsOnTheBusAndEndsWithIt) {
  record(1, 3);
  Client early;
  Heard heard;
  Heard closed;
  const auto subscription = early.subscribe(
      "psu.1/current", [&](const auto& update) { heard(update); }, Durable{.from = 1});
  early
      .subscribe(
          "psu.1/current", [&](const auto& update) { closed(update); }, Durable{.from = 1})
      .close();
  join_client(early);
  ASSERT_TRUE(eventually([&] { return heard.count() == 3; }));
  early.stop(0s);
  record(4, 5);
  EXPECT_EQ(heard.count(), 3u);
  EXPECT_EQ(closed.count(), 0u);
}

}  // namespace
}  // namespace tidemark
