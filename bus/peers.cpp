// bus/peers.cpp

#include "bus/peers.h"

#include <utility>

namespace tidemark::bus {

std::optional<Peers::Change> Peers::learn(const NodeInfo& info) {
  const auto [at, is_new] = peers_.try_emplace(node_number(info.uuid), info);
  if (is_new) return Change{};
  if (info.incarnation < at->second.incarnation) return std::nullopt;
  const auto before = std::exchange(at->second, info);
  Change change;
  change.was_alive = !is_gone(before.state);
  // From 0, too, when only its address was known: the connection may lead to a predecessor that
  // goes on, and what that one did the successor would do again.
  change.restarted = change.was_alive && before.incarnation != info.incarnation;
  change.data_moved = before.data_endpoints != info.data_endpoints;
  change.requests_moved = before.request_endpoints != info.request_endpoints;
  return change;
}

const NodeInfo* Peers::find(NodeNumber number) const {
  const auto found = peers_.find(number);
  return found == peers_.end() ? nullptr : &found->second;
}

}  // namespace tidemark::bus
