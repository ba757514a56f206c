#include "bus/directory_copy.h"

#include <algorithm>

namespace tidemark::bus {
namespace {

NodeInfo* find(Directory& directory, const Uuid& uuid) {
  const auto found = std::find_if(directory.nodes.begin(), directory.nodes.end(),
                                  [&](const NodeInfo& node) { return node.uuid == uuid; });
  return found == directory.nodes.end() ? nullptr : &*found;
}

}  // namespace

void DirectoryCopy::put(const NodeInfo& node) {
  unconfirmed_.erase(node.uuid);
  auto* known = find(directory_, node.uuid);
  if (node.state == NodeState::kForgotten) {
    std::erase_if(directory_.nodes, [&](const NodeInfo& each) { return each.uuid == node.uuid; });
  } else if (known != nullptr) {
    *known = node;
  } else {
    directory_.nodes.push_back(node);
  }
}

std::vector<NodeInfo> DirectoryCopy::take_whole(const Directory& whole, SteadyTime now) {
  const bool restarted = whole.registry != directory_.registry;
  std::vector<NodeInfo> changed;
  for (const auto& node : whole.nodes) {
    const auto* known = find(directory_, node.uuid);
    if (known == nullptr || *known != node) changed.push_back(node);
  }
  for (auto node : directory_.nodes) {
    if (std::any_of(whole.nodes.begin(), whole.nodes.end(),
                    [&](const NodeInfo& each) { return each.uuid == node.uuid; })) {
      continue;
    }
    if (restarted && !is_gone(node.state)) {
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
  return changed;
}

std::vector<NodeInfo> DirectoryCopy::take_changes(const std::vector<NodeInfo>& changes) {
  for (const auto& node : changes) put(node);
  directory_.revision += changes.size();
  return changes;
}

std::vector<NodeInfo> DirectoryCopy::tick(SteadyTime now, UtcTime utc) {
  std::vector<NodeInfo> changed;
  for (auto at = unconfirmed_.begin(); at != unconfirmed_.end();) {
    if (now - at->second < kConfirmWithin) {
      ++at;
      continue;
    }
    if (auto* node = find(directory_, at->first)) {
      node->state = NodeState::kDisconnected;
      node->state_since = utc;
      changed.push_back(*node);
    }
    at = unconfirmed_.erase(at);
  }
  return changed;
}

}  // namespace tidemark::bus
