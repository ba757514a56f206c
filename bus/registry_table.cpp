#include "bus/registry_table.h"

#include <algorithm>
#include <utility>

namespace tidemark::bus {
namespace {

/// Whether two registrations say the same to everybody else.
bool same_registration(const NodeInfo& a, const NodeInfo& b) {
  return a.name == b.name && a.incarnation == b.incarnation &&
         a.data_endpoints == b.data_endpoints && a.request_endpoints == b.request_endpoints &&
         a.pid == b.pid && a.host == b.host && a.labels == b.labels && a.surface == b.surface;
}

std::string place_of(const NodeInfo& node) {
  return "on " + node.host + ", pid " + std::to_string(node.pid);
}

}  // namespace

NodeInfo* RegistryTable::find(const Uuid& uuid) {
  const auto found = std::find_if(directory_.nodes.begin(), directory_.nodes.end(),
                                  [&](const NodeInfo& node) { return node.uuid == uuid; });
  return found == directory_.nodes.end() ? nullptr : &*found;
}

Error RegistryTable::superseded(const NodeInfo& by, Incarnation asked) const {
  return {Code::kRefused, by.name + " incarnation " + std::to_string(asked) +
                              " is superseded by incarnation " + std::to_string(by.incarnation) +
                              " " + place_of(by)};
}

std::vector<NodeInfo> RegistryTable::items(const Changes& changes) {
  std::vector<NodeInfo> items;
  for (const auto& change : changes) {
    if (change.kind != Change::Kind::kSuperseded) items.push_back(change.node);
  }
  return items;
}

RegistryTable::Changes RegistryTable::counted(Changes changes) {
  directory_.revision += static_cast<std::uint64_t>(
      std::count_if(changes.begin(), changes.end(),
                    [](const Change& change) { return change.kind != Change::Kind::kSuperseded; }));
  return changes;
}

void RegistryTable::set_state(NodeInfo& node, NodeState state, std::string reason, UtcTime utc,
                              Changes& changes) {
  if (node.state == state) return;
  const bool was_gone = is_gone(node.state);
  node.state = state;
  node.state_since = utc;
  auto kind = Change::Kind::kOther;
  if (was_gone && !is_gone(state)) kind = Change::Kind::kBack;
  if (!was_gone && is_gone(state)) kind = Change::Kind::kDown;
  changes.push_back({kind, node, std::move(reason)});
}

Result<RegistryTable::Changes> RegistryTable::add(NodeInfo asked, SteadyTime now, UtcTime utc) {
  for (const auto& each : directory_.nodes) {
    if (each.uuid == asked.uuid || is_gone(each.state)) continue;
    if (each.name == asked.name) {
      return Error{Code::kConflict, "the name '" + asked.name + "' belongs to node " +
                                        each.uuid.text() + " " + place_of(each)};
    }
    if (node_number(each.uuid) == node_number(asked.uuid)) {
      return Error{Code::kConflict, "the number of '" + asked.name + "' belongs to '" + each.name +
                                        "' " + place_of(each)};
    }
  }
  auto* known = find(asked.uuid);
  if (known != nullptr && asked.incarnation < known->incarnation) {
    return superseded(*known, asked.incarnation);
  }
  for (const auto& each : remembered_) {
    if (each.uuid == asked.uuid && asked.incarnation < each.incarnation) {
      return superseded(each, asked.incarnation);
    }
  }
  // Two lives under one number would have the same sequences: nobody could tell them apart.
  if (known != nullptr && asked.incarnation == known->incarnation &&
      (asked.pid != known->pid || asked.host != known->host)) {
    return Error{Code::kConflict, asked.name + " incarnation " + std::to_string(asked.incarnation) +
                                      " is another process " + place_of(*known)};
  }
  if (known == nullptr && directory_.nodes.size() >= kNodesMax) {
    return Error{Code::kUnavailable,
                 "the registry has " + std::to_string(kNodesMax) + " nodes, and takes no more"};
  }

  Changes changes;
  renewed_[asked.uuid] = now;
  if (known != nullptr && same_registration(*known, asked)) {
    set_state(*known, NodeState::kAlive, "", utc, changes);
    return counted(std::move(changes));
  }
  // A gone node of that name, under another UUID, makes room.
  std::erase_if(directory_.nodes, [&](NodeInfo& each) {
    if (each.uuid == asked.uuid || each.name != asked.name) return false;
    each.state = NodeState::kForgotten;
    changes.push_back({Change::Kind::kOther, each, "its name has a new owner"});
    renewed_.erase(each.uuid);
    return true;
  });
  known = find(asked.uuid);  // Erasing moves them.
  auto kind = Change::Kind::kUp;
  if (known == nullptr) {
    known = &directory_.nodes.emplace_back();
  } else if (known->incarnation == asked.incarnation && !is_gone(known->state)) {
    kind = Change::Kind::kOther;
  } else if (!is_gone(known->state)) {
    changes.push_back({Change::Kind::kSuperseded, *known,
                       "superseded by incarnation " + std::to_string(asked.incarnation)});
  }
  const bool stays = kind == Change::Kind::kOther && known->state == NodeState::kAlive;
  const auto since = stays ? known->state_since : utc;
  *known = std::move(asked);
  known->state = NodeState::kAlive;
  known->state_since = since;
  changes.push_back({kind, *known, ""});
  return counted(std::move(changes));
}

Result<RegistryTable::Changes> RegistryTable::renew(const Renewal& renewal, SteadyTime now,
                                                    UtcTime utc) {
  auto* known = find(renewal.uuid);
  if (known == nullptr || known->incarnation < renewal.incarnation) {
    return Error{Code::kNotFound, "not registered here"};
  }
  if (known->incarnation > renewal.incarnation) return superseded(*known, renewal.incarnation);
  if (known->state == NodeState::kStopped) {
    return Error{Code::kNotFound, known->name + " said goodbye"};
  }
  Changes changes;
  renewed_[renewal.uuid] = now;
  // A frozen process that wakes up renews: it is back, and nobody took its place.
  set_state(*known, NodeState::kAlive, "", utc, changes);
  return counted(std::move(changes));
}

RegistryTable::Changes RegistryTable::goodbye(const Renewal& leaving, UtcTime utc) {
  Changes changes;
  std::erase_if(remembered_, [&](const NodeInfo& each) {
    return each.uuid == leaving.uuid && each.incarnation == leaving.incarnation;
  });
  auto* node = find(leaving.uuid);
  if (node != nullptr && node->incarnation == leaving.incarnation) {
    set_state(*node, NodeState::kStopped, "stopped", utc, changes);
  }
  return counted(std::move(changes));
}

RegistryTable::Changes RegistryTable::exited(const std::string& name, std::uint32_t pid,
                                             const std::string& reason, UtcTime utc) {
  Changes changes;
  for (auto& node : directory_.nodes) {
    if (node.name != name || node.pid != pid || is_gone(node.state)) continue;
    set_state(node, NodeState::kDisconnected, reason, utc, changes);
  }
  return counted(std::move(changes));
}

Result<RegistryTable::Changes> RegistryTable::forget(const Forget& asked, SteadyTime now) {
  if (now < settled_at_) {
    return Error{Code::kUnavailable,
                 "the registry has just started, and does not know yet who is alive"};
  }
  NodeInfo gone;
  gone.name = asked.name;
  gone.uuid = asked.uuid;
  if (const auto* known = find(asked.uuid)) {
    if (!is_gone(known->state)) {
      return Error{Code::kRefused, known->name + " is " + std::string(to_string(known->state)) +
                                       " " + place_of(*known)};
    }
    gone = *known;
  }
  const auto is_meant = [&](const NodeInfo& each) { return each.uuid == asked.uuid; };
  std::erase_if(remembered_, is_meant);
  std::erase_if(directory_.nodes, is_meant);
  renewed_.erase(asked.uuid);
  gone.state = NodeState::kForgotten;
  return counted({{Change::Kind::kOther, gone, "forgotten by " + asked.who}});
}

RegistryTable::Changes RegistryTable::tick(SteadyTime now, UtcTime utc) {
  // A registry that stood still itself heard nobody, and that is nobody's fault.
  if (ticked_ != SteadyTime{} && now - ticked_ > kLease / 2) {
    for (auto& [uuid, renewed] : renewed_) renewed = std::min(now, renewed + (now - ticked_));
    if (ticked_ < settled_at_) settled_at_ += now - ticked_;
  }
  ticked_ = now;
  Changes changes;
  if (now >= settled_at_ && !remembered_.empty()) miss_remembered(now, utc, changes);
  for (auto& node : directory_.nodes) {
    if (is_gone(node.state)) continue;
    const auto silent = now - renewed_[node.uuid];
    if (silent > kLease) {
      set_state(node, NodeState::kDisconnected, "lease over", utc, changes);
    } else if (silent > kLease / 2) {
      set_state(node, NodeState::kSuspect, "", utc, changes);
    }
  }
  std::erase_if(directory_.nodes, [&](NodeInfo& each) {
    if (!is_gone(each.state) || now - renewed_[each.uuid] < kGoneKept) return false;
    each.state = NodeState::kForgotten;
    changes.push_back({Change::Kind::kOther, each, "gone for long"});
    renewed_.erase(each.uuid);
    return true;
  });
  return counted(std::move(changes));
}

Directory RegistryTable::answer(SteadyTime now) const {
  auto answer = directory_;
  answer.settles_in = std::max(settled_at_ - now, Duration{0});
  return answer;
}

std::vector<NodeInfo> RegistryTable::to_remember() const {
  auto nodes = directory_.nodes;
  std::erase_if(nodes, [](const NodeInfo& each) { return each.state == NodeState::kStopped; });
  for (const auto& each : remembered_) {
    if (directory_.find(each.uuid) == nullptr) nodes.push_back(each);
  }
  return nodes;
}

/// Who has not come back: others must know that he is missing.
void RegistryTable::miss_remembered(SteadyTime now, UtcTime utc, Changes& changes) {
  for (auto& node : std::exchange(remembered_, {})) {
    const bool is_here = directory_.find(node.uuid) != nullptr;
    if (is_here || directory_.find(node.name) != nullptr || directory_.nodes.size() >= kNodesMax) {
      continue;
    }
    const bool was_gone = is_gone(node.state);
    if (!was_gone) node.state_since = utc;
    node.state = NodeState::kDisconnected;
    // What it is forgotten by.
    renewed_[node.uuid] =
        now - std::clamp<Duration>(utc - node.state_since, Duration{0}, kGoneKept);
    changes.push_back({was_gone ? Change::Kind::kOther : Change::Kind::kDown, node,
                       "not back after the registry restarted"});
    directory_.nodes.push_back(std::move(node));
  }
}

std::size_t RegistryTable::alive() const {
  return static_cast<std::size_t>(
      std::count_if(directory_.nodes.begin(), directory_.nodes.end(),
                    [](const NodeInfo& node) { return !is_gone(node.state); }));
}

}  // namespace tidemark::bus
