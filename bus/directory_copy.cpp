#include "bus/directory_copy.h"

#include <algorithm>

namespace tidemark::bus {

void DirectoryCopy::put(const NodeInfo& node) {
  unconfirmed_.erase(node.uuid);
  directory_.put(node);
}

std::vector<NodeInfo> DirectoryCopy::take_whole(const Directory& whole, SteadyTime now) {
  const bool restarted = whole.registry != directory_.registry;
  std::vector<NodeInfo> changed;
  for (const auto& node : whole.nodes) {
    const auto* known = directory_.find(node.uuid);
    if (known == nullptr || *known != node) changed.push_back(node);
  }
  for (auto node : directory_.nodes) {
    if (std::any_of(whole.nodes.begin(), whole.nodes.end(),
                    [&](const NodeInfo& each) { return each.uuid == node.uuid; })) {
      continue;
    }
    if (restarted && node.state != NodeState::kStopped) {
      unconfirmed_.emplace(node.uuid, now);
    } else if (!unconfirmed_.contains(node.uuid)) {
      node.state = NodeState::kForgotten;
      changed.push_back(node);
    }
  }
  for (const auto& node : changed) put(node);
  for (const auto& node : whole.nodes) unconfirmed_.erase(node.uuid);
  directory_.registry = whole.registry;
  directory_.revision = whole.revision;
  settled_at_ = now + std::clamp(whole.settles_in, Duration{0}, kConfirmWithin);
  return changed;
}

std::vector<NodeInfo> DirectoryCopy::take_changes(const std::vector<NodeInfo>& changes) {
  for (const auto& node : changes) put(node);
  directory_.revision += changes.size();
  return changes;
}

std::vector<NodeInfo> DirectoryCopy::tick(SteadyTime now, UtcTime utc) {
  std::vector<NodeInfo> changed;
  for (const auto& [uuid, since] : unconfirmed_) {
    const auto* known = directory_.find(uuid);
    if (now - since < kConfirmWithin || known == nullptr || is_gone(known->state)) continue;
    auto node = *known;
    node.state = NodeState::kDisconnected;
    node.state_since = utc;
    directory_.put(node);
    changed.push_back(std::move(node));
  }
  return changed;
}

}  // namespace tidemark::bus
