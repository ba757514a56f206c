// bus/registry_table.h
//
// What a registry knows and decides, as a pure function of events and time: who is there, whose
// lease is over, who may have which name. No threads, no sockets, no clock.
//
// Soft state: after a restart everybody who lives registers again within one renewal. Who does not,
// and did not say goodbye, is not forgotten: remember() brings him back, disconnected.

#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "bus/forget.h"
#include "bus/node.h"

namespace tidemark::bus {

inline constexpr Duration kLease = std::chrono::seconds(3);
inline constexpr Duration kLeaseRenewal = std::chrono::seconds(1);

/// What it is asked to add was looked at before: bus/registration.h.
class RegistryTable {
 public:
  /// More are refused: nobody has as many, and a program in a loop must not fill the memory.
  static constexpr std::size_t kNodesMax = 10'000;
  /// Who has been gone for so long is forgotten.
  static constexpr Duration kGoneKept = std::chrono::hours(24);

  /// What became of a node.
  struct Change {
    enum class Kind {
      kUp,          // registered, for the first time or in a new incarnation
      kBack,        // silent for longer than its lease, and here again
      kSuperseded,  // the incarnation in `node` ended because a newer one registered: a kUp follows
      kDown,        // stopped, or not heard of any more
      kOther,       // its surface changed, it is late, or it is forgotten
    };
    Kind kind;
    NodeInfo node;  // as it is from now on
    std::string reason;
  };
  using Changes = std::vector<Change>;
  /// What the directory stream says of them, an item each, as `revision` counts them. Of a life
  /// that was superseded nothing: its successor's item takes the place of its own.
  static std::vector<NodeInfo> items(const Changes& changes);

  /// `began`: until a lease later it does not know everybody, and says so.
  RegistryTable(Incarnation registry, SteadyTime began) : settled_at_(began + kLease) {
    directory_.registry = registry;
  }

  /// Who was there in a former life of this registry, as to_remember() said then. Nothing is said
  /// of them before a lease is over: by then who lives has registered again.
  void remember(std::vector<NodeInfo> nodes) { remembered_ = std::move(nodes); }
  /// All but those who said goodbye.
  std::vector<NodeInfo> to_remember() const;

  /// A registration: of a new node, a new incarnation, or a changed surface.
  /// Errors: kRefused   "superseded by …": a newer incarnation is there.
  ///         kConflict  another node has that name or number; says on which host and pid.
  ///         kUnavailable  kNodesMax.
  Result<Changes> add(NodeInfo asked, SteadyTime now, UtcTime utc);
  /// Errors: kNotFound  not registered (any more): register.
  ///         kRefused   "superseded by …".
  Result<Changes> renew(const Renewal& renewal, SteadyTime now, UtcTime utc);
  Changes goodbye(const Renewal& leaving, UtcTime utc);
  /// Its supervisor saw that process end.
  Changes exited(const std::string& name, std::uint32_t pid, const std::string& reason,
                 UtcTime utc);
  /// He need not come back, an operator says: a day before it would forget him itself. Of whom it
  /// has not heard it says so, too: a copy of a former life's directory may still have him.
  /// Errors: kRefused      he is alive; says on which host and pid.
  ///         kUnavailable  it does not know everybody yet.
  Result<Changes> forget(const Forget& asked, SteadyTime now);
  /// Looks for leases that are over. Call some four times a second.
  Changes tick(SteadyTime now, UtcTime utc);

  Lease lease() const { return {directory_.registry, directory_.revision, kLease}; }
  const Directory& directory() const { return directory_; }
  /// The same as others are told: with the time that it still needs to know everybody.
  Directory answer(SteadyTime now) const;
  std::size_t alive() const;

 private:
  NodeInfo* find(const Uuid& uuid);
  void set_state(NodeInfo& node, NodeState state, std::string reason, UtcTime utc,
                 Changes& changes);
  Error superseded(const NodeInfo& by, Incarnation asked) const;
  Changes counted(Changes changes);
  void miss_remembered(SteadyTime now, UtcTime utc, Changes& changes);

  Directory directory_;  // but for settles_in
  SteadyTime settled_at_;
  std::vector<NodeInfo> remembered_;  // until it is settled
  std::map<Uuid, SteadyTime> renewed_;
  SteadyTime ticked_{};
};

}  // namespace tidemark::bus
