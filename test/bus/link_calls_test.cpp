// test/bus/link_calls_test.cpp
//
// What every Link promises of calls.

#include <thread>

#include "answer_text.h"
#include "link_contract.h"

namespace tidemark::bus {
namespace {

TEST_P(LinkContract, RequestIsAnswered) {
  serve_echo();
  EXPECT_EQ(text(get(ask("echo", "hello"))), "hello");
  EXPECT_EQ(server_->counters().requests_served, 1U);
}

TEST_P(LinkContract, AnswerMayComeFromAnyThreadAtAnyTime) {
  Received<Call> calls;
  server_->serve("later", [&](Call call) { calls.add(std::move(call)); });
  auto answer = ask("later", "x");
  calls.wait_for(1).front().done("now");
  EXPECT_EQ(text(get(std::move(answer))), "now");
}

TEST_P(LinkContract, ServerKnowsWhoAsksAndForHowLong) {
  Received<Call> calls;
  server_->serve("who", [&](Call call) { calls.add(std::move(call)); });
  auto answer = ask("who", {}, 10s);
  const auto call = calls.wait_for(1).front();
  EXPECT_EQ(call.caller(), node_number(client_->self().uuid));
  EXPECT_LE(call.deadline(), steady_now() + 10s);
  EXPECT_GT(call.deadline(), steady_now());
  call.fail(Error{Code::kRefused, "curious"});
  EXPECT_EQ(text(get(std::move(answer))), text(Code::kRefused, "curious"));
}

TEST_P(LinkContract, ProgressComesBeforeTheAnswer) {
  server_->serve("work", [](Call call) {
    call.progress("1");
    call.progress("2");
    call.done("3");
  });
  Received<std::string> heard;
  RequestOptions options;
  options.budget = kPatience;
  options.on_progress = [&](Bytes payload) { heard.add(std::move(payload)); };
  client_->request(server(), "work", {}, std::move(options), [&](Answer answer) {
    heard.add(answer ? std::move(answer).value() : answer.error().message);
  });
  EXPECT_EQ(heard.wait_for(3), (std::vector<std::string>{"1", "2", "3"}));
}

TEST_P(LinkContract, CallWithoutAnswerTimesOut) {
  Received<Call> calls;
  server_->serve("silence", [&](Call call) { calls.add(std::move(call)); });
  EXPECT_EQ(code(ask("silence", {}, 300ms)), Code::kTimeout);
  EXPECT_EQ(client_->counters().requests_timed_out, 1U);
  calls.wait_for(1);  // before it goes
}

TEST_P(LinkContract, LateAnswerIsIgnored) {
  Received<Call> calls;
  server_->serve("late", [&](Call call) { calls.add(std::move(call)); });
  serve_echo();
  EXPECT_EQ(code(ask("late", {}, 300ms)), Code::kTimeout);
  calls.wait_for(1).front().done("too late");
  EXPECT_EQ(text(get(ask("echo", "next"))), "next");
}

TEST_P(LinkContract, SecondAnswerIsIgnored) {
  server_->serve("twice", [](Call call) {
    call.done("first");
    call.done("second");
    call.fail(Error{Code::kFailed, "third"});
  });
  EXPECT_EQ(text(get(ask("twice"))), "first");
}

TEST_P(LinkContract, UnknownMethodIsNotFound) {
  server_->set_peer(server_->self());
  std::promise<void> told;
  server_->after(Duration{0}, [&] { told.set_value(); });
  told.get_future().wait();
  const auto answer = get(ask("dance"));
  EXPECT_EQ(text(answer), text(Code::kNotFound, "no method 'dance' on node server"));
}

TEST_P(LinkContract, MethodOfANodeThatIsStartingIsUnavailable) {
  EXPECT_EQ(text(get(ask("dance"))), text(Code::kUnavailable, "server is starting"));
  server_->serve("dance", [](Call call) { call.done("yes"); });
  EXPECT_EQ(text(get(ask("dance"))), "yes");
}

TEST_P(LinkContract, UnknownNodeIsUnavailableAtOnce) {
  std::promise<Answer> promise;
  client_->request(NodeNumber{42}, "echo", {}, {},
                   [&](Answer answer) { promise.set_value(std::move(answer)); });
  EXPECT_EQ(code(promise.get_future()), Code::kUnavailable);
}

TEST_P(LinkContract, DroppedCallFails) {
  server_->serve("drop", [](const Call&) {});
  EXPECT_EQ(code(ask("drop")), Code::kFailed);
}

TEST_P(LinkContract, HandlerThatThrowsFailsItsCallAndNothingElse) {
  server_->serve("throw", [](const Call&) { throw std::runtime_error("oops"); });
  serve_echo();
  EXPECT_EQ(code(ask("throw")), Code::kFailed);
  EXPECT_EQ(text(get(ask("echo", "alive"))), "alive");
}

TEST_P(LinkContract, CancellationReachesTheServer) {
  Received<Call> calls;
  server_->serve("long", [&](Call call) { calls.add(std::move(call)); });
  auto answer = ask("long");
  const auto call = calls.wait_for(1).front();
  EXPECT_FALSE(call.cancelled());
  client_->cancel(asked_);
  const auto deadline = steady_now() + kPatience;
  while (!call.cancelled() && steady_now() < deadline) std::this_thread::yield();
  EXPECT_TRUE(call.cancelled());
  call.fail(Error{Code::kRefused, "cancelled"});
  EXPECT_EQ(code(std::move(answer)), Code::kRefused);
}

TEST_P(LinkContract, CallsEndAtOnceWhenTheirNodeIsGone) {
  Received<Call> calls;
  server_->serve("hold", [&](Call call) { calls.add(std::move(call)); });
  auto answer = ask("hold");
  calls.wait_for(1);
  auto gone = server_->self();
  gone.state = NodeState::kDisconnected;
  client_->set_peer(gone);
  EXPECT_EQ(text(get(std::move(answer))), text(Code::kUnavailable, "server is gone"));
  EXPECT_EQ(code(ask("hold")), Code::kUnavailable);
}

TEST_P(LinkContract, CallsGoToTheNewIncarnationAfterARestart) {
  Received<Call> calls;
  server_->serve("hold", [&](Call call) { calls.add(std::move(call)); });
  auto answer = ask("hold");
  calls.wait_for(1);

  server_.reset();
  server_ = network_->open(node("server", 2));
  serve_echo();
  client_->set_peer(server_->self());
  EXPECT_EQ(text(get(std::move(answer))), text(Code::kUnavailable, "server restarted"));
  EXPECT_EQ(text(get(ask("echo", "new"))), "new");
}

TEST_P(LinkContract, OldNewsAboutANodeIsIgnored) {
  serve_echo();
  auto old = server_->self();
  old.incarnation = 0;
  old.state = NodeState::kStopped;
  client_->set_peer(old);
  EXPECT_EQ(text(get(ask("echo", "still"))), "still");
}

TEST_P(LinkContract, CallToANodeThatCannotBeReachedIsUnavailableAfterItsBudget) {
  const auto address = server_->self();
  server_.reset();
  client_->set_peer(address);
  EXPECT_EQ(code(ask("echo", {}, 200ms)), Code::kUnavailable);
}

TEST_P(LinkContract, TenThousandPipelinedRequestsAreAllAnsweredInOrder) {
  serve_echo();
  constexpr std::size_t kCount = 10'000;
  Received<Answer> answers;
  RequestOptions options;
  options.budget = kPatience;
  for (std::size_t i = 0; i < kCount; ++i) {
    client_->request(server(), "echo", std::to_string(i), options,
                     [&](Answer answer) { answers.add(std::move(answer)); });
  }
  const auto all = answers.wait_for(kCount);
  ASSERT_EQ(all.size(), kCount);
  for (std::size_t i = 0; i < kCount; ++i) ASSERT_EQ(text(all[i]), std::to_string(i));
}

TEST_P(LinkContract, TenMebibytesGoThereAndBack) {
  serve_echo();
  Bytes big(10u << 20, '\0');
  for (std::size_t i = 0; i < big.size(); ++i) big[i] = static_cast<char>(i * 7 + i / 251);
  EXPECT_TRUE(text(get(ask("echo", big))) == big);  // no EXPECT_EQ: nobody wants to read it
}

TEST_P(LinkContract, RequestThatIsTooLargeIsRefused) {
  serve_echo();
  EXPECT_EQ(code(ask("echo", Bytes(kEnvelopeBytesMax, 'x'))), Code::kInvalidArgument);
}

TEST_P(LinkContract, NodeMayAskItself) {
  serve_echo();
  server_->set_peer(server_->self());
  std::promise<Answer> promise;
  server_->request(server(), "echo", "me", {},
                   [&](Answer answer) { promise.set_value(std::move(answer)); });
  EXPECT_EQ(text(get(promise.get_future())), "me");
}

TEST_P(LinkContract, CallbackMayUseTheLink) {
  serve_echo();
  std::promise<Answer> promise;
  client_->request(server(), "echo", "1", {}, [&](const Answer&) {
    client_->request(server(), "echo", "2", {},
                     [&](Answer answer) { promise.set_value(std::move(answer)); });
  });
  EXPECT_EQ(text(get(promise.get_future())), "2");
}

TEST_P(LinkContract, OpenCallsEndWhenTheirLinkCloses) {
  Received<Call> calls;
  server_->serve("hold", [&](Call call) { calls.add(std::move(call)); });
  auto answer = ask("hold");
  calls.wait_for(1);
  client_.reset();
  EXPECT_EQ(code(std::move(answer)), Code::kUnavailable);
}

TEST_P(LinkContract, CallMayOutliveItsLink) {
  Received<Call> calls;
  server_->serve("hold", [&](Call call) { calls.add(std::move(call)); });
  auto answer = ask("hold", {}, 1s);
  const auto call = calls.wait_for(1).front();
  server_.reset();
  call.done("nobody hears this");
  EXPECT_EQ(code(std::move(answer)), Code::kTimeout);
}

}  // namespace
}  // namespace tidemark::bus
