// bus/peers.h
//
// The nodes that a link was told of, each in its newest incarnation, and what one more piece of
// news about a node changes. Only on the loop thread.

#pragma once

#include <map>
#include <optional>

#include "bus/node.h"

namespace tidemark::bus {

class Peers {
 public:
  struct Change {
    bool was_alive = false;
    bool restarted = false;  // was alive, as another incarnation
    bool data_moved = false;
    bool requests_moved = false;
  };

  /// Empty: it is about an older incarnation than the one that is known, and changes nothing.
  std::optional<Change> learn(const NodeInfo& info);
  /// Null: unknown.
  const NodeInfo* find(NodeNumber number) const;

 private:
  std::map<NodeNumber, NodeInfo> peers_;
};

}  // namespace tidemark::bus
