// bus/in_streams.h
//
// The streams that a node reads: hands each frame to whoever listens, and drops those of older
// incarnations, and those that lay waiting while this process stood still. The other end is
// bus/out_streams.h. Only on the loop thread.

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>
#include <vector>

#include "bus/clock.h"
#include "bus/loop_counters.h"
#include "bus/peers.h"
#include "bus/transport.h"

namespace tidemark::bus {

class InStreams {
 public:
  InStreams(Transport& transport, const Peers& peers, Clock clock, LoopCounters& counters)
      : transport_(transport), peers_(peers), clock_(std::move(clock)), counters_(counters) {}

  void subscribe(SubscriptionId id, FrameClass frame_class, StreamId stream,
                 std::function<void(Frame)> on_frame);
  /// Also before its subscribe(), which then does nothing.
  void unsubscribe(SubscriptionId id);

  /// What the peers learned about one of them: its connection follows.
  void on_peer(NodeNumber number, const Peers::Change& change);
  /// A new connection to it, if it is alive.
  void redial(NodeNumber publisher);

  /// Frames from before `now` are skipped for a while.
  void stood_still(SteadyTime now) { stood_still_at_ = now; }
  /// Looks at no more of it than when it was sent.
  bool skips(BytesView frame);
  void on_frame(const FrameView& frame);

 private:
  struct Subscription {
    SubscriptionId id;
    FrameClass frame_class;
    std::function<void(Frame)> on_frame;
    bool gone = false;
  };
  using Subscriptions = std::vector<std::shared_ptr<Subscription>>;

  bool reads(NodeNumber publisher) const;

  Transport& transport_;
  const Peers& peers_;
  const Clock clock_;
  LoopCounters& counters_;
  std::map<StreamId, Subscriptions> subscriptions_;
  std::set<SubscriptionId> forgotten_;  // before they were carried out
  std::unordered_map<NodeNumber, Incarnation> newest_;
  SteadyTime stood_still_at_{};  // 0: not at all
};

}  // namespace tidemark::bus
