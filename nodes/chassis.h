// nodes/chassis.h
//
// What every node stands on. Members are built from top to bottom and end from bottom to top:
// actors before the link that they use.

#pragma once

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/board.h"
#include "actors/gate.h"
#include "actors/outbox.h"
#include "base/incarnation.h"
#include "bus/membership.h"
#include "nodes/node.h"

namespace tidemark::nodes {

class Chassis {
 public:
  /// Binds the node's sockets; announce() makes it known.
  static Result<std::unique_ptr<Chassis>> build(NodeContext context);
  ~Chassis();

  /// Serves node.status and registers. Call when everything else is served.
  void announce();
  /// Says goodbye, and waits until the journal has what this node said, at most `patience`.
  void leave(Duration patience);

  /// What node.status answers.
  model::api::NodeStatus status() const;

  bus::NodeNumber number_of(const std::string& node) const;
  template <class Actor, class... Messages>
  void send(const Actor& actor, Messages&&... messages) {
    caf::anon_send(actor, std::forward<Messages>(messages)...);
  }

  NodeContext context;
  std::shared_ptr<actors::Board> board = std::make_shared<actors::Board>();
  std::shared_ptr<bus::Link> link;
  std::unique_ptr<caf::actor_system_config> config;
  std::unique_ptr<caf::actor_system> system;
  actors::Outbox outbox;
  actors::Gate gate;
  std::shared_ptr<bus::Membership> membership;
  /// Told of every directory, on the link's loop thread: hand over and leave. Set before
  /// announce().
  std::vector<std::function<void(const bus::Directory&)>> on_directory;

 private:
  explicit Chassis(NodeContext asked) : context(std::move(asked)) {}

  std::vector<bus::NodeInfo> registries_;  // where they are, and their keys
};

/// Hello, with the version: in `tidemark --version` and in every status.
std::string version();

}  // namespace tidemark::nodes
