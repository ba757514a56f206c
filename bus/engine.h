// bus/engine.h
//
// The Link, on any Transport: everything that is decided is decided here, so the link in memory
// and the link on ZeroMQ behave the same.
//
//   any thread ── Outbox, OutStreams ──► loop thread ──► Transport ──► others
//   callbacks  ◄──────────────────────── loop thread ◄── Transport ◄── others
//
// A simulation has no loop thread: it brings a clock and calls turn() itself.

#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "bus/asked_calls.h"
#include "bus/link.h"
#include "bus/out_streams.h"
#include "bus/outbox.h"
#include "bus/served_calls.h"
#include "bus/transport.h"

namespace tidemark::bus {

struct EngineOptions {
  Clock clock;
  bool has_thread = true;  // false: whoever made it calls turn()
};

class Engine final : public Link, private Transport::Receiver {
 public:
  /// Requests that wait for a connection, per peer; answers that wait for room, per caller.
  static constexpr std::size_t kWaitingBytesMax = 64u << 20;
  /// Calls without an answer, of one link.
  static constexpr std::size_t kAskedMax = 1u << 17;
  /// A small request without a word is sent again: its connection may have broken meanwhile.
  static constexpr std::size_t kAgainBytesMax = 64u << 10;
  static constexpr Duration kPatience = std::chrono::seconds(1);
  /// A loop that stood still for so long has old frames before it, which it need not read.
  static constexpr Duration kStandstill = std::chrono::milliseconds(1500);

  /// Starts the loop thread. `self` names the endpoints where the transport is bound.
  Engine(NodeInfo self, std::unique_ptr<Transport> transport, EngineOptions options = {});
  /// Sends what waits, ends the open calls with kUnavailable, joins the loop thread.
  ~Engine() override;

  const NodeInfo& self() const override { return self_; }
  std::uint64_t publish(FrameClass frame_class, StreamNumber stream, std::uint32_t count,
                        BytesView payload) override;
  void declare_stream(FrameClass frame_class, StreamNumber stream) override;
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

  /// One round of the loop; waits at most `wait_max` for something to do.
  void turn(Duration wait_max);
  /// How long the loop may sleep when nothing arrives.
  Duration until_next() const;

  /// The answer to a call that we serve; ServedCalls sends it here. Only on the loop thread.
  void answer(const Bytes& caller, CallId id, SteadyTime deadline, Bytes envelope, bool final);

 private:
  struct WaitingRequest {
    CallId id;
    Bytes envelope;
    bool is_request;  // else a cancellation
  };
  struct Peer {
    NodeInfo info;
    bool alive = false;
    bool asked = false;  // its request endpoint is connected
    std::deque<WaitingRequest> waiting;
    std::size_t waiting_bytes = 0;
  };
  struct WaitingAnswer {
    SteadyTime deadline;
    Bytes envelope;
  };
  struct Caller {
    std::deque<WaitingAnswer> waiting;
    std::size_t bytes = 0;
  };
  struct Subscription {
    SubscriptionId id;
    FrameClass frame_class;
    std::function<void(Frame)> on_frame;
    bool gone = false;
  };
  using Subscriptions = std::vector<std::shared_ptr<Subscription>>;
  using Handler = std::shared_ptr<const std::function<void(Call)>>;

  // Transport::Receiver
  void on_frame(BytesView bytes) override;
  void on_subscribed(BytesView prefix) override;
  void on_request(const Bytes& caller, BytesView envelope) override;
  void on_answer(NodeNumber server, BytesView envelope) override;
  void on_malformed(std::string_view source, std::string_view what) override;

  void run();
  void finish();
  void send_frames();
  void run_jobs();
  void send_waiting();
  void send_again();
  void expire();
  void run_timers();
  bool stale_backlog(BytesView frame);
  bool on_loop() const { return std::this_thread::get_id() == loop_.load(); }
  void forget(SubscriptionId subscription);
  void serve_again(const Call& call);

  void learn(const NodeInfo& info);
  void connect_data(const Peer& peer);
  void ask(CallId id, SteadyTime deadline, Bytes envelope, AskedCall call);
  void give_up(CallId id);
  Transport::Sent send_now(NodeNumber node, WaitingRequest& request);
  void send_to(NodeNumber node, Peer& peer, WaitingRequest request);
  void end(AskedCall call, Answer answer);

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

  struct Counters {  // written by the loop thread
    std::atomic<std::uint64_t> frames_sent{0}, frames_received{0}, bytes_sent{0}, bytes_received{0},
        malformed{0}, stale{0}, requests_sent{0}, requests_served{0}, requests_timed_out{0},
        requests_sent_again{0}, requests_asked_twice{0}, frames_sent_again{0}, skipped{0},
        dropped{0};
  };
  Counters counters_;

  // Only on the loop thread.
  std::map<StreamId, Subscriptions> subscriptions_;
  std::set<SubscriptionId> forgotten_;  // before they were carried out
  std::map<NodeNumber, Peer> peers_;
  std::unordered_map<NodeNumber, Incarnation> newest_;
  AskedCalls asked_;
  ServedCalls served_;
  std::map<Bytes, Caller> slow_callers_;
  std::map<std::string, SteadyTime, std::less<>> complained_;  // when about which source
  std::multimap<SteadyTime, std::function<void()>> timers_;
  SteadyTime turned_at_{};
  SteadyTime stood_still_at_{};  // since when frames from before it are skipped; 0: not at all
  bool closing_ = false;

  std::thread thread_;
};

}  // namespace tidemark::bus
