// bus/directory_copy.h
//
// A node's own copy of a registry's directory: the whole of it, then its changes. A registry that
// has just started does not know everybody yet; who is missing there stays, until they have had
// time to register again, and then is disconnected: only who said goodbye is forgotten with the
// registry that heard it. No threads, no sockets, no clock.

#pragma once

#include <map>
#include <vector>

#include "bus/node.h"

namespace tidemark::bus {

class DirectoryCopy {
 public:
  /// Two leases: whoever lives has registered by then.
  static constexpr Duration kConfirmWithin = std::chrono::seconds(6);

  /// Each answers who has changed by it.
  std::vector<NodeInfo> take_whole(const Directory& whole, SteadyTime now);
  std::vector<NodeInfo> take_changes(const std::vector<NodeInfo>& changes);
  /// Call some times a second: who was not confirmed in time is disconnected.
  std::vector<NodeInfo> tick(SteadyTime now, UtcTime utc);

  /// Without settles_in: settled_at() says it.
  const Directory& directory() const { return directory_; }
  /// From when on everybody who lives is in it, as the registry said.
  SteadyTime settled_at() const { return settled_at_; }

 private:
  void put(const NodeInfo& node);

  Directory directory_;
  SteadyTime settled_at_{};
  std::map<Uuid, SteadyTime> unconfirmed_;  // known to the registry before only; since when
};

}  // namespace tidemark::bus
