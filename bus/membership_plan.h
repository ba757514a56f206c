// bus/membership_plan.h
//
// When a node registers with which registry, and when it renews: a pure function of events and
// time.
//
//              kNotFound, or a new incarnation of the registry
//   unknown ◄────────────────────────────────────── leased ──► renews once a second
//      └── registers once a second ──────────────────► ▲

#pragma once

#include <optional>
#include <vector>

#include "bus/registry_table.h"

namespace tidemark::bus {

class MembershipPlan {
 public:
  struct Ask {
    std::size_t registry;
    bool registers;  // else renews
  };
  using Actions = std::vector<Ask>;

  explicit MembershipPlan(std::size_t registries) : registries_(registries) {}

  /// Call some ten times a second.
  Actions tick(SteadyTime now);
  /// What this node says of itself has changed.
  Actions surface_changed(SteadyTime now);
  /// An answer to an Ask.
  Actions granted(std::size_t registry, const Lease& lease, SteadyTime now);
  Actions not_found(std::size_t registry, SteadyTime now);
  void silent(std::size_t registry);
  /// Its directory was heard of: a new incarnation knows nobody yet.
  Actions heard(std::size_t registry, Incarnation incarnation, SteadyTime now);

  /// Its lease is good.
  bool holds(std::size_t registry, SteadyTime now) const;
  /// The newest that it was heard of in.
  Incarnation incarnation(std::size_t registry) const { return registries_[registry].incarnation; }
  /// The first registry that counts: the first whose lease is good.
  std::optional<std::size_t> first(SteadyTime now) const;

 private:
  struct State {
    bool registered = false;
    bool asking = false;
    bool once_more = false;  // what is being asked is out of date already
    Incarnation incarnation = 0;
    SteadyTime next{};
    SteadyTime lease_until{};
  };
  Actions ask(std::size_t registry, SteadyTime now);

  std::vector<State> registries_;
};

}  // namespace tidemark::bus
