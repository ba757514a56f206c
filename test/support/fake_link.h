// test/support/fake_link.h
//
// A bus::Link without a thread: it keeps what was published and asked, and the test is the rest
// of the bus. Callbacks run inside the call that causes them.
//
//   link.on("journal.append", [](bus::Call call) { call.done(…); });   answered at once
//   link.asked("monitor.put")[0].done(…);                              answered by hand

#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bus/link.h"

namespace tidemark::test {

/// The caller's end of a request that a test makes.
struct Asked {
  std::vector<Bytes> parts;
  std::optional<bus::Answer> answer;
  bool cancelled = false;
  bus::RequestOptions options;
  std::function<void(bus::Answer)> on_answer;
};

class AskedSink final : public bus::Call::Sink {
 public:
  explicit AskedSink(std::shared_ptr<Asked> asked) : asked_(std::move(asked)) {}

  void progress(Bytes payload) override {
    if (asked_->answer) return;
    asked_->parts.push_back(payload);
    if (asked_->options.on_progress) asked_->options.on_progress(std::move(payload));
  }
  void finish(bus::Answer answer) override {
    if (asked_->answer) return;
    asked_->answer = answer;
    if (asked_->on_answer) asked_->on_answer(std::move(answer));
  }
  bool cancelled() const override { return asked_->cancelled; }

 private:
  std::shared_ptr<Asked> asked_;
};

/// A request for an actor that serves; what it answers is in `asked`.
inline bus::Call call_of(const std::shared_ptr<Asked>& asked, std::string method, Bytes payload) {
  return {std::move(method), std::move(payload), bus::NodeNumber{1},
          steady_now() + asked->options.budget, std::make_shared<AskedSink>(asked)};
}

class FakeLink final : public bus::Link {
 public:
  struct Published {
    bus::FrameClass frame_class{};
    bus::StreamNumber stream = 0;
    std::uint64_t sequence = 0;
    std::uint32_t count = 0;
    Bytes payload;
  };
  struct Request {
    bus::NodeNumber node{};
    bus::Call call;
    std::shared_ptr<Asked> asked;
  };

  explicit FakeLink(bus::NodeInfo self) : self_(std::move(self)) {}

  // ---- What a test does.

  /// Requests of `method` go to `answer` from now on, the moment they are made.
  void on(const std::string& method, std::function<void(bus::Call)> answer) {
    answers_[method] = std::move(answer);
  }
  /// Requests of `method` that nobody took with on(), in order, answered or not.
  std::vector<bus::Call> asked(const std::string& method) const {
    std::vector<bus::Call> calls;
    for (const auto& each : requests_) {
      if (each.call.method() == method) calls.push_back(each.call);
    }
    return calls;
  }
  const std::deque<Request>& requests() const { return requests_; }

  /// What was published on a stream.
  std::vector<Published> published(bus::StreamNumber stream) const {
    std::vector<Published> some;
    for (const auto& each : published_) {
      if (each.stream == stream) some.push_back(each);
    }
    return some;
  }
  /// Another node's frame: whoever subscribed gets it.
  void deliver(const bus::FrameHeader& header, Bytes payload = {}) {
    const auto subscribers = subscribers_;
    for (const auto& each : subscribers) {
      if (each.stream == header.stream) each.on_frame({header, payload});
    }
  }
  /// Time goes by, and the timers that fall due in it run.
  void pass(Duration duration) {
    const auto until = now_ + duration;
    while (!timers_.empty() && timers_.begin()->first <= until) {
      auto job = std::move(timers_.begin()->second);
      now_ = std::max(now_, timers_.begin()->first);
      timers_.erase(timers_.begin());
      job();
    }
    now_ = until;
  }
  const std::vector<bus::NodeInfo>& peers() const { return peers_; }
  const std::vector<bus::NodeNumber>& redialed() const { return redialed_; }
  const std::vector<bus::StreamNumber>& retired() const { return retired_; }
  /// What another node would get; call_of() makes calls.
  void call(const bus::Call& call) { served_.at(call.method())(call); }
  bool serves(const std::string& method) const { return served_.contains(method); }
  /// Drops every callback: they hold the actors that hold this link.
  void forget() {
    requests_.clear();
    answers_.clear();
    subscribers_.clear();
    served_.clear();
    timers_.clear();
  }

  // ---- bus::Link

  const bus::NodeInfo& self() const override { return self_; }
  std::uint64_t publish(bus::FrameClass frame_class, bus::StreamNumber stream, std::uint32_t count,
                        BytesView payload) override {
    auto& next = next_[stream];
    const auto first = next + 1;
    next += count;
    published_.push_back({frame_class, stream, first, count, Bytes(payload)});
    return first;
  }
  void declare_stream(bus::FrameClass, bus::StreamNumber) override {}
  void retire_stream(bus::StreamNumber stream) override { retired_.push_back(stream); }
  bus::SubscriptionId subscribe(bus::FrameClass, bus::StreamId stream,
                                std::function<void(bus::Frame)> on_frame) override {
    const bus::SubscriptionId id{++subscriptions_};
    subscribers_.push_back({id, stream, std::move(on_frame)});
    return id;
  }
  void unsubscribe(bus::SubscriptionId subscription) override {
    std::erase_if(subscribers_, [&](const auto& each) { return each.id == subscription; });
  }
  void after(Duration delay, std::function<void()> job) override {
    timers_.emplace(now_ + delay, std::move(job));
  }
  SteadyTime now() const override { return now_; }
  void set_peer(const bus::NodeInfo& peer) override { peers_.push_back(peer); }
  void redial(bus::NodeNumber node) override { redialed_.push_back(node); }
  bus::CallId request(bus::NodeNumber node, std::string method, Bytes payload,
                      bus::RequestOptions options,
                      std::function<void(bus::Answer)> on_answer) override {
    auto asked = std::make_shared<Asked>();
    asked->options = std::move(options);
    asked->on_answer = std::move(on_answer);
    auto call = call_of(asked, std::move(method), std::move(payload));
    const auto answer = answers_.find(call.method());
    if (answer != answers_.end()) {
      answer->second(call);
    } else {
      requests_.push_back({node, call, asked});
    }
    return bus::make_call_id(bus::node_number(self_.uuid), self_.incarnation, ++calls_);
  }
  void cancel(bus::CallId) override {}
  void serve(std::string method, std::function<void(bus::Call)> on_call) override {
    served_[std::move(method)] = std::move(on_call);
  }
  bus::LinkCounters counters() const override { return {}; }
  void malformed(const std::string&, const std::string&) override {}

 private:
  const bus::NodeInfo self_;
  std::uint64_t calls_ = 0;
  std::deque<Request> requests_;
  std::map<std::string, std::function<void(bus::Call)>> answers_;
  std::vector<Published> published_;
  std::map<bus::StreamNumber, std::uint64_t> next_;
  struct Subscriber {
    bus::SubscriptionId id{};
    bus::StreamId stream;
    std::function<void(bus::Frame)> on_frame;
  };
  std::vector<Subscriber> subscribers_;
  std::uint64_t subscriptions_ = 0;
  std::multimap<SteadyTime, std::function<void()>> timers_;
  SteadyTime now_ = steady_now();
  std::vector<bus::NodeInfo> peers_;
  std::vector<bus::NodeNumber> redialed_;
  std::vector<bus::StreamNumber> retired_;
  std::map<std::string, std::function<void(bus::Call)>> served_;
};

/// A node of that name, as a test's link is one.
inline bus::NodeInfo node_called(const std::string& name, bus::Incarnation incarnation = 1) {
  bus::NodeInfo info;
  info.name = name;
  info.kind = name;
  info.uuid = bus::node_uuid("test", name);
  info.incarnation = incarnation;
  info.host = "host";
  info.pid = 1000 + incarnation;
  return info;
}
inline bus::NodeNumber number_of(const std::string& name) {
  return bus::node_number(node_called(name).uuid);
}

}  // namespace tidemark::test
