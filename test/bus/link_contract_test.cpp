// test/bus/link_contract_test.cpp
//
// What every Link promises, on every Link: in memory, and on ZeroMQ over ipc, tcp, and tcp with
// keys.

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "answer_text.h"
#include "bus/ask_again.h"
#include "bus/memory_link.h"
#include "bus/zmq_link.h"

namespace tidemark::bus {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 20s;  // for a loaded machine; a passing test needs milliseconds

/// Opens links of one kind. Opening a name again while its link lives is the test's mistake.
class Network {
 public:
  virtual ~Network() = default;
  virtual std::unique_ptr<Link> open(NodeInfo self) = 0;
};

class MemoryNetwork : public Network {
 public:
  std::unique_ptr<Link> open(NodeInfo self) override { return bus_.open(std::move(self)); }

 private:
  MemoryBus bus_;
};

class ZmqNetwork : public Network {
 public:
  enum class Over { kIpc, kTcp, kCurve };

  explicit ZmqNetwork(Over over) : over_(over) {
    std::string name = "/tmp/tidemark-bus-XXXXXX";
    directory_ = ::mkdtemp(name.data());
    if (over_ != Over::kCurve) return;
    // One pair for all: who may connect is the subject of curve_test.cpp.
    keys_ = make_curve_keys();
    EXPECT_TRUE(save_curve_keys(directory_, "all", *keys_, false));
    EXPECT_TRUE(allow_key(directory_, "all"));
  }
  ~ZmqNetwork() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<Link> open(NodeInfo self) override {
    ZmqLinkOptions options;
    const auto path = "ipc://" + directory_ + "/" + self.name;
    const bool ipc = over_ == Over::kIpc;
    options.bind_data = {ipc ? path + ".data" : "tcp://127.0.0.1:*"};
    options.bind_requests = {ipc ? path + ".requests" : "tcp://127.0.0.1:*"};
    options.keys = keys_;
    options.key_directory = directory_;
    options.self = std::move(self);
    auto link = open_zmq_link(std::move(options));
    EXPECT_TRUE(link.ok()) << link.error().message;
    return std::move(link).value();
  }

 private:
  const Over over_;
  std::string directory_;
  std::optional<CurveKeys> keys_;
};

NodeInfo node(std::string name, Incarnation incarnation = 1) {
  NodeInfo info;
  info.uuid = node_uuid("test", name);
  info.name = std::move(name);
  info.incarnation = incarnation;
  return info;
}

/// What callbacks brought, for a test that waits for it.
template <class T>
class Received {
 public:
  void add(T value) {
    // Told under the lock: who waits may go as soon as it has what it wants.
    const std::lock_guard lock(mutex_);
    values_.push_back(std::move(value));
    changed_.notify_all();
  }
  /// Waits until `enough` holds of all values so far, and returns them.
  template <class Enough>
  std::vector<T> wait(Enough enough) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, kPatience, [&] { return enough(values_); }));
    return values_;
  }
  std::vector<T> wait_for(std::size_t count) {
    return wait([&](const auto& values) { return values.size() >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<T> values_;
};

class LinkContract : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const std::string kind = GetParam();
    if (kind == "memory") network_ = std::make_unique<MemoryNetwork>();
    if (kind == "ipc") network_ = std::make_unique<ZmqNetwork>(ZmqNetwork::Over::kIpc);
    if (kind == "tcp") network_ = std::make_unique<ZmqNetwork>(ZmqNetwork::Over::kTcp);
    if (kind == "curve") network_ = std::make_unique<ZmqNetwork>(ZmqNetwork::Over::kCurve);
    server_ = network_->open(node("server"));
    client_ = network_->open(node("client"));
    client_->set_peer(server_->self());
  }
  void TearDown() override {
    client_.reset();
    server_.reset();
  }

  StreamId stream() const { return {node_number(server_->self().uuid), kLiveStream}; }
  NodeNumber server() const { return node_number(node_uuid("test", "server")); }

  std::future<Answer> ask(std::string method, Bytes payload = {}, Duration budget = kPatience) {
    auto promise = std::make_shared<std::promise<Answer>>();
    RequestOptions options;
    options.budget = budget;
    asked_ = client_->request(server(), std::move(method), std::move(payload), std::move(options),
                              [promise](Answer answer) { promise->set_value(std::move(answer)); });
    return promise->get_future();
  }
  static Answer get(std::future<Answer> answer) {
    if (answer.wait_for(kPatience + 5s) != std::future_status::ready) {
      ADD_FAILURE() << "no answer at all";
      return Error{Code::kFailed, "no answer at all"};
    }
    return answer.get();
  }
  /// The code of an answer that should be a failure.
  static Code code(std::future<Answer> answer) {
    const auto got = get(std::move(answer));
    EXPECT_FALSE(got.ok());
    return got.ok() ? Code{} : got.error().code;
  }
  void serve_echo() {
    server_->serve("echo", [](Call call) { call.done(call.payload()); });
  }
  /// Waits until frames of the stream would arrive.
  void join(Received<Frame>& received) {
    server_->declare_stream(FrameClass::kState, kLiveStream);
    client_->subscribe(FrameClass::kState, stream(),
                       [&](Frame frame) { received.add(std::move(frame)); });
    received.wait_for(1);
  }
  static auto has_data(std::size_t count) {
    return [count](const std::vector<Frame>& frames) {
      std::size_t data = 0;
      for (const auto& frame : frames) data += frame.header.count > 0;
      return data >= count;
    };
  }

  std::unique_ptr<Network> network_;
  std::unique_ptr<Link> server_;
  std::unique_ptr<Link> client_;
  CallId asked_;
};

INSTANTIATE_TEST_SUITE_P(Every, LinkContract, testing::Values("memory", "ipc", "tcp", "curve"),
                         [](const auto& each) { return std::string(each.param); });

// ---- streams

TEST_P(LinkContract, DeclaredStreamTellsASubscriberThatItIsSubscribed) {
  Received<Frame> received;
  join(received);
  const auto first = received.wait_for(1).front();
  EXPECT_EQ(first.header.frame_class, FrameClass::kHeartbeat);
  EXPECT_EQ(first.header.sequence, 0U);
  EXPECT_EQ(first.header.stream, stream());
}

TEST_P(LinkContract, FramesArriveNumberedAndInOrder) {
  Received<Frame> received;
  join(received);
  EXPECT_EQ(server_->publish(FrameClass::kState, kLiveStream, 3, "abc"), 1U);
  EXPECT_EQ(server_->publish(FrameClass::kState, kLiveStream, 1, "d"), 4U);

  const auto frames = received.wait(has_data(2));
  std::vector<Frame> data;
  for (const auto& frame : frames) {
    if (frame.header.count > 0) data.push_back(frame);
  }
  EXPECT_EQ(data[0].header.sequence, 1U);
  EXPECT_EQ(data[0].header.count, 3U);
  EXPECT_EQ(data[0].payload, "abc");
  EXPECT_EQ(data[1].header.sequence, 4U);
  EXPECT_EQ(data[1].payload, "d");
}

TEST_P(LinkContract, HeartbeatAfterTheLastFrameSaysItsSequence) {
  Received<Frame> received;
  join(received);
  server_->publish(FrameClass::kState, kLiveStream, 5, "abcde");
  received.wait([](const std::vector<Frame>& frames) {
    return frames.back().header.frame_class == FrameClass::kHeartbeat &&
           frames.back().header.sequence == 5;
  });
}

TEST_P(LinkContract, OtherStreamsAndClassesStayAway) {
  Received<Frame> received;
  join(received);
  server_->publish(FrameClass::kState, kJobStream, 1, "other stream");
  server_->publish(FrameClass::kEvent, kLiveStream, 1, "other class");
  server_->publish(FrameClass::kState, kLiveStream, 1, "mine");
  for (const auto& frame : received.wait(has_data(1))) {
    if (frame.header.count > 0) {
      EXPECT_EQ(frame.payload, "mine");
    }
  }
}

TEST_P(LinkContract, SubscriptionOfAnUnknownNodeWaitsForIt) {
  const auto late_node = node("late");
  const StreamId late_stream{node_number(late_node.uuid), kLiveStream};
  Received<Frame> received;
  client_->subscribe(FrameClass::kState, late_stream,
                     [&](Frame frame) { received.add(std::move(frame)); });
  const auto late = network_->open(late_node);
  late->declare_stream(FrameClass::kState, kLiveStream);
  client_->set_peer(late->self());
  received.wait_for(1);
  client_.reset();
}

TEST_P(LinkContract, SubscriptionFollowsARestartedPublisher) {
  Received<Frame> received;
  join(received);
  server_.reset();
  server_ = network_->open(node("server", 2));
  server_->publish(FrameClass::kState, kLiveStream, 1, "again");
  client_->set_peer(server_->self());
  received.wait([](const auto& frames) { return frames.back().header.incarnation == 2; });
  client_.reset();
}

TEST_P(LinkContract, FramesOfAnOlderIncarnationAreFenced) {
  Received<Frame> received;
  join(received);
  auto newer = server_->self();
  newer.incarnation = 2;  // as the directory says; the process that we hear is the old one
  client_->set_peer(newer);
  const auto deadline = steady_now() + kPatience;
  while (client_->counters().stale == 0 && steady_now() < deadline) {
    server_->publish(FrameClass::kState, kLiveStream, 1, "stale");
    std::this_thread::yield();
  }
  EXPECT_GT(client_->counters().stale, 0U);
  client_.reset();
}

TEST_P(LinkContract, NothingComesAfterUnsubscribingInsideTheCallback) {
  server_->declare_stream(FrameClass::kState, kLiveStream);
  Received<Frame> once;
  const auto id = std::make_shared<std::promise<SubscriptionId>>();
  const auto known = id->get_future().share();
  id->set_value(client_->subscribe(FrameClass::kState, stream(), [&, known](Frame frame) {
    if (known.wait_for(kPatience) != std::future_status::ready) return;
    client_->unsubscribe(known.get());
    once.add(std::move(frame));
  }));
  once.wait_for(1);
  Received<Frame> other;  // Of the same stream: what it gets, the first would have got before.
  join(other);
  server_->publish(FrameClass::kState, kLiveStream, 1, "x");
  other.wait(has_data(1));
  EXPECT_EQ(once.wait_for(1).size(), 1U);
}

TEST_P(LinkContract, OneSubscriptionEndsAndAnotherOfTheSameStreamGoesOn) {
  Received<Frame> first;
  Received<Frame> second;
  server_->declare_stream(FrameClass::kState, kLiveStream);
  const auto id = client_->subscribe(FrameClass::kState, stream(),
                                     [&](Frame frame) { first.add(std::move(frame)); });
  first.wait_for(1);
  join(second);
  std::promise<void> done;
  client_->unsubscribe(id);
  client_->after(0ms, [&] { done.set_value(); });
  done.get_future().wait();
  const auto heard = first.wait_for(1).size();
  server_->publish(FrameClass::kState, kLiveStream, 1, "x");
  second.wait(has_data(1));
  EXPECT_EQ(first.wait_for(1).size(), heard);
}

TEST_P(LinkContract, SubscriptionMayEndBeforeItWasCarriedOut) {
  Received<Frame> never;
  Received<Frame> other;
  std::promise<void> done;
  server_->declare_stream(FrameClass::kState, kLiveStream);
  // On the loop thread: the subscription waits for the loop, the end of it does not.
  client_->after(0ms, [&] {
    const auto id = client_->subscribe(FrameClass::kState, stream(),
                                       [&](Frame frame) { never.add(std::move(frame)); });
    client_->unsubscribe(id);
    done.set_value();
  });
  done.get_future().wait();
  join(other);
  server_->publish(FrameClass::kState, kLiveStream, 1, "x");
  other.wait(has_data(1));
  EXPECT_TRUE(never.wait_for(0).empty());
}

TEST_P(LinkContract, TimersRunInTheOrderOfTheirTimesOnTheLoopThread) {
  Received<std::string> heard;
  const auto loop = std::make_shared<std::promise<std::thread::id>>();
  client_->after(0ms, [&, loop] {
    loop->set_value(std::this_thread::get_id());
    client_->after(40ms, [&] { heard.add("third"); });
    client_->after(20ms, [&] {
      heard.add("first");
      client_->after(0ms, [&] { heard.add("second"); });
    });
  });
  EXPECT_EQ(heard.wait_for(3), (std::vector<std::string>{"first", "second", "third"}));
  EXPECT_TRUE(loop->get_future().get() != std::this_thread::get_id());
}

TEST_P(LinkContract, TimerOfALinkThatClosedNeverRuns) {
  auto ran = std::make_shared<std::atomic<bool>>(false);
  client_->after(1h, [ran] { *ran = true; });
  client_.reset();
  EXPECT_FALSE(*ran);
  EXPECT_EQ(ran.use_count(), 1);
}

TEST_P(LinkContract, FramesThatWereLostAreToBeHadAgain) {
  Received<Frame> received;
  join(received);
  server_->publish(FrameClass::kState, kLiveStream, 2, "ab");
  server_->publish(FrameClass::kState, kLiveStream, 1, "c");
  server_->publish(FrameClass::kState, kLiveStream, 1, "d");
  received.wait(has_data(3));

  Received<Result<std::vector<Frame>>> again;
  const auto ask = [&](Incarnation incarnation, std::uint64_t from, std::uint64_t to) {
    ask_again(*client_, stream(), {incarnation, from, to},
              [&](Result<std::vector<Frame>> frames) { again.add(std::move(frames)); });
  };
  ask(1, 3, 4);
  const auto frames = again.wait_for(1).at(0);
  ASSERT_TRUE(frames) << frames.error().message;
  ASSERT_EQ(frames.value().size(), 2U);
  EXPECT_EQ(frames.value()[0].header.sequence, 3U);
  EXPECT_EQ(frames.value()[0].payload, "c");
  EXPECT_EQ(frames.value()[1].payload, "d");
  EXPECT_EQ(server_->counters().frames_sent_again, 2U);

  ask(1, 4, 5);
  ask(2, 1, 1);
  const auto all = again.wait_for(3);
  EXPECT_EQ(all[1].error().code, Code::kNotFound);
  EXPECT_EQ(all[2].error().code, Code::kNotFound);
}

// ---- calls

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
