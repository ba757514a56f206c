#include "bus/membership_plan.h"

namespace tidemark::bus {

MembershipPlan::Actions MembershipPlan::ask(std::size_t registry, SteadyTime now) {
  auto& state = registries_[registry];
  if (state.asking) {
    state.once_more = true;
    return {};
  }
  state.asking = true;
  state.once_more = false;
  state.next = now + kLeaseRenewal;
  return {{registry, !state.registered}};
}

MembershipPlan::Actions MembershipPlan::tick(SteadyTime now) {
  Actions actions;
  for (std::size_t i = 0; i < registries_.size(); ++i) {
    const auto& state = registries_[i];
    if (state.asking || now < state.next) continue;
    for (const auto& each : ask(i, now)) actions.push_back(each);
  }
  return actions;
}

MembershipPlan::Actions MembershipPlan::surface_changed(SteadyTime now) {
  Actions actions;
  for (std::size_t i = 0; i < registries_.size(); ++i) {
    registries_[i].registered = false;
    for (const auto& each : ask(i, now)) actions.push_back(each);
  }
  return actions;
}

MembershipPlan::Actions MembershipPlan::granted(std::size_t registry, const Lease& lease,
                                                SteadyTime now) {
  auto& state = registries_[registry];
  state.asking = false;
  state.lease_until = now + lease.duration;
  state.incarnation = lease.registry;
  if (state.once_more) return ask(registry, now);
  state.registered = true;
  return {};
}

MembershipPlan::Actions MembershipPlan::not_found(std::size_t registry, SteadyTime now) {
  registries_[registry].asking = false;
  registries_[registry].registered = false;
  return ask(registry, now);
}

void MembershipPlan::silent(std::size_t registry) {
  auto& state = registries_[registry];
  state.asking = false;
  state.once_more = false;
  state.registered = false;  // It may have restarted: registering does no harm.
}

MembershipPlan::Actions MembershipPlan::heard(std::size_t registry, Incarnation incarnation,
                                              SteadyTime now) {
  auto& state = registries_[registry];
  if (incarnation <= state.incarnation) return {};
  state.incarnation = incarnation;
  state.registered = false;
  return ask(registry, now);
}

bool MembershipPlan::holds(std::size_t registry, SteadyTime now) const {
  return registries_[registry].lease_until > now;
}

std::optional<std::size_t> MembershipPlan::first(SteadyTime now) const {
  for (std::size_t i = 0; i < registries_.size(); ++i) {
    if (holds(i, now)) return i;
  }
  return std::nullopt;
}

}  // namespace tidemark::bus
