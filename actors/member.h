// actors/member.h
//
// A node's membership: registers with the registry, renews its lease, and keeps everybody in
// this process informed about who is there. The registry's address is all that it must know.

#pragma once

#include <functional>
#include <optional>

#include "actors/board.h"
#include "actors/messages.h"

namespace tidemark::actors {

using Member = caf::typed_actor<
    /// Registers, and renews. Only ever sent by the actor to itself, once a second.
    caf::reacts_to<tick_atom>,

    /// A directory, from an answer or from the registry's stream.
    caf::reacts_to<directory_atom, bus::Directory>,

    /// The registry refused us.
    caf::reacts_to<answered_atom, bus::Answer>,

    /// The registry has heard our goodbye, or does not answer.
    caf::reacts_to<goodbye_atom>,

    /// Says goodbye, and renews no more. Answers when the registry has heard it, or after half a
    /// second.
    caf::replies_to<stop_atom>::with<Unit>>;

struct MemberOptions {
  std::shared_ptr<bus::Link> link;
  bus::NodeInfo registry;  // name, uuid, endpoints
  std::shared_ptr<Board> board;
  /// Each time the directory changes. On a CAF worker.
  std::function<void(const bus::Directory&)> on_directory;
  /// Another incarnation of this node is there, or its name is taken: this process must end.
  std::function<void(Error)> on_fenced;
};

struct MemberState {
  static inline const char* name = "member";

  explicit MemberState(Member::pointer actor) : self(actor) {}

  Member::pointer self;
  MemberOptions options;
  bus::Directory directory;
  bool reached = false;  // the last lease was renewed
  bool leaving = false;
  caf::typed_response_promise<Unit> left;

  void apply(const bus::Directory& fresh);
};

Member::behavior_type member_actor(Member::stateful_pointer<MemberState> self,
                                   MemberOptions options);

}  // namespace tidemark::actors
