// test/subsystem/listeners_test.cpp
//
// What reaches those who listen to keys, whatever becomes of frames, owners and registries.

#include <gmock/gmock.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "model/api/monitor.h"
#include "subsystem_fixture.h"

namespace tidemark {
namespace {

using namespace std::chrono_literals;
using test::eventually;
using test::Heard;

class Listeners : public test::SubsystemTest {};

TEST_F(Listeners, ListenerGetsTheCurrentValueFirstAndThenEveryChange) {
  Subsystem psu{"psu.1"};
  const auto current = psu.publish<double>("current", {.unit = "A"});
  join(psu);
  current = 1.5;

  Client client;
  join_client(client);
  Heard heard;
  const auto subscription = client.subscribe(
      "psu.1/current", [&](const auto& update) { heard(update); }, Policy::kAll);
  ASSERT_TRUE(eventually([&] { return heard.count() == 1; }));
  EXPECT_EQ(heard.last().value, Value(1.5));
  EXPECT_EQ(heard.last().key, "psu.1/current");
  EXPECT_EQ(heard.last().quality, Quality::kGood);

  for (int i = 0; i < 100; ++i) current = i;
  ASSERT_TRUE(eventually([&] { return heard.count() == 101; }));
  EXPECT_EQ(heard.last().value, Value(99.0));
  EXPECT_EQ(heard.last().missed, 0U);
}

TEST_F(Listeners, ListenerOfWhatDoesNotExistYetWaitsForIt) {
  Client client;
  join_client(client);
  Heard heard;
  const auto subscription =
      client.subscribe("rf.*/voltage", [&](const auto& update) { heard(update); });

  Subsystem rf{"rf.2"};
  join(rf);
  const auto voltage = rf.publish<double>("voltage", {.unit = "kV"});  // added when it runs
  voltage = 25.0;
  ASSERT_TRUE(eventually([&] { return heard.count() == 1; }));
  EXPECT_EQ(heard.last().key, "rf.2/voltage");
}

TEST_F(Listeners, ListenerThatHasClosedHearsNoMore) {
  Subsystem psu{"psu.1"};
  const auto current = psu.publish<double>("current");
  join(psu);
  Client client;
  join_client(client);
  Heard heard;
  Heard other;
  auto subscription = client.subscribe("psu.1/*", [&](const auto& update) { heard(update); });
  const auto stays = client.subscribe("psu.1/*", [&](const auto& update) { other(update); });
  current = 1.0;
  ASSERT_TRUE(eventually([&] { return heard.count() == 1; }));
  subscription.close();
  const auto before = heard.count();
  current = 2.0;
  ASSERT_TRUE(eventually([&] { return other.last().value == Value(2.0); }));
  EXPECT_EQ(heard.count(), before);
}

TEST_F(Listeners, SlowListenerOfTheLatestMissesSomeAndKnowsHowMany) {
  Subsystem psu{"psu.1"};
  const auto current = psu.publish<double>("current");
  join(psu);
  current = 0.0;
  Client client;
  join_client(client);
  Heard heard;
  std::atomic<bool> go{false};
  const auto subscription = client.subscribe("psu.1/current", [&](const auto& update) {
    heard(update);
    go.wait(false);
  });
  ASSERT_TRUE(eventually([&] { return heard.count() == 1; }));
  for (int i = 1; i <= 1000; ++i) current = i;
  const auto last = client.key<double>("psu.1/current");
  go = true;
  go.notify_all();
  ASSERT_TRUE(eventually([&] { return heard.last().value == Value(1000.0); }));
  const std::lock_guard lock(heard.mutex);
  std::uint64_t missed = 0;
  for (const auto& update : heard.updates) missed += update.missed;
  EXPECT_EQ(heard.updates.size() + missed, 1001U);
  EXPECT_LT(heard.updates.size(), 1001U);
  EXPECT_GT(client.stats().conflated, 0U);
  EXPECT_EQ(client.stats().missed, 0U);
}

TEST_F(Listeners, SlowListenerOfAllMissesTheOldestForWhichThereIsNoRoomAndIsToldHowMany) {
  Subsystem psu{"psu.1"};
  const auto count = psu.publish<std::int64_t>("count", {.default_value = Value(0)});
  join(psu);
  Client client;
  join_client(client);
  Heard heard;
  std::atomic<bool> go{false};
  const auto subscription = client.subscribe(
      "psu.1/count",
      [&](const auto& update) {
        heard(update);
        go.wait(false);
      },
      Policy::kAll);
  ASSERT_TRUE(eventually([&] { return heard.count() == 1; }));
  constexpr std::int64_t kBeyond = 1000;
  constexpr std::int64_t kLast = subsystem::KeySubscription::kQueueMax + kBeyond;
  for (std::int64_t i = 1; i <= kLast; ++i) count = i;
  EXPECT_TRUE(eventually([&] { return client.stats().missed == kBeyond; }, 30s));
  EXPECT_EQ(client.stats().conflated, 0U);
  go = true;
  go.notify_all();
  ASSERT_TRUE(eventually([&] { return heard.last().value == Value(kLast); }, 30s));
  const std::lock_guard lock(heard.mutex);
  EXPECT_EQ(heard.updates.size(), 1 + subsystem::KeySubscription::kQueueMax);
  EXPECT_EQ(heard.updates[1].missed, kBeyond);
  std::uint64_t missed = 0;
  for (const auto& update : heard.updates) missed += update.missed;
  EXPECT_EQ(missed, kBeyond);
}

TEST_F(Listeners, ListenerWhoseThreadWasTooBusyIsToldInTheEnd) {
  Subsystem psu{"psu.1"};
  const auto count = psu.publish<std::int64_t>("count", {.default_value = Value(0)});
  join(psu);
  Client client;
  Client other;
  join_client(client);
  join_client(other);
  Heard heard;
  Heard seen;
  const auto subscription =
      client.subscribe("psu.1/count", [&](const auto& update) { heard(update); });
  const auto control = other.subscribe("psu.1/count", [&](const auto& update) { seen(update); });
  ASSERT_TRUE(eventually([&] { return heard.count() == 1 && seen.count() == 1; }));
  std::atomic<bool> go{false};
  while (client.session()->executor()->post([&go] { go.wait(false); })) {
  }
  count = 1;
  ASSERT_TRUE(eventually([&] { return seen.last().value == Value(1); }));
  go = true;
  go.notify_all();
  EXPECT_TRUE(eventually([&] { return heard.last().value == Value(1); }, 10s));
}

TEST_F(Listeners, ListenerOfOneKeyHearsItUntilItCloses) {
  Subsystem psu{"psu.1"};
  const auto current = psu.publish<double>("current", {.default_value = Value(1.0)});
  join(psu);
  Client client;
  join_client(client);
  const auto key = client.key<double>("psu.1/current");
  std::atomic<int> first{0};
  std::atomic<int> second{0};
  std::atomic<int> third{0};
  auto ends = key.on_change([&](const auto&) {
    ++first;
    throw std::runtime_error("and the next one hears it all the same");
  });
  const auto stays = key.on_change([&](const auto& now) { second = static_cast<int>(now.value); });
  const auto other = client.key<double>("psu.1/current").on_change([&](const auto& now) {
    third = static_cast<int>(now.value);
  });
  // The two of one key are told one after the other.
  ASSERT_TRUE(eventually([&] { return first == 1 && second == 1 && third == 1; }));
  current = 2;
  ASSERT_TRUE(eventually([&] { return second == 2 && third == 2; }));
  EXPECT_EQ(first, 2);
  ends.close();
  current = 3;
  ASSERT_TRUE(eventually([&] { return second == 3 && third == 3; }));
  EXPECT_EQ(first, 2);
  EXPECT_EQ(key.last()->value, 3.0);
}

TEST_F(Listeners, ValueOfAnOwnerWhoIsGoneIsDisconnected) {
  auto psu = std::make_unique<Subsystem>("psu.1");
  const auto current = psu->publish<double>("current");
  join(*psu);
  current = 3.0;
  Client client;
  join_client(client);
  const auto key = client.key<double>("psu.1/current");
  ASSERT_TRUE(eventually([&] { return key.last().has_value(); }));
  psu->stop();
  ASSERT_TRUE(eventually([&] { return key.last()->quality == Quality::kDisconnected; }));
  EXPECT_EQ(key.last()->value, 3.0);

  Subsystem again{"psu.1"};
  const auto other = again.publish<double>("other");
  const auto moved = again.publish<double>("current");  // at another position now
  join(again, 2);
  moved = 4.0;
  other = 5.0;
  ASSERT_TRUE(eventually([&] { return key.last()->value == 4.0; }));
  EXPECT_EQ(key.last()->quality, Quality::kGood);
}

TEST_F(Listeners, ListenerSeesTheFirstValueOfANewLifeAlthoughItIsNumberOneAgain) {
  Client client;
  join_client(client);
  Heard heard;
  const auto subscription = client.subscribe(
      "psu.1/mode", [&](const auto& update) { heard(update); }, Policy::kAll);
  Subsystem first{"psu.1"};
  first.publish<std::int64_t>("mode", {.default_value = Value(1)});
  join(first);
  ASSERT_TRUE(eventually([&] { return heard.count() == 1; }));

  Subsystem second{"psu.1"};  // takes its place without a goodbye
  second.publish<std::int64_t>("other");
  second.publish<std::int64_t>("mode", {.default_value = Value(2)});
  join(second, 2);
  ASSERT_TRUE(eventually([&] { return heard.last().value == Value(2); }));
  EXPECT_EQ(heard.last().sequence, 1U);
  EXPECT_EQ(heard.last().missed, 0U);
}

TEST_F(Listeners, ValuesThatAreSetBeforeTheStartAreOneStateAndNoUpdates) {
  Subsystem psu{"psu.1"};
  const auto count = psu.publish<std::int64_t>("count");
  for (std::int64_t i = 1; i <= 100'000; ++i) count = i;
  join(psu);
  Client client;
  join_client(client);
  Heard heard;
  const auto subscription = client.subscribe(
      "psu.1/count", [&](const auto& update) { heard(update); }, Policy::kAll);
  ASSERT_TRUE(eventually([&] { return heard.count() > 0; }));
  EXPECT_EQ(heard.last().value, Value(100'000));
  count = 0;
  ASSERT_TRUE(eventually([&] { return heard.last().value == Value(0); }));
  EXPECT_EQ(heard.count(), 2U);
}

TEST_F(Listeners, HoleInTheStreamIsFilledAndNothingIsMissed) {
  Subsystem psu{"psu.1"};
  const auto count = psu.publish<std::int64_t>("count");
  join(psu);
  Client client;
  join_client(client);
  Heard heard;
  const auto subscription = client.subscribe(
      "psu.1/count", [&](const auto& update) { heard(update); }, Policy::kAll);
  count = 0;
  ASSERT_TRUE(eventually([&] { return heard.count() == 1; }));
  for (std::int64_t i = 1; i <= 200; ++i) {
    if (i % 10 == 0) {
      site_.bus().drop_next(
          {bus::node_number(test::member_called("psu.1").uuid), model::api::kKeyStream}, 1);
    }
    count = i;
    std::this_thread::sleep_for(1ms);
  }
  ASSERT_TRUE(eventually([&] { return heard.last().value == Value(std::int64_t{200}); }));
  EXPECT_EQ(heard.count(), 201U);
  const auto stats = client.stats();
  EXPECT_GT(stats.gaps, 0U);
  EXPECT_EQ(stats.repaired, stats.gaps);
  EXPECT_EQ(stats.items_lost, 0U);
  EXPECT_EQ(stats.states, 1U);
  EXPECT_GT(stats.link.frames_received, 0U);
  EXPECT_GT(psu.stats().link.frames_sent_again, 0U);
}

TEST_F(Listeners, UpdatesGoOnWhileTheRegistryIsAway) {
  Subsystem psu{"psu.1"};
  const auto count = psu.publish<std::int64_t>("count");
  join(psu);
  Client client;
  join_client(client);
  Heard heard;
  const auto subscription = client.subscribe(
      "psu.1/count", [&](const auto& update) { heard(update); }, Policy::kAll);
  count = 0;
  ASSERT_TRUE(eventually([&] { return heard.count() == 1; }));
  site_.close_registry();
  for (std::int64_t i = 1; i <= 100; ++i) count = i;
  ASSERT_TRUE(eventually([&] { return heard.count() == 101; }));
  site_.open_registry(2);
  ASSERT_TRUE(eventually([&] { return sees(client, "psu.1"); }));
  for (std::int64_t i = 101; i <= 200; ++i) count = i;
  ASSERT_TRUE(eventually([&] { return heard.count() == 201; }));
  EXPECT_EQ(heard.last().missed, 0U);
}

TEST_F(Listeners, ListenerThatThrowsHearsOn) {
  Subsystem psu{"psu.1"};
  const auto current = psu.publish<double>("current");
  join(psu);
  current = 1;
  Client client;
  join_client(client);
  std::atomic<int> heard{0};
  const auto subscription = client.subscribe(
      "psu.1/current",
      [&](const auto&) {
        if (++heard == 1) throw 1;
        throw std::runtime_error("broken");
      },
      Policy::kAll);
  ASSERT_TRUE(eventually([&] { return heard == 1; }));
  current = 2;
  ASSERT_TRUE(eventually([&] { return heard == 2; }));
  current = 3;
  EXPECT_TRUE(eventually([&] { return heard == 3; }));
}

TEST_F(Listeners, FrameThatCannotBeReadIsCountedAndMadeGood) {
  Subsystem psu{"psu.1"};
  const auto current = psu.publish<double>("current");
  join(psu);
  current = 1;
  Subsystem control{"control"};
  join(control);
  Heard heard;
  const auto subscription = control.subscribe("psu.1/*", [&](const auto& each) { heard(each); });
  ASSERT_TRUE(eventually([&] { return heard.count() == 1; }));
  psu.session()->link()->publish(bus::FrameClass::kState, model::api::kKeyStream, 1, "no updates");
  ASSERT_TRUE(eventually([&] { return control.stats().link.malformed == 1; }));
  current = 2;
  EXPECT_TRUE(eventually([&] { return heard.last().value == Value(2.0); }));
  EXPECT_TRUE(eventually([&] { return control.stats().items_lost == 1; }));
  EXPECT_EQ(control.stats().states, 2U);
  EXPECT_TRUE(eventually([&] { return site_.recorded<model::StreamGap>().size() == 1; }));
}

}  // namespace
}  // namespace tidemark
