// bus/membership.h
//
// A node among the others: registers with every registry of the site, renews its leases, and
// keeps a copy of the directory of the first registry that answers and knows everybody, which is
// the one that counts. Peers that know each other go on when no registry answers at all.
//
// What to ask of which registry, and when, is decided by MembershipPlan, which is pure.

#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "bus/directory_copy.h"
#include "bus/membership_plan.h"
#include "bus/state_follower.h"

namespace tidemark::bus {

struct MembershipOptions {
  std::vector<NodeInfo> registries;  // name, uuid and endpoints; the first one counts
  bool registers = true;             // false: only looks, as the command line does
  // All on the loop thread; each may be empty.
  std::function<void(const Directory&)> on_directory;  // after each change
  std::function<void(const std::vector<NodeInfo>&)> on_changes;
  std::function<void(bool)> on_reached;  // a registry answers; none does
  /// Another incarnation of this node is there, or its name is taken: this process must end.
  std::function<void(Error)> on_fenced;
};

class Membership : public std::enable_shared_from_this<Membership> {
 public:
  /// Registers what link.self() says. Threads: any.
  static std::shared_ptr<Membership> start(Link& link, MembershipOptions options);

  // The link must be there still:

  /// What this node belongs to and offers from now on. Threads: any.
  void set_surface(std::vector<std::string> labels, Bytes surface);

  /// Says goodbye to every registry, and registers no more. `left` is called once, on the loop
  /// thread, when all have heard it or `patience` is over. Threads: any.
  void leave(Duration patience, std::function<void()> left);

  /// A copy of the directory as it is now. Threads: any.
  Directory directory() const;
  /// From when on everybody who lives is in it; none: there is none yet. Threads: any.
  std::optional<SteadyTime> settled_at() const;

 private:
  struct Registry {
    NodeInfo info;
    DirectoryCopy copy;
    bool has_copy = false;
    SteadyTime introduced_at{};
    int unheard = 0;  // times that it was asked in vain, since it was last heard
    std::shared_ptr<StateFollower> follower;
  };

  Membership(Link& link, MembershipOptions options);

  void begin();
  void follow(std::size_t index);
  void introduce(std::size_t index);
  void tick();
  void act(const MembershipPlan::Actions& actions);
  void ask(std::size_t index, bool registers);
  void refused(const std::string& why);
  void choose();
  std::optional<std::size_t> which_counts(SteadyTime now) const;
  bool answers(std::size_t index, SteadyTime now) const;
  void take(std::size_t index, const std::vector<NodeInfo>& changed);
  void tell(const std::vector<NodeInfo>& changed);
  bool is_registry(const NodeInfo& node) const;

  Link& link_;
  const MembershipOptions options_;

  // Only on the loop thread.
  std::vector<Registry> registries_;
  MembershipPlan plan_;
  std::size_t chosen_ = 0;
  bool reached_ = false;
  std::string refused_;  // why a registry did not take us, as it was logged
  bool leaving_ = false;
  NodeInfo self_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  Directory directory_;
  std::optional<SteadyTime> settled_at_;
};

}  // namespace tidemark::bus
