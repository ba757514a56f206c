// bus/node.cpp

#include "bus/node.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>

#include "base/bytes.h"

namespace tidemark::bus {

Uuid node_uuid(std::string_view site, std::string_view name) {
  return Uuid::derive("tidemark/node/" + std::string(site) + "/" + std::string(name));
}

NodeNumber node_number(const Uuid& uuid) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number = (number << 8) | uuid.bytes[i];
  return NodeNumber{number};
}

std::string hex(NodeNumber number) {
  std::array<char, 9> text{};
  std::snprintf(text.data(), text.size(), "%08x", static_cast<unsigned>(number));
  return text.data();
}

std::string_view to_string(NodeState state) {
  switch (state) {
    case NodeState::kAlive: return "alive";
    case NodeState::kSuspect: return "suspect";
    case NodeState::kDisconnected: return "disconnected";
    case NodeState::kStopped: return "stopped";
    case NodeState::kForgotten: return "forgotten";
  }
  return "unknown";
}

const NodeInfo* Directory::find(std::string_view name) const {
  const NodeInfo* found = nullptr;
  for (const auto& node : nodes) {
    if (node.name != name) continue;
    if (!is_gone(node.state)) return &node;
    found = &node;
  }
  return found;
}

const NodeInfo* Directory::find(const Uuid& uuid) const {
  const auto found = std::find_if(nodes.begin(), nodes.end(),
                                  [&](const NodeInfo& node) { return node.uuid == uuid; });
  return found == nodes.end() ? nullptr : &*found;
}

void Directory::put(const NodeInfo& node) {
  const auto found = std::find_if(nodes.begin(), nodes.end(),
                                  [&](const NodeInfo& each) { return each.uuid == node.uuid; });
  if (node.state == NodeState::kForgotten) {
    if (found != nodes.end()) nodes.erase(found);
  } else if (found != nodes.end()) {
    *found = node;
  } else {
    nodes.push_back(node);
  }
}

}  // namespace tidemark::bus
