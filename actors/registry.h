// actors/registry.h
//
// The directory of nodes, and their leases. Soft state: after a restart everybody registers
// again within one lease.

#pragma once

#include <map>

#include "actors/board.h"
#include "actors/messages.h"
#include "actors/outbox.h"

namespace tidemark::actors {

using Registry = caf::typed_actor<
    /// A registration, or its renewal. Answers with the directory.
    /// Errors: refused   a newer incarnation of the node is there.
    ///         conflict  another node has that name or number.
    caf::replies_to<add_atom, bus::NodeInfo>::with<bus::Directory>,

    caf::replies_to<goodbye_atom, bus::NodeInfo>::with<model::api::Empty>,

    /// Its supervisor saw a process end.
    caf::replies_to<exited_atom, model::api::Exited>::with<model::api::Empty>,

    caf::replies_to<directory_atom>::with<bus::Directory>,

    /// Looks for leases that are over. Only ever sent by the actor to itself.
    caf::reacts_to<tick_atom>>;

struct RegistryState {
  static inline const char* name = "registry";

  explicit RegistryState(Registry::pointer actor) : self(actor) {}

  Registry::pointer self;
  std::shared_ptr<bus::Link> link;
  std::shared_ptr<Board> board;
  Outbox outbox;
  bus::Directory directory;
  std::map<std::string, SteadyTime> renewed;  // by node name

  bus::NodeInfo* find(const std::string& node);
  void set_state(bus::NodeInfo& node, bus::NodeState state, const std::string& reason);
  void changed();
};

Registry::behavior_type registry_actor(Registry::stateful_pointer<RegistryState> self,
                                       std::shared_ptr<bus::Link> link,
                                       std::shared_ptr<Board> board, Outbox outbox);

}  // namespace tidemark::actors
