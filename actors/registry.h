// actors/registry.h
//
// A registry: bus::RegistryTable decides, this actor gives it the time, publishes what changed,
// tells the journal, and keeps in a file who must not be forgotten with this process.

#pragma once

#include "actors/board.h"
#include "actors/messages.h"
#include "actors/outbox.h"
#include "bus/registry_table.h"

TIDEMARK_LOCAL(tidemark::bus::Forget)

namespace tidemark::actors {

using Registry = caf::typed_actor<
    /// Errors: as RegistryTable::add(); kInvalidArgument, naming the field: see
    ///         bus/registration.h and model::api::read_surface().
    caf::replies_to<add_atom, bus::NodeInfo>::with<bus::Lease>,

    /// Errors: as RegistryTable::renew().
    caf::replies_to<renew_atom, bus::Renewal>::with<bus::Lease>,

    caf::replies_to<goodbye_atom, bus::Renewal>::with<model::api::Empty>,

    /// Its supervisor saw a process end.
    caf::replies_to<exited_atom, model::api::Exited>::with<model::api::Empty>,

    /// An operator says that somebody need not come back. The journal keeps who it was.
    /// Errors: as RegistryTable::forget(); kInvalidArgument, it does not say whom or who.
    caf::replies_to<remove_atom, bus::Forget>::with<model::api::Empty>,

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
  std::unique_ptr<bus::RegistryTable> table;
  std::string memory;
  bool changed = false;  // since the file was written

  /// Publishes what changed, and records who came and went.
  void tell(const bus::RegistryTable::Changes& changes);
  void say_forgotten(const bus::NodeInfo& node, const std::string& who);
  void remember();
  void keep();
};

/// `memory`: the file that says who was there, for the next life; empty: none.
Registry::behavior_type registry_actor(Registry::stateful_pointer<RegistryState> self,
                                       std::shared_ptr<bus::Link> link,
                                       std::shared_ptr<Board> board, Outbox outbox,
                                       std::string memory);

}  // namespace tidemark::actors
