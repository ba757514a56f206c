#include "subsystem/remote_keys.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "model/api/monitor.h"
#include "model/api/node.h"
#include "subsystem/own_keys.h"

namespace tidemark::subsystem {
namespace {

namespace api = model::api;
using api::Quality;

constexpr Duration kTick = std::chrono::seconds(1);

Result<bus::WholeState> read_state(std::vector<Bytes> progress, const Bytes& answer) {
  const auto end = model::unpack<api::StateEnd>(answer);
  if (!end) return end.error();
  if (end.value().parts != progress.size()) {
    return Error{Code::kUnavailable, "parts of the state are missing"};
  }
  for (const auto& part : progress) {
    if (const auto updates = model::unpack<api::KeyUpdates>(part); !updates) return updates.error();
  }
  return bus::WholeState{end.value().incarnation, end.value().sequence, std::move(progress)};
}

}  // namespace

// ---- KeySubscription ----------------------------------------------------------------------------

KeySubscription::KeySubscription(const std::string& pattern, Policy policy,
                                 std::function<void(const KeyEvent&)> on_event)
    : pattern_(pattern), policy_(policy), on_event_(std::move(on_event)) {}

bool KeySubscription::wants(const std::string& subsystem, const std::string& key) const {
  return pattern_.matches(subsystem, key);
}

void KeySubscription::deliver(KeyEvent event, const std::shared_ptr<KeySubscription>& self,
                              Executor& executor, ListenerSums& sums) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  if (policy_ == Policy::kLatest) {
    const auto [at, is_new] = waiting_.emplace(event.key, queue_.size());
    if (is_new) {
      queue_.push_back(std::move(event));
    } else {
      sums.conflated += 1;
      queue_[at->second] = std::move(event);
    }
  } else {
    if (queue_.size() >= kQueueMax) {
      queue_.pop_front();  // drain() sees the hole in the sequence
      sums.missed += 1;
    }
    queue_.push_back(std::move(event));
  }
  if (!posted_) posted_ = executor.post([self] { self->drain(); });
}

void KeySubscription::wake(const std::shared_ptr<KeySubscription>& self, Executor& executor) {
  const std::lock_guard lock(mutex_);
  if (queue_.empty() || posted_) return;
  posted_ = executor.post([self] { self->drain(); });
}

void KeySubscription::drain() {
  std::deque<KeyEvent> events;
  {
    const std::lock_guard lock(mutex_);
    events.swap(queue_);
    waiting_.clear();
    posted_ = false;
  }
  for (auto& event : events) {
    if (closed()) return;
    auto& told = told_[event.key];
    const Told now{event.incarnation, event.sequence, event.quality};
    if (now == told) continue;
    const bool goes_on = told.sequence > 0 && event.incarnation == told.incarnation &&
                         event.sequence > told.sequence;
    event.missed = goes_on ? event.sequence - told.sequence - 1 : 0;
    told = now;
    run_guarded("a key's listener", [&] { on_event_(event); });
  }
}

void KeySubscription::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  queue_.clear();
}

bool KeySubscription::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

// ---- RemoteKeys ---------------------------------------------------------------------------------

void RemoteKeys::open(const std::shared_ptr<bus::Link>& link, std::shared_ptr<Outbox> outbox) {
  std::vector<std::shared_ptr<KeySubscription>> early;
  {
    const std::lock_guard lock(mutex_);
    owned_ = link;
    early.swap(early_);
  }
  link->after(Duration{0}, [weak = weak_from_this(), at = link.get(), early = std::move(early),
                            outbox = std::move(outbox)] {
    const auto self = weak.lock();
    if (!self) return;
    self->link_ = at;
    self->outbox_ = outbox;
    for (const auto& subscription : early) self->add(subscription);
    self->tick();
  });
}

void RemoteKeys::tick() {
  link_->after(kTick, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->tick();
  });
  for (const auto& each : subscriptions_) each->wake(each, *executor_);
  const auto closed =
      std::erase_if(subscriptions_, [](const auto& each) { return each->closed(); });
  if (closed == 0) return;
  for (auto& [uuid, peer] : peers_) route(peer);
}

std::shared_ptr<KeySubscription> RemoteKeys::subscribe(
    const std::string& pattern, Policy policy, std::function<void(const KeyEvent&)> on_event) {
  auto made = std::make_shared<KeySubscription>(pattern, policy, std::move(on_event));
  const std::lock_guard lock(mutex_);
  if (const auto link = owned_.lock()) {
    link->after(Duration{0}, [weak = weak_from_this(), made] {
      if (const auto self = weak.lock()) self->add(made);
    });
  } else {
    early_.push_back(made);
  }
  return made;
}

void RemoteKeys::add(const std::shared_ptr<KeySubscription>& subscription) {
  subscriptions_.push_back(subscription);
  for (auto& [uuid, peer] : peers_) {
    route(peer);
    for (std::uint32_t key = 0; key < peer.routes.size(); ++key) {
      const auto& listeners = peer.routes[key];
      if (std::find(listeners.begin(), listeners.end(), subscription) == listeners.end()) continue;
      show(peer, key, {subscription});
    }
  }
}

void RemoteKeys::on_changes(const std::vector<bus::NodeInfo>& changed) {
  for (const auto& info : changed) learn(info);
}

void RemoteKeys::learn(const bus::NodeInfo& info) {
  auto& peer = peers_[info.uuid];
  const auto before = std::exchange(peer.info, info);
  if (before.surface != info.surface || before.incarnation != info.incarnation) {
    peer.surface_is_read = false;
    route(peer);
    show_all(peer);
  } else if (bus::is_gone(before.state) != bus::is_gone(info.state)) {
    show_all(peer);  // the values are as they were, their quality is not
  }
  if (info.state != bus::NodeState::kForgotten) return;
  if (peer.follower) stop_following(peer);
  peers_.erase(info.uuid);
}

void RemoteKeys::read_surface(Peer& peer) {
  if (std::exchange(peer.surface_is_read, true)) return;
  const auto& packed = peer.info.surface.bytes;
  auto surface =
      packed.empty() ? Result<api::Surface>(api::Surface{}) : model::unpack<api::Surface>(packed);
  if (!surface) {
    spdlog::warn("{} describes itself in a way that cannot be read: {}", peer.info.name,
                 surface.error().message);
  }
  peer.surface = surface ? std::move(surface).value() : api::Surface{};
}

void RemoteKeys::route(Peer& peer) {
  if (subscriptions_.empty() && !peer.follower) {
    peer.routes.clear();
    return;
  }
  read_surface(peer);
  peer.routes.assign(peer.surface.keys.size(), {});
  bool wanted = false;
  for (std::size_t key = 0; key < peer.surface.keys.size(); ++key) {
    const auto& spec = peer.surface.keys[key];
    if (!spec.published) continue;
    for (const auto& each : subscriptions_) {
      if (!each->wants(peer.info.name, spec.name)) continue;
      peer.routes[key].push_back(each);
      wanted = true;
    }
  }
  if (wanted && !peer.follower) follow(peer);
  if (!wanted && peer.follower) {
    stop_following(peer);
    peer.last.clear();
  }
}

void RemoteKeys::stop_following(Peer& peer) {
  count(peer);
  peer.counted = {};
  std::exchange(peer.follower, nullptr)->stop();
}

void RemoteKeys::follow(Peer& peer) {
  bus::StateFollowerOptions options;
  options.stream = {bus::node_number(peer.info.uuid), api::kKeyStream};
  options.method = "kv.state";
  options.payload = model::pack(bus::Nothing{});
  options.read_state = &read_state;
  // A peer that is forgotten stops its follower first.
  const auto with_peer = [weak = weak_from_this(), uuid = peer.info.uuid](auto&& work) {
    const auto self = weak.lock();
    if (!self) return;
    const auto found = self->peers_.find(uuid);
    if (found != self->peers_.end()) work(*self, found->second);
  };
  options.on_state = [with_peer](const std::vector<Bytes>& parts) {
    with_peer([&](RemoteKeys& self, Peer& of) {
      self.count(of);
      of.last.clear();
      of.life = of.follower->incarnation();
      for (const auto& part : parts) (void)self.take(of, part);  // read_state() has read them
    });
  };
  options.on_items = [with_peer](const Bytes& payload) {
    Result<Unit> taken = Unit{};
    with_peer([&](RemoteKeys& self, Peer& of) {
      self.count(of);
      taken = self.take(of, payload);
    });
    return taken;
  };
  options.on_lost = [with_peer](const bus::StreamReader::Lost& lost) {
    with_peer([&](RemoteKeys& self, Peer& of) {
      self.count(of);
      if (!self.outbox_) return;
      (void)self.outbox_->append(model::StreamGap{self.link_->self().name, of.info.name,
                                                  api::kKeyStream, lost.incarnation, lost.from,
                                                  lost.to});
    });
  };
  peer.follower = bus::StateFollower::start(*link_, std::move(options));
}

bool RemoteKeys::fits(const Peer& peer) {
  return peer.follower && peer.life == peer.info.incarnation;
}

Result<Unit> RemoteKeys::take(Peer& peer, const Bytes& payload) {
  auto updates = model::unpack<api::KeyUpdates>(payload);
  if (!updates) return updates.error();
  for (auto& update : updates.value()) {
    const auto key = update.key;
    if (key >= OwnKeys::kKeysMax) continue;
    if (key >= peer.last.size()) peer.last.resize(key + 1);
    peer.last[key] = std::move(update);
    if (key < peer.routes.size()) show(peer, key, peer.routes[key]);
  }
  return Unit{};
}

void RemoteKeys::show(const Peer& peer, std::uint32_t key,
                      const std::vector<std::shared_ptr<KeySubscription>>& listeners) {
  // Updates of a new life may overtake its surface; they are shown when that is here.
  if (listeners.empty() || key >= peer.last.size() || !fits(peer)) return;
  const auto& last = peer.last[key];
  if (last.sequence == 0) return;
  KeyEvent event{peer.info.name + "/" + peer.surface.keys[key].name,
                 last.value,
                 last.time,
                 last.sequence,
                 bus::is_gone(peer.info.state) ? Quality::kDisconnected : last.quality,
                 last.writer,
                 peer.life,
                 0};
  for (const auto& listener : listeners) {
    listener->deliver(event, listener, *executor_, listeners_);
  }
}

void RemoteKeys::show_all(const Peer& peer) {
  for (std::uint32_t key = 0; key < peer.routes.size(); ++key) show(peer, key, peer.routes[key]);
}

}  // namespace tidemark::subsystem
