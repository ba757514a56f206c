// bus/node.h
//
// Who is on the bus: the identity of a node, and the directory of all of them. Nodes of Tidemark
// and subsystems of a laboratory are the same here.
//
// A node's number, the first bytes of every subscription, is taken from its UUID, so nobody
// has to hand numbers out or remember them; the registry refuses the rare clash.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/time.h"
#include "base/uuid.h"
#include "model/packing.h"

namespace tidemark::bus {

enum class NodeNumber : std::uint32_t {};

/// Grows at every start of a node. Whoever sees two takes the larger; the smaller is fenced.
using Incarnation = std::uint32_t;

Uuid node_uuid(std::string_view site, std::string_view name);
NodeNumber node_number(const Uuid& uuid);
std::string hex(NodeNumber number);  // "0a1b2c3d"

/// Stored nowhere, sent often. Never renumber.
enum class NodeState : std::uint8_t {
  kAlive = 0,
  kSuspect = 1,       // half a lease without a sign of life
  kDisconnected = 2,  // lease over, or its supervisor saw it end
  kStopped = 3,       // said goodbye
  kForgotten = 4,     // in a change only: another one took its name, or it is long gone
};
std::string_view to_string(NodeState state);  // "alive", "suspect", "disconnected", "stopped", …
constexpr bool is_gone(NodeState state) { return state >= NodeState::kDisconnected; }

struct NodeInfo {
  std::string name;  // "monitor"
  std::string kind;  // "registry", "monitor", "journal", "keeper", "gateway", "supervisor"
  Uuid uuid;
  Incarnation incarnation = 0;
  std::vector<std::string> data_endpoints;     // where its PUB socket is, best first
  std::vector<std::string> request_endpoints;  // where its ROUTER socket is, best first
  std::string host;
  std::uint32_t pid = 0;
  UtcTime started_at{};
  NodeState state = NodeState::kAlive;
  UtcTime state_since{};
  std::vector<std::string> labels;  // groups that it belongs to
  model::Blob surface;     // its keys and events: model/api/subsystem.h; nothing to the bus
  model::Blob public_key;  // CURVE, 32 bytes; empty: its tcp endpoints, if any, have no keys

  static auto fields(auto& s) {
    return std::tie(s.name, s.kind, s.uuid, s.incarnation, s.data_endpoints, s.request_endpoints,
                    s.host, s.pid, s.started_at, s.state, s.state_since, s.labels, s.surface,
                    s.public_key);
  }
  bool operator==(const NodeInfo&) const = default;
};

/// Everybody who registered since the registry began. `revision` counts the changes: each is an
/// item of the directory stream, whose frames are packed lists of the NodeInfo that changed.
struct Directory {
  std::uint64_t revision = 0;
  Incarnation registry = 0;  // whose revision it is
  std::vector<NodeInfo> nodes;
  /// How long after this answer its registry knows everybody who lives: one that has just started
  /// does not. 0: it does; so say those of earlier versions, which do not say.
  Duration settles_in{0};

  static auto fields(auto& s) { return std::tie(s.revision, s.registry, s.nodes, s.settles_in); }
  /// The living one of that name, else a gone one.
  const NodeInfo* find(std::string_view name) const;
  const NodeInfo* find(const Uuid& uuid) const;
  /// In the place of the one with that UUID, or beside the others; one that is forgotten goes.
  void put(const NodeInfo& node);
  bool operator==(const Directory&) const = default;
};

/// The payload of a question that says nothing.
struct Nothing {
  static auto fields(auto&) { return std::tuple<>(); }
};

/// Proof of membership: every renewal carries it.
struct Renewal {
  Uuid uuid;
  Incarnation incarnation = 0;
  static auto fields(auto& s) { return std::tie(s.uuid, s.incarnation); }
};

/// What a registry answers to a registration or a renewal.
struct Lease {
  Incarnation registry = 0;
  std::uint64_t revision = 0;  // of the directory, with this registration in it
  Duration duration{0};        // from when the registry answered
  static auto fields(auto& s) { return std::tie(s.registry, s.revision, s.duration); }
};

}  // namespace tidemark::bus
