// test/subsystem/subsystem_test.cpp
//
// The public library over a bus in memory, with a registry and a journal.

#include "tidemark/subsystem.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "registry_on_memory.h"
#include "subsystem/session.h"

namespace tidemark {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr auto kPatience = 5s;

/// Polls, since what is waited for happens on other threads.
template <class Condition>
bool eventually(Condition condition, Duration patience = kPatience) {
  const auto deadline = steady_now() + patience;
  while (!condition()) {
    if (steady_now() > deadline) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

class SubsystemTest : public testing::Test {
 protected:
  void join(Client& member, bus::Incarnation incarnation = 1, bool registers = true) {
    auto self = test::member_called(member.name(), incarnation);
    if (!registers) self.uuid = Uuid::random();
    self.surface.bytes = member.session()->surface();
    const auto started =
        member.session()->start(site_.link(self), site_.registries(), site_.journal());
    ASSERT_TRUE(started.ok());
    const auto joined = member.session()->joined(kPatience);
    ASSERT_TRUE(joined.ok()) << joined.error().message;
  }
  void join_client(Client& client) { join(client, 1, false); }
  /// `client` sees `name` in its directory.
  bool sees(const Client& client, const std::string& name, const std::string& state = "alive") {
    return eventually([&] {
      for (const auto& peer : client.peers()) {
        if (peer.name == name && peer.state == state) return true;
      }
      return false;
    });
  }

  test::MemorySite site_;
};

/// What a listener got, in order.
struct Heard {
  std::mutex mutex;
  std::vector<Update<Value>> updates;

  void operator()(const Update<Value>& update) {
    const std::lock_guard lock(mutex);
    updates.push_back(update);
  }
  std::size_t count() {
    const std::lock_guard lock(mutex);
    return updates.size();
  }
  Update<Value> last() {
    const std::lock_guard lock(mutex);
    return updates.empty() ? Update<Value>{} : updates.back();
  }
};

// ---- keys ---------------------------------------------------------------------------------------

TEST_F(SubsystemTest, ListenerGetsTheCurrentValueFirstAndThenEveryChange) {
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

TEST_F(SubsystemTest, ListenerOfWhatDoesNotExistYetWaitsForIt) {
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

TEST_F(SubsystemTest, ListenerThatHasClosedHearsNoMore) {
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

TEST_F(SubsystemTest, SlowListenerOfTheLatestMissesSomeAndKnowsHowMany) {
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
    while (!go) std::this_thread::sleep_for(1ms);
  });
  ASSERT_TRUE(eventually([&] { return heard.count() == 1; }));
  for (int i = 1; i <= 1000; ++i) current = i;
  const auto last = client.key<double>("psu.1/current");
  go = true;
  ASSERT_TRUE(eventually([&] { return heard.last().value == Value(1000.0); }));
  const std::lock_guard lock(heard.mutex);
  std::uint64_t missed = 0;
  for (const auto& update : heard.updates) missed += update.missed;
  EXPECT_EQ(heard.updates.size() + missed, 1001U);
  EXPECT_LT(heard.updates.size(), 1001U);
}

TEST_F(SubsystemTest, WriterLearnsThatHisValueWasAccepted) {
  Subsystem psu{"psu.1"};
  const auto setpoint = psu.writable<double>("setpoint", {.unit = "A", .range = {{0, 100}}});
  std::string writer;
  setpoint.on_write([&](double, const std::string& who) {
    writer = who;
    return accept();
  });
  join(psu);
  Subsystem other{"control"};
  join(other);

  const auto written = other.key<double>("psu.1/setpoint").set(12.5);
  ASSERT_TRUE(written.ok()) << written.error().message;
  EXPECT_EQ(setpoint.value(), 12.5);
  EXPECT_EQ(writer, "control");
  EXPECT_EQ(other.key<double>("psu.1/setpoint").get().value(), 12.5);
  ASSERT_TRUE(eventually([&] { return site_.recorded<model::KvUpdate>().size() == 1; }));
  const auto record = site_.recorded<model::KvUpdate>()[0];
  EXPECT_EQ(record.key, "psu.1/setpoint");
  EXPECT_EQ(record.value, Value(12.5));
  EXPECT_EQ(record.writer, "control");
}

TEST_F(SubsystemTest, WriterLearnsTheReasonWhyNot) {
  Subsystem psu{"psu.1"};
  const auto setpoint = psu.writable<double>("setpoint", {.unit = "A", .range = {{0, 100}}});
  setpoint.on_write([](double) { return reject("interlock open"); });
  psu.publish<double>("current");
  join(psu);
  Client client;
  join_client(client);
  ASSERT_TRUE(sees(client, "psu.1"));

  const auto refused = client.key<double>("psu.1/setpoint").set(12.5);
  EXPECT_EQ(refused.error().code, Code::kRefused);
  EXPECT_EQ(refused.error().message, "interlock open");
  const auto beyond = client.key<double>("psu.1/setpoint").set(140);
  EXPECT_EQ(beyond.error().code, Code::kInvalidArgument);
  EXPECT_EQ(beyond.error().message, "psu.1/setpoint: 140 A is above the limit of 100 A");
  const auto nan = client.key<double>("psu.1/setpoint").set(std::nan(""));
  EXPECT_EQ(nan.error().code, Code::kInvalidArgument);
  const auto read_only = client.key<double>("psu.1/current").set(1);
  EXPECT_EQ(read_only.error().code, Code::kRefused);
  EXPECT_THAT(read_only.error().message, HasSubstr("cannot be written"));
  const auto nothing = client.key<double>("psu.1/nothing").set(1);
  EXPECT_EQ(nothing.error().code, Code::kNotFound);
  const auto nobody = client.key<double>("nobody/setpoint").set(1, 50ms);
  EXPECT_EQ(nobody.error().code, Code::kNotFound);
}

TEST_F(SubsystemTest, HandlerThatThrowsFailsItsWriterAndNothingElse) {
  Subsystem psu{"psu.1"};
  const auto setpoint = psu.writable<double>("setpoint");
  setpoint.on_write([](double amps) -> Decision {
    if (amps < 0) throw std::runtime_error("no such field");
    return accept();
  });
  join(psu);
  Client client;
  join_client(client);
  const auto failed = client.key<double>("psu.1/setpoint").set(-1);
  EXPECT_EQ(failed.error().code, Code::kFailed);
  EXPECT_THAT(failed.error().message, HasSubstr("no such field"));
  EXPECT_TRUE(client.key<double>("psu.1/setpoint").set(1).ok());
}

TEST_F(SubsystemTest, ReaderAsksTheOwnersHandler) {
  Subsystem psu{"psu.1"};
  const auto load = psu.publish<double>("load", {.published = false});
  load.on_read([]() -> Result<double> { return 0.25; });
  const auto broken = psu.publish<double>("broken");
  broken.on_read([]() -> Result<double> { return Error{Code::kRefused, "no sensor"}; });
  join(psu);
  Client client;
  join_client(client);
  EXPECT_EQ(client.key<double>("psu.1/load").get().value(), 0.25);
  EXPECT_EQ(client.key<double>("psu.1/broken").get().error().message, "no sensor");
}

TEST_F(SubsystemTest, WaitingInsideACallbackIsRefusedAndNeverHangs) {
  Subsystem psu{"psu.1"};
  const auto setpoint = psu.writable<double>("setpoint");
  std::optional<Error> read;
  std::optional<Error> called;
  setpoint.on_write([&](double) {
    read = psu.key<double>("psu.1/setpoint").get().error();
    called =
        Error{Code::kFailed, psu.call("degauss", {}, to("psu.1"), 1s).targets().at("psu.1").text};
    return accept();
  });
  join(psu);
  Client client;
  join_client(client);
  ASSERT_TRUE(client.key<double>("psu.1/setpoint").set(1).ok());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->code, Code::kRefused);
  EXPECT_THAT(read->message, HasSubstr("inside a callback"));
  EXPECT_THAT(called->message, HasSubstr("inside a callback"));
}

TEST_F(SubsystemTest, CallbackMayWriteWithoutWaiting) {
  Subsystem psu{"psu.1"};
  const auto setpoint = psu.writable<double>("setpoint");
  const auto twice = psu.writable<double>("twice");
  std::atomic<bool> written{false};
  setpoint.on_write([&](double amps) {
    psu.key<double>("psu.1/twice").set_later(2 * amps, [&](const Result<Unit>& result) {
      written = result.ok();
    });
    return accept();
  });
  join(psu);
  Client client;
  join_client(client);
  ASSERT_TRUE(client.key<double>("psu.1/setpoint").set(4).ok());
  ASSERT_TRUE(eventually([&] { return written.load(); }));
  EXPECT_EQ(twice.value(), 8.0);
}

TEST_F(SubsystemTest, ValueOfAnOwnerWhoIsGoneIsDisconnected) {
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

TEST_F(SubsystemTest, ListenerSeesTheFirstValueOfANewLifeAlthoughItIsNumberOneAgain) {
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

TEST_F(SubsystemTest, ValuesThatAreSetBeforeTheStartAreOneStateAndNoUpdates) {
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

TEST_F(SubsystemTest, HoleInTheStreamIsFilledAndNothingIsMissed) {
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
}

TEST_F(SubsystemTest, MistakesInKeysAreToldAtTheStart) {
  Subsystem psu{"psu.1"};
  psu.publish<double>("no spaces");
  const auto started = psu.start();
  EXPECT_EQ(started.error().code, Code::kInvalidArgument);
  EXPECT_THAT(started.error().message, HasSubstr("no spaces"));

  Subsystem twice{"psu.2"};
  twice.publish<double>("current");
  twice.publish<double>("current");
  EXPECT_EQ(twice.start().error().code, Code::kConflict);

  Subsystem odd{"psu/3"};
  EXPECT_THAT(odd.start().error().message, HasSubstr("psu/3"));
}

TEST_F(SubsystemTest, ValuesOfEveryTypeComeAsTheyWere) {
  Subsystem all{"all"};
  const auto flag = all.writable<bool>("flag");
  const auto text = all.writable<std::string>("text");
  const auto number = all.writable<std::uint64_t>("number");
  const auto trace = all.writable<std::vector<double>>("trace");
  const auto point = all.writable<std::array<std::int64_t, 3>>("point");
  const auto when = all.writable<UtcTime>("when");
  const auto any = all.writable<Value>("any");
  join(all);
  Client client;
  join_client(client);
  ASSERT_TRUE(client.key<bool>("all/flag").set(true).ok());
  ASSERT_TRUE(client.key<std::string>("all/text").set("läuft").ok());
  ASSERT_TRUE(client.key<std::uint64_t>("all/number").set(~0ull).ok());
  ASSERT_TRUE(client.key<std::vector<double>>("all/trace").set({1, 2.5, -0.0}).ok());
  ASSERT_TRUE((client.key<std::array<std::int64_t, 3>>("all/point").set({1, 2, 3}).ok()));
  const auto now = utc_now();
  ASSERT_TRUE(client.key<UtcTime>("all/when").set(now).ok());
  ASSERT_TRUE(client.key<Value>("all/any").set(Value(Struct{{"x", 1.5}})).ok());
  EXPECT_TRUE(flag.value());
  EXPECT_EQ(text.value(), "läuft");
  EXPECT_EQ(number.value(), ~0ull);
  EXPECT_THAT(trace.value(), ElementsAre(1, 2.5, -0.0));
  EXPECT_THAT(point.value(), ElementsAre(1, 2, 3));
  EXPECT_EQ(when.value(), now);
  EXPECT_EQ(any.value(), Value(Struct{{"x", 1.5}}));
}

// ---- events -------------------------------------------------------------------------------------

TEST_F(SubsystemTest, CallerHearsFeedbackAndTheValue) {
  Subsystem psu{"psu.1"};
  psu.on_event("degauss", [](Call& call) {
    for (int i = 1; i <= 3; ++i) call.feedback("cycle " + std::to_string(i), i);
    return done(Value(call.caller()));
  });
  join(psu);
  Subsystem control{"control"};
  join(control);
  ASSERT_TRUE(sees(control, "psu.1"));

  std::vector<std::string> heard;
  const auto result = control.call("degauss", {}, to("psu.1"), 5s, [&](const Feedback& feedback) {
    heard.push_back(feedback.target + ": " + feedback.text);
  });
  EXPECT_TRUE(result.all_done()) << result.objections();
  EXPECT_EQ(result.targets().at("psu.1").value, Value("control"));
  // All of it before call() returned: the callback may stand on what is gone by now.
  EXPECT_THAT(heard, ElementsAre("psu.1: cycle 1", "psu.1: cycle 2", "psu.1: cycle 3"));

  ASSERT_TRUE(eventually([&] { return site_.recorded<model::EventAnswered>().size() == 1; }));
  EXPECT_THAT(site_.recorded<model::EventCalled>(), SizeIs(1));
  EXPECT_THAT(site_.recorded<model::EventFeedback>(), SizeIs(3));
  EXPECT_EQ(site_.recorded<model::EventAnswered>()[0].state, "done");
}

TEST_F(SubsystemTest, OneOfManyMayObjectWithAReason) {
  Subsystem first{"shutter.1", {.labels = {"shutters"}}};
  Subsystem second{"shutter.2", {.labels = {"shutters"}}};
  Subsystem deaf{"psu.1"};
  first.on_event("may-expose", [](Call&) { return done(); });
  second.on_event("may-expose", [](Call&) { return veto("shutter closed"); });
  join(first);
  join(second);
  join(deaf);
  Client client;
  join_client(client);
  ASSERT_TRUE(sees(client, "shutter.1") && sees(client, "shutter.2"));

  const auto all = client.call("may-expose", {}, everybody(), 5s);
  EXPECT_FALSE(all.all_done());
  EXPECT_THAT(all.targets(), SizeIs(2)) << "psu.1 does not handle it";
  EXPECT_EQ(all.objections(), "shutter.2 rejected: shutter closed");
  EXPECT_TRUE(client.call("may-expose", {}, to("shutter.1"), 5s).all_done());
  const auto named = client.call("may-expose", {}, to("psu.1", "nobody"), 5s);
  EXPECT_EQ(named.targets().at("psu.1").state, TargetState::kFailed);
  EXPECT_EQ(named.targets().at("nobody").state, TargetState::kFailed);
}

TEST_F(SubsystemTest, OneThatDiedWithoutAGoodbyeIsNotTakenToAgree) {
  Subsystem living{"shutter.1"};
  auto dead = std::make_unique<Subsystem>("shutter.2");
  auto stopped = std::make_unique<Subsystem>("shutter.3");
  for (auto* each : {&living, dead.get(), stopped.get()}) {
    each->on_event("may-expose", [](Call&) { return done(); });
    join(*each);
  }
  Client client;
  join_client(client);
  ASSERT_TRUE(sees(client, "shutter.2") && sees(client, "shutter.3"));
  stopped->stop();
  dead.reset();  // no goodbye: its lease runs out
  ASSERT_TRUE(sees(client, "shutter.3", "stopped") && sees(client, "shutter.2", "disconnected"));

  const auto result = client.call("may-expose", {}, everybody(), 5s);
  EXPECT_FALSE(result.all_done());
  EXPECT_THAT(result.targets(), SizeIs(2));
  EXPECT_EQ(result.targets().at("shutter.1").state, TargetState::kDone);
  EXPECT_EQ(result.targets().at("shutter.2").state, TargetState::kLost);
}

TEST_F(SubsystemTest, HandlerThatThrowsFailsTheCallAndNothingElse) {
  Subsystem psu{"psu.1"};
  psu.on_event("throw", [](Call&) -> Outcome { throw std::runtime_error("broken"); });
  psu.on_event("work", [](Call&) { return done(); });
  join(psu);
  Client client;
  join_client(client);
  ASSERT_TRUE(sees(client, "psu.1"));
  const auto result = client.call("throw", {}, to("psu.1"), 5s);
  EXPECT_EQ(result.targets().at("psu.1").state, TargetState::kFailed);
  EXPECT_THAT(result.objections(), HasSubstr("broken"));
  EXPECT_TRUE(client.call("work", {}, to("psu.1"), 5s).all_done());
}

TEST_F(SubsystemTest, CallEndsAtItsDeadlineAndTheHandlerIsTold) {
  Subsystem psu{"psu.1"};
  std::atomic<bool> told{false};
  psu.on_event("long", [&](Call& call) {
    told = !call.wait(10s);
    return cancelled();
  });
  join(psu);
  Client client;
  join_client(client);
  ASSERT_TRUE(sees(client, "psu.1"));
  const auto result = client.call("long", {}, to("psu.1"), 100ms);
  EXPECT_EQ(result.targets().at("psu.1").state, TargetState::kTimedOut);
  EXPECT_TRUE(eventually([&] { return told.load(); }));
}

TEST_F(SubsystemTest, CancelledCallIsTakenBackFromItsHandler) {
  Subsystem psu{"psu.1"};
  std::atomic<bool> runs{false};
  psu.on_event("long", [&](Call& call) {
    runs = true;
    call.wait(10s);
    return cancelled();
  });
  join(psu);
  Client client;
  join_client(client);
  ASSERT_TRUE(sees(client, "psu.1"));
  std::atomic<bool> ended{false};
  TargetState state{};
  const auto call = client.call_later("long", {}, to("psu.1"), 10s, [&](const CallResult& result) {
    state = result.targets().at("psu.1").state;
    ended = true;
  });
  ASSERT_TRUE(eventually([&] { return runs.load(); }));
  call.cancel();
  ASSERT_TRUE(eventually([&] { return ended.load(); }));
  EXPECT_EQ(state, TargetState::kCancelled);
}

TEST_F(SubsystemTest, TargetThatEndsMeanwhileIsLost) {
  auto psu = std::make_unique<Subsystem>("psu.1");
  std::atomic<bool> runs{false};
  psu->on_event("long", [&](Call& call) {
    runs = true;
    call.wait(10s);
    return cancelled();
  });
  join(*psu);
  Client client;
  join_client(client);
  ASSERT_TRUE(sees(client, "psu.1"));
  std::atomic<bool> ended{false};
  TargetState state{};
  const auto call = client.call_later("long", {}, to("psu.1"), 20s, [&](const CallResult& result) {
    state = result.targets().at("psu.1").state;
    ended = true;
  });
  ASSERT_TRUE(eventually([&] { return runs.load(); }));
  Subsystem newer{"psu.1"};
  join(newer, 2);  // it takes the place of the first
  ASSERT_TRUE(eventually([&] { return ended.load(); }));
  EXPECT_EQ(state, TargetState::kLost);
}

TEST_F(SubsystemTest, ArgumentOfTheWrongTypeIsRefused) {
  Subsystem psu{"psu.1"};
  psu.on_event("ramp", [](Call& call) { return done(call.argument()); },
               {.argument = model::kv::scalar(model::kv::Kind::kDouble)});
  join(psu);
  Client client;
  join_client(client);
  ASSERT_TRUE(sees(client, "psu.1"));
  EXPECT_TRUE(client.call("ramp", 2, to("psu.1"), 5s).all_done());
  EXPECT_FALSE(client.call("ramp", "fast", to("psu.1"), 5s).all_done());
}

// ---- status items, marks, membership
// --------------------------------------------------------------

TEST_F(SubsystemTest, StatusItemIsSeenAcknowledgedAndRecorded) {
  Subsystem psu{"psu.1"};
  const auto interlock = psu.status_item("interlock", latched);
  join(psu);
  Client client;
  join_client(client);
  std::mutex mutex;
  std::vector<model::StatusItem> seen;
  const auto watch = client.watch_status("psu.*", [&](const auto&, const auto& item) {
    const std::lock_guard lock(mutex);
    seen.push_back(item);
  });
  const auto last = [&] {
    const std::lock_guard lock(mutex);
    return seen.empty() ? model::StatusItem{} : seen.back();
  };
  ASSERT_TRUE(eventually([&] { return last().name == "interlock"; }));
  interlock.raise(Severity::kError, 12, "door open");
  ASSERT_TRUE(eventually([&] { return last().active; }));
  EXPECT_EQ(last().code, 12);
  interlock.clear();
  ASSERT_TRUE(eventually([&] { return !last().active; }));
  EXPECT_TRUE(last().shown()) << "nobody has seen it yet";
  ASSERT_TRUE(client.acknowledge("psu.1", "interlock").ok());
  ASSERT_TRUE(eventually([&] { return !last().shown(); }));
  EXPECT_EQ(client.acknowledge("psu.1", "nothing").error().code, Code::kNotFound);
  ASSERT_TRUE(eventually([&] { return site_.recorded<model::StatusChanged>().size() == 3; }));
}

TEST_F(SubsystemTest, MarksAndLogMessagesReachTheJournal) {
  Subsystem control{"control"};
  join(control);
  const auto mark = control.begin_mark("shot 42", Struct{{"amps", 1.5}}, {"shot"});
  control.log(Severity::kWarning, "beam is weak");
  control.end_mark(mark);
  control.stop();
  ASSERT_THAT(site_.recorded<model::MarkBegin>(), SizeIs(1));
  EXPECT_EQ(site_.recorded<model::MarkBegin>()[0].tags, std::vector<std::string>{"shot"});
  ASSERT_THAT(site_.recorded<model::MarkEnd>(), SizeIs(1));
  EXPECT_EQ(site_.recorded<model::MarkEnd>()[0].mark, site_.recorded<model::MarkBegin>()[0].mark);
  EXPECT_EQ(site_.recorded<model::LogMessage>().at(0).text, "beam is weak");
}

TEST_F(SubsystemTest, ClientThatStopsWaitsForTheJournal) {
  Client client;
  join_client(client);
  client.log(Severity::kWarning, "beam is weak");
  client.stop();
  EXPECT_THAT(site_.recorded<model::LogMessage>(), SizeIs(1));
}

TEST_F(SubsystemTest, NoCallbackRunsAfterStop) {
  Subsystem psu{"psu.1"};
  const auto count = psu.publish<std::int64_t>("count");
  join(psu);
  Client client;
  join_client(client);
  std::atomic<bool> stopped{false};
  std::atomic<int> late{0};
  std::atomic<int> heard{0};
  const auto subscription = client.subscribe("psu.1/count", [&](const auto&) {
    ++heard;
    std::this_thread::sleep_for(1ms);
    if (stopped) ++late;
  });
  std::int64_t next = 0;
  ASSERT_TRUE(eventually([&] {
    count = ++next;
    return heard > 10;
  }));
  client.stop();
  stopped = true;
  for (int i = 0; i < 100; ++i) count = ++next;
  EXPECT_EQ(late, 0);
}

TEST_F(SubsystemTest, StopInACallbackDoesNotWaitForItself) {
  Subsystem psu{"psu.1"};
  const auto count = psu.publish<std::int64_t>("count");
  join(psu);
  count = 1;
  Client client;
  join_client(client);
  std::promise<void> stopped;
  const auto subscription = client.subscribe("psu.1/count", [&](const auto&) {
    client.stop(Duration{0});
    stopped.set_value();
  });
  EXPECT_EQ(stopped.get_future().wait_for(kPatience), std::future_status::ready);
}

TEST_F(SubsystemTest, OlderOfTwoEndsWhenANewerOneComes) {
  Subsystem first{"psu.1"};
  join(first);
  std::optional<Error> why;
  std::thread waiting([&] { why = first.session()->wait_for_end(); });
  Subsystem second{"psu.1"};
  join(second, 2);
  waiting.join();
  ASSERT_TRUE(why);
  EXPECT_EQ(why->code, Code::kRefused);
  EXPECT_THAT(why->message, HasSubstr("superseded"));
}

TEST_F(SubsystemTest, UpdatesGoOnWhileTheRegistryIsAway) {
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

}  // namespace
}  // namespace tidemark
