#include "bus/membership.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace tidemark::bus {
namespace {

constexpr Duration kMembershipTick = std::chrono::milliseconds(100);
constexpr Duration kSilence = std::chrono::seconds(1);  // five heartbeats
constexpr int kUnheardMax = 5;                          // then its connections are opened anew

}  // namespace

Membership::Membership(Link& link, MembershipOptions options)
    : link_(link),
      options_(std::move(options)),
      plan_(options_.registries.size()),
      self_(link.self()) {
  for (const auto& info : options_.registries) registries_.emplace_back().info = info;
}

std::shared_ptr<Membership> Membership::start(Link& link, MembershipOptions options) {
  std::shared_ptr<Membership> made(new Membership(link, std::move(options)));
  link.set_peer(link.self());  // A node may ask itself.
  for (const auto& registry : made->options_.registries) link.set_peer(registry);
  link.after(Duration{0}, [weak = made->weak_from_this()] {
    if (const auto self = weak.lock()) self->begin();
  });
  return made;
}

void Membership::begin() {
  for (std::size_t i = 0; i < registries_.size(); ++i) {
    // With ipc it is known where it publishes: it need be asked only when nothing is heard.
    if (!registries_[i].info.data_endpoints.empty()) registries_[i].introduced_at = link_.now();
    follow(i);
  }
  tick();
}

void Membership::follow(std::size_t index) {
  const auto weak = weak_from_this();
  StateFollowerOptions options;
  options.frame_class = FrameClass::kDirectory;
  options.stream = {node_number(registries_[index].info.uuid), kDirectoryStream};
  options.method = "registry.directory";
  options.payload = model::pack(Nothing{});
  options.read_state = [](const std::vector<Bytes>&, Bytes answer) -> Result<WholeState> {
    const auto whole = model::unpack<Directory>(answer);
    if (!whole) return whole.error();
    return WholeState{whole.value().registry, whole.value().revision, {std::move(answer)}};
  };
  options.on_state = [weak, index](const std::vector<Bytes>& parts) {
    const auto self = weak.lock();
    if (!self) return;
    const auto whole = model::unpack<Directory>(parts.at(0)).value();
    auto& registry = self->registries_[index];
    registry.has_copy = true;
    const auto changed = registry.copy.take_whole(whole, self->link_.now());
    self->take(index, changed);
    if (self->options_.registers && !self->leaving_) {
      self->act(self->plan_.heard(index, whole.registry, self->link_.now()));
    }
  };
  options.on_items = [weak, index](const Bytes& payload) {
    const auto self = weak.lock();
    if (!self) return Result<Unit>(Unit{});
    const auto changes = model::unpack<std::vector<NodeInfo>>(payload);
    if (!changes) return Result<Unit>(changes.error());
    self->take(index, self->registries_[index].copy.take_changes(changes.value()));
    return Result<Unit>(Unit{});
  };
  registries_[index].follower = StateFollower::start(link_, std::move(options));
}

/// Where a registry publishes is known when it has said so: with tcp its port changes.
void Membership::introduce(std::size_t index) {
  auto& registry = registries_[index];
  if (link_.now() - registry.introduced_at < kSilence ||
      link_.now() - registry.follower->heard_at() < kSilence) {
    return;
  }
  registry.introduced_at = link_.now();
  link_.request(node_number(registry.info.uuid), "registry.directory", model::pack(Nothing{}),
                {kSilence, {}}, [weak = weak_from_this(), index](const Answer& answer) {
                  const auto self = weak.lock();
                  if (!self) return;
                  auto& asked = self->registries_[index];
                  if (!answer) {
                    if (++asked.unheard % kUnheardMax == 0) {
                      self->link_.redial(node_number(asked.info.uuid));
                    }
                    return;
                  }
                  asked.unheard = 0;
                  const auto whole = model::unpack<Directory>(answer.value());
                  if (!whole) return;
                  for (const auto& node : whole.value().nodes) {
                    // One that is gone in its own eyes answers all the same.
                    if (node.uuid != self->registries_[index].info.uuid || is_gone(node.state)) {
                      continue;
                    }
                    self->link_.set_peer(node);
                  }
                });
}

void Membership::tick() {
  link_.after(kMembershipTick, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->tick();
  });
  if (options_.registers && !leaving_) act(plan_.tick(link_.now()));
  for (std::size_t i = 0; i < registries_.size(); ++i) {
    introduce(i);
    const auto late = registries_[i].copy.tick(link_.now(), utc_now());
    if (!late.empty()) take(i, late);
  }
  choose();
}

void Membership::choose() {
  const auto now = link_.now();
  if (options_.registers && plan_.first(now).has_value() != reached_) {
    reached_ = !reached_;
    if (options_.on_reached) options_.on_reached(reached_);
  }
  const auto counts = which_counts(now);
  if (!counts || *counts == chosen_) return;
  const auto chosen = *counts;
  spdlog::info("the directory of {} counts from now on", registries_[chosen].info.name);
  chosen_ = chosen;
  {
    const std::lock_guard lock(mutex_);
    directory_ = {};
  }
  const auto changed = registries_[chosen].copy.directory().nodes;
  tell(changed);
}

/// Of the registries that answer the first one that knows everybody who lives: one that has just
/// started does not, as long as another one does. None: the one that counted goes on.
std::optional<std::size_t> Membership::which_counts(SteadyTime now) const {
  std::optional<std::size_t> first;
  for (std::size_t i = 0; i < registries_.size(); ++i) {
    if (!answers(i, now)) continue;
    if (registries_[i].copy.settled_at() <= now) return i;
    if (!first) first = i;
  }
  if (first || registries_.empty() || registries_[chosen_].has_copy) return first;
  for (std::size_t i = 0; i < registries_.size(); ++i) {
    if (registries_[i].has_copy) return i;
  }
  return std::nullopt;
}

/// And has shown its directory: of this life of it.
bool Membership::answers(std::size_t index, SteadyTime now) const {
  const auto& registry = registries_[index];
  if (!registry.has_copy) return false;
  if (!options_.registers) return now - registry.follower->heard_at() < kLease;
  return plan_.holds(index, now) && plan_.incarnation(index) == registry.copy.directory().registry;
}

void Membership::take(std::size_t index, const std::vector<NodeInfo>& changed) {
  if (index == chosen_) {
    tell(changed);
  } else {
    choose();
  }
}

void Membership::tell(const std::vector<NodeInfo>& changed) {
  for (const auto& node : changed) {
    if (node.uuid == self_.uuid) continue;  // What others say of us changes nothing here.
    // Whoever else could say that a registry is back may be gone by then: we go on asking it.
    if (is_gone(node.state) && is_registry(node)) continue;
    link_.set_peer(node);
  }
  const auto& directory = registries_[chosen_].copy.directory();
  {
    // Change by change: with hundreds of subsystems a copy of it all would cost far more.
    const std::lock_guard lock(mutex_);
    for (const auto& node : changed) directory_.put(node);
    directory_.registry = directory.registry;
    directory_.revision = directory.revision;
    settled_at_ = registries_[chosen_].copy.settled_at();
  }
  if (options_.on_changes) options_.on_changes(changed);
  if (options_.on_directory) options_.on_directory(directory);
}

bool Membership::is_registry(const NodeInfo& node) const {
  return std::any_of(registries_.begin(), registries_.end(),
                     [&](const Registry& each) { return each.info.uuid == node.uuid; });
}

void Membership::act(const MembershipPlan::Actions& actions) {
  for (const auto& action : actions) ask(action.registry, action.registers);
}

void Membership::ask(std::size_t index, bool registers) {
  Bytes payload =
      registers ? model::pack(self_) : model::pack(Renewal{self_.uuid, self_.incarnation});
  link_.request(node_number(registries_[index].info.uuid),
                registers ? "registry.register" : "registry.renew", std::move(payload),
                {kLeaseRenewal, {}}, [weak = weak_from_this(), index](const Answer& answer) {
                  const auto self = weak.lock();
                  if (!self || self->leaving_) return;
                  const auto lease =
                      answer ? model::unpack<Lease>(answer.value()) : Result<Lease>(answer.error());
                  if (lease) {
                    self->act(self->plan_.granted(index, lease.value(), self->link_.now()));
                    return self->choose();
                  }
                  switch (lease.error().code) {
                    case Code::kRefused:
                    case Code::kConflict:
                      if (self->options_.on_fenced) self->options_.on_fenced(lease.error());
                      return;
                    case Code::kNotFound:
                      return self->act(self->plan_.not_found(index, self->link_.now()));
                    case Code::kInvalidArgument:
                      self->refused(lease.error().message);
                      [[fallthrough]];
                    default: return self->plan_.silent(index);
                  }
                });
}

/// It is asked again each second: what it says is worth one line.
void Membership::refused(const std::string& why) {
  if (std::exchange(refused_, why) == why) return;
  spdlog::error("the registry does not take {}: {}", self_.name, why);
}

void Membership::set_surface(std::vector<std::string> labels, Bytes surface) {
  link_.after(Duration{0}, [weak = weak_from_this(), labels = std::move(labels),
                            surface = std::move(surface)]() mutable {
    const auto self = weak.lock();
    if (!self || self->leaving_) return;
    self->self_.labels = std::move(labels);
    self->self_.surface.bytes = std::move(surface);
    self->act(self->plan_.surface_changed(self->link_.now()));
  });
}

void Membership::leave(Duration patience, std::function<void()> left) {
  link_.after(Duration{0}, [weak = weak_from_this(), patience, left = std::move(left)] {
    const auto self = weak.lock();
    if (!self) return left();
    self->leaving_ = true;
    if (!self->options_.registers || self->registries_.empty()) return left();
    const auto open = std::make_shared<std::size_t>(self->registries_.size());
    for (const auto& registry : self->registries_) {
      self->link_.request(node_number(registry.info.uuid), "registry.goodbye",
                          model::pack(Renewal{self->self_.uuid, self->self_.incarnation}),
                          {patience, {}}, [open, left](const Answer&) {
                            if (--*open == 0) left();
                          });
    }
  });
}

Directory Membership::directory() const {
  const std::lock_guard lock(mutex_);
  return directory_;
}

std::optional<SteadyTime> Membership::settled_at() const {
  const std::lock_guard lock(mutex_);
  return settled_at_;
}

}  // namespace tidemark::bus
