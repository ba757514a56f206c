// bus/engine.h
//
// The Link, on any Transport: everything that is decided is decided here and in the parts of the
// loop, so the link in memory and the link on ZeroMQ behave the same.
//
//   any thread ── Outbox, OutStreams ──► loop thread ──► Transport ──► others
//   callbacks  ◄──────────────────────── loop thread ◄── Transport ◄── others
//
//   Peers          where the others are     Requests       our calls of others
//   InStreams      frames of others         ServedCalls    their calls of us
//                                           SlowCallers    answers that wait for room
//
// A simulation has no loop thread: it brings a clock and calls turn() itself.

#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "bus/in_streams.h"
#include "bus/link.h"
#include "bus/loop_counters.h"
#include "bus/out_streams.h"
#include "bus/outbox.h"
#include "bus/peers.h"
#include "bus/requests.h"
#include "bus/served_calls.h"
#include "bus/slow_callers.h"
#include "bus/transport.h"

namespace tidemark::bus {

struct EngineOptions {
  Clock clock;
  bool has_thread = true;  // false: whoever made it calls turn()
};

class Engine final : public Link, private Transport::Receiver {
 public:
  /// A loop that stood still for so long has old frames before it, which it need not read.
  static constexpr Duration kStandstill = std::chrono::milliseconds(1500);
  /// Requests that come within so long after a standstill may have waited through all of it.
  static constexpr Duration kWaitedThrough = std::chrono::seconds(1);

  /// Starts the loop thread. `self` names the endpoints where the transport is bound.
  Engine(NodeInfo self, std::unique_ptr<Transport> transport, EngineOptions options = {});
  /// Sends what waits, ends the open calls with kUnavailable, joins the loop thread.
  ~Engine() override;

  const NodeInfo& self() const override { return self_; }
  std::uint64_t publish(FrameClass frame_class, StreamNumber stream, std::uint32_t count,
                        BytesView payload) override;
  void declare_stream(FrameClass frame_class, StreamNumber stream) override;
  void retire_stream(StreamNumber stream) override;
  SubscriptionId subscribe(FrameClass frame_class, StreamId stream,
                           std::function<void(Frame)> on_frame) override;
  void unsubscribe(SubscriptionId subscription) override;
  void set_peer(const NodeInfo& peer) override;
  void redial(NodeNumber node) override;
  CallId request(NodeNumber node, std::string method, Bytes payload, RequestOptions options,
                 std::function<void(Answer)> on_answer) override;
  void cancel(CallId call) override;
  void serve(std::string method, std::function<void(Call)> on_call) override;
  void after(Duration delay, std::function<void()> job) override;
  SteadyTime now() const override { return clock_.steady(); }
  LinkCounters counters() const override;
  void malformed(const std::string& source, const std::string& what) override {
    on_malformed(source, what);
  }

  /// One round of the loop; waits at most `wait_max` for something to do.
  void turn(Duration wait_max);
  /// How long the loop may sleep when nothing arrives.
  Duration until_next() const;

  /// The answer to a call that we serve; ServedCalls sends it here. Only on the loop thread.
  void answer(const Bytes& caller, CallId id, SteadyTime deadline, Bytes envelope, bool final);

 private:
  using Handler = std::shared_ptr<const std::function<void(Call)>>;

  // Transport::Receiver
  void on_frame(BytesView bytes) override;
  void on_subscribed(BytesView prefix) override;
  void on_request(const Bytes& caller, BytesView envelope) override;
  void on_answer(NodeNumber server, BytesView envelope) override;
  void on_malformed(std::string_view source, std::string_view what) override;

  void run();
  void look_at_clock();
  Duration may_have_waited() const;
  void finish();
  void run_timers();
  void send_frames();
  bool on_loop() const { return std::this_thread::get_id() == loop_.load(); }
  void learn(const NodeInfo& info);
  void serve_again(const Call& call);

  // Constant after construction.
  const NodeInfo self_;
  const NodeNumber number_;
  const Clock clock_;
  const std::unique_ptr<Transport> transport_;
  const std::shared_ptr<Outbox> outbox_;

  OutStreams out_;
  std::atomic<std::uint64_t> next_call_{1};
  std::atomic<std::uint64_t> next_subscription_{1};
  std::atomic<std::thread::id> loop_{};
  std::atomic<bool> stopping_{false};

  std::mutex handlers_mutex_;
  std::map<std::string, Handler, std::less<>> handlers_;  // guarded by handlers_mutex_

  LoopCounters counters_;

  // Only on the loop thread.
  Peers peers_;
  InStreams in_;
  Requests requests_;
  ServedCalls served_;
  SlowCallers slow_callers_;
  std::map<std::string, SteadyTime, std::less<>> complained_;  // when about which source
  std::multimap<SteadyTime, std::function<void()>> timers_;
  SteadyTime looked_at_{};  // at the clock
  Duration may_sleep_{0};   // since then
  Duration stood_still_{0};
  SteadyTime stood_still_until_{};
  bool complete_ = false;  // all methods are there

  std::thread thread_;
};

}  // namespace tidemark::bus
