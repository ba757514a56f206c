// bus/in_streams.cpp

#include "bus/in_streams.h"

#include <algorithm>
#include <utility>

#include "bus/guarded.h"

namespace tidemark::bus {
namespace {

constexpr Duration kSkipMax = std::chrono::seconds(5);  // publishers' clocks may differ from ours
constexpr Duration kOld = std::chrono::seconds(1);

}  // namespace

void InStreams::subscribe(SubscriptionId id, FrameClass frame_class, StreamId stream,
                          std::function<void(Frame)> on_frame) {
  if (forgotten_.erase(id) > 0) return;
  subscriptions_[stream].push_back(
      std::make_shared<Subscription>(Subscription{id, frame_class, std::move(on_frame)}));
  // Frames first: whoever gets a heartbeat gets the frames after it too.
  transport_.subscribe(subscription_prefix(frame_class, stream));
  transport_.subscribe(subscription_prefix(FrameClass::kHeartbeat, stream));
  const auto* publisher = peers_.find(stream.node);
  if (publisher != nullptr && !is_gone(publisher->state)) transport_.connect_data(*publisher);
}

void InStreams::unsubscribe(SubscriptionId id) {
  for (auto at = subscriptions_.begin(); at != subscriptions_.end(); ++at) {
    auto& all = at->second;
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const auto& each) { return each->id == id; });
    if (found == all.end()) continue;
    (*found)->gone = true;
    transport_.unsubscribe(subscription_prefix((*found)->frame_class, at->first));
    transport_.unsubscribe(subscription_prefix(FrameClass::kHeartbeat, at->first));
    all.erase(found);
    if (all.empty()) subscriptions_.erase(at);
    return;
  }
  forgotten_.insert(id);  // Its subscribe() waits for the loop still.
}

bool InStreams::reads(NodeNumber publisher) const {
  const auto first = subscriptions_.lower_bound(StreamId{publisher, 0});
  return first != subscriptions_.end() && first->first.node == publisher;
}

void InStreams::on_peer(NodeNumber number, const Peers::Change& change) {
  const auto& publisher = *peers_.find(number);
  const bool alive = !is_gone(publisher.state);
  // A connection that died with its process comes back by itself, but only at the next attempt;
  // a new one is there at once. Unless frames of the new incarnation show that it is back.
  auto& newest = newest_[number];
  const bool is_back = newest == publisher.incarnation;
  newest = std::max(newest, publisher.incarnation);
  if (change.was_alive && (!alive || change.data_moved || (change.restarted && !is_back))) {
    transport_.disconnect_data(number);
  }
  if (alive && reads(number)) transport_.connect_data(publisher);
}

void InStreams::redial(NodeNumber publisher) {
  const auto* peer = peers_.find(publisher);
  if (peer == nullptr || is_gone(peer->state)) return;
  transport_.disconnect_data(publisher);
  if (reads(publisher)) transport_.connect_data(*peer);
}

bool InStreams::skips(BytesView frame) {
  if (stood_still_at_ == SteadyTime{}) return false;
  if (clock_.steady() - stood_still_at_ > kSkipMax) {
    stood_still_at_ = SteadyTime{};
    return false;
  }
  const auto sent_at = frame_sent_at(frame);
  return sent_at && clock_.utc() - *sent_at > kOld;
}

void InStreams::on_frame(const FrameView& frame) {
  const auto& header = frame.header;
  const auto found = subscriptions_.find(header.stream);
  if (found == subscriptions_.end()) return;
  auto& newest = newest_[header.stream.node];
  if (header.incarnation < newest) {
    counters_.stale += 1;
    return;
  }
  newest = header.incarnation;
  counters_.frames_received += 1;
  const bool is_heartbeat = header.frame_class == FrameClass::kHeartbeat;
  const Subscriptions listeners = found->second;  // A callback may change the original.
  for (const auto& listener : listeners) {
    if (listener->gone || (!is_heartbeat && listener->frame_class != header.frame_class)) continue;
    guarded("on_frame", [&] { listener->on_frame(Frame{header, Bytes(frame.payload)}); });
  }
}

}  // namespace tidemark::bus
