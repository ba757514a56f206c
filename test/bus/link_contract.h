// test/bus/link_contract.h
//
// Every Link, in memory and on ZeroMQ over ipc, tcp, and tcp with keys: the fixture of the tests of
// what all of them promise, of streams (link_streams_test.cpp) and of calls (link_calls_test.cpp).

#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "bus/ask_again.h"
#include "bus/memory_link.h"
#include "bus/zmq_link.h"

namespace tidemark::bus {

using namespace std::chrono_literals;

/// For a loaded machine; a passing test needs milliseconds.
inline constexpr auto kPatience = 20s;

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

inline NodeInfo node(std::string name, Incarnation incarnation = 1) {
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

}  // namespace tidemark::bus
