// test/subsystem/events_test.cpp
//
// Events: calls of one or many, their feedback, and how they end.

#include <gmock/gmock.h>

#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "subsystem_fixture.h"

namespace tidemark {
namespace {

using namespace std::chrono_literals;
using test::eventually;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class Events : public test::SubsystemTest {};

TEST_F(Events, CallerHearsFeedbackAndTheValue) {
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

TEST_F(Events, OneOfManyMayObjectWithAReason) {
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

TEST_F(Events, OneThatDiedWithoutAGoodbyeIsNotTakenToAgree) {
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

  const bus::Forget wish{test::member_called("shutter.2").uuid, "shutter.2", "ada@console"};
  std::promise<bool> told;
  client.session()->link()->request(
      bus::node_number(site_.registries()[0].uuid), "registry.forget", model::pack(wish), {5s, {}},
      [&](const bus::Answer& answer) { told.set_value(answer.ok()); });
  ASSERT_TRUE(told.get_future().get());
  EXPECT_TRUE(eventually([&] { return client.call("may-expose", {}, everybody(), 5s).all_done(); }))
      << "an operator has said that it need not come back";
}

// ---- whom it is for, when nobody knows --------------------------------------------------------

TEST_F(Events, QuestionAtARegistryThatHasJustStartedWaitsForThoseWhoWouldObject) {
  Subsystem shutter{"shutter.1", {.labels = {"shutters"}}};
  shutter.on_event("may-expose", [](Call&) { return veto("shutter closed"); });
  join(shutter);
  site_.open_registry(2, steady_now());
  Client client;
  join_client(client);

  const auto all = client.call("may-expose", {}, everybody(), 10s);
  EXPECT_EQ(all.objections(), "shutter.1 rejected: shutter closed");
  EXPECT_FALSE(client.call("may-expose", {}, to_label("shutters"), 5s).all_done());
}

TEST_F(Events, QuestionThatCannotWaitForTheRegistryIsNotAYes) {
  site_.open_registry(2, steady_now());
  Client client;
  join_client(client);
  const auto result = client.call("may-expose", {}, everybody(), 50ms);
  EXPECT_FALSE(result.all_done());
  ASSERT_TRUE(result.nobody());
  EXPECT_EQ(result.nobody()->code, Code::kUnavailable);
  EXPECT_THAT(result.objections(), HasSubstr("directory not settled"));
  ASSERT_TRUE(eventually([&] { return site_.recorded<model::EventCalled>().size() == 1; }));
  EXPECT_THAT(site_.recorded<model::EventCalled>()[0].targets, IsEmpty());
}

TEST_F(Events, WhatNobodyHandlesIsNotDone) {
  Client client;
  join_client(client);
  for (const auto& targets : {everybody(), to_label("shutters"), to_each({})}) {
    const auto result = client.call("may-expose", {}, targets, 5s);
    EXPECT_FALSE(result.all_done());
    ASSERT_TRUE(result.nobody());
    EXPECT_EQ(result.nobody()->code, Code::kNotFound);
    EXPECT_NE(result.objections(), "");
  }
}

TEST_F(Events, CallThatIsCancelledBeforeAnybodyWasAskedEnds) {
  site_.open_registry(2, steady_now());
  Client client;
  join_client(client);
  std::promise<CallResult> ended;
  const auto call = client.call_later("may-expose", {}, everybody(), 60s,
                                      [&](const CallResult& result) { ended.set_value(result); });
  call.cancel();
  EXPECT_EQ(ended.get_future().get().nobody()->code, Code::kCancelled);
}

// ---- every call ends --------------------------------------------------------------------------

TEST_F(Events, CallOffTheBusEnds) {
  Client client;
  std::promise<CallResult> named;
  client.call_later("degauss", {}, to("psu.1"), 60s,
                    [&](const CallResult& result) { named.set_value(result); });
  EXPECT_EQ(named.get_future().get().targets().at("psu.1").state, TargetState::kLost);
  std::promise<CallResult> all;
  client.call_later("degauss", {}, everybody(), 60s,
                    [&](const CallResult& result) { all.set_value(result); });
  EXPECT_EQ(all.get_future().get().nobody()->code, Code::kUnavailable);
}

TEST_F(Events, CallEndsWithCallbacksThatWaitBeyondTheirLimit) {
  Subsystem psu{"psu.1"};
  psu.on_event("degauss", [](Call&) { return done(); });
  join(psu);
  Client client;
  join_client(client);
  ASSERT_TRUE(sees(client, "psu.1"));
  std::promise<void> go;
  const auto& executor = client.session()->executor();
  executor->post([gone = go.get_future().share()] { gone.wait(); });
  while (executor->post([] {})) continue;
  std::promise<CallResult> ended;
  client.call_later("degauss", {}, to("psu.1"), 60s,
                    [&](const CallResult& result) { ended.set_value(result); });
  ASSERT_TRUE(eventually([&] { return site_.recorded<model::EventAnswered>().size() == 1; }));
  go.set_value();
  EXPECT_TRUE(ended.get_future().get().all_done());
}

TEST_F(Events, CallThatWaitsEndsWithItsProgram) {
  site_.open_registry(2, steady_now() + 1h);
  Client client;
  join_client(client);
  auto result = std::async(std::launch::async,
                           [&] { return client.call("may-expose", {}, everybody(), 60s); });
  client.stop();
  EXPECT_FALSE(result.get().all_done());
}

TEST_F(Events, HandlerThatThrowsFailsTheCallAndNothingElse) {
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

TEST_F(Events, CallEndsAtItsDeadlineAndTheHandlerIsTold) {
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

TEST_F(Events, CancelledCallIsTakenBackFromItsHandler) {
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

TEST_F(Events, HandlerMayStopItsOwnProgramAndItsCallIsLost) {
  Subsystem psu{"psu.1"};
  std::promise<bool> stopped;
  psu.on_event("shut-down", [&](Call& call) {
    psu.stop();
    stopped.set_value(call.cancelled());
    return done();
  });
  join(psu);
  Client client;
  join_client(client);
  ASSERT_TRUE(sees(client, "psu.1"));
  const auto result = client.call("shut-down", {}, to("psu.1"), 10s);
  EXPECT_EQ(result.targets().at("psu.1").state, TargetState::kLost) << result.objections();
  EXPECT_TRUE(stopped.get_future().get());
  EXPECT_TRUE(sees(client, "psu.1", "stopped"));
}

TEST_F(Events, HandlerMayEndItsOwnProgramAltogether) {
  auto psu = std::make_unique<Subsystem>("psu.1");
  std::promise<void> gone;
  psu->on_event("end", [&](Call&) {
    psu.reset();
    gone.set_value();
    return done();
  });
  join(*psu);
  Client client;
  join_client(client);
  ASSERT_TRUE(sees(client, "psu.1"));
  client.call_later("end", {}, to("psu.1"), 10s, {});
  gone.get_future().get();
}

TEST_F(Events, CallbackThatThrowsHurtsNoOther) {
  Subsystem psu{"psu.1"};
  psu.on_event("throw", [](Call&) -> Outcome { throw 1; });
  psu.on_event("work", [](Call& call) {
    call.feedback("half");
    return done();
  });
  join(psu);
  Client client;
  join_client(client);
  ASSERT_TRUE(sees(client, "psu.1"));
  const auto failing = client.call("throw", {}, to("psu.1"), 5s);
  EXPECT_EQ(failing.targets().at("psu.1").state, TargetState::kFailed);
  for (const bool is_exception : {true, false}) {
    const auto broken = [is_exception] {
      if (is_exception) throw std::runtime_error("broken");
      throw 1;
    };
    const auto ended = std::make_shared<std::promise<void>>();
    client.call_later(
        "work", {}, to("psu.1"), 5s,
        [ended, broken](const CallResult&) {
          ended->set_value();
          broken();
        },
        [broken](const Feedback&) { broken(); });
    ended->get_future().get();
  }
  EXPECT_TRUE(client.call("work", {}, to("psu.1"), 5s).all_done());
}

TEST_F(Events, TargetThatEndsMeanwhileIsLost) {
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

TEST_F(Events, ArgumentOfTheWrongTypeIsRefused) {
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

}  // namespace
}  // namespace tidemark
