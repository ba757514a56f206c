// actors/recovery.h
//
// Closes a job that was running when its keeper died. Reads from the journal what the job
// intended and what became of it; an intent without an outcome is unknown: recorded as such,
// and never sent again.

#pragma once

#include <unordered_map>

#include "actors/messages.h"
#include "actors/outbox.h"
#include "actors/restore.h"

namespace tidemark::actors {

using Recovery = caf::typed_actor<
    /// Reads on. Sent once by whoever spawned it, then by the actor to itself.
    caf::reacts_to<start_atom>,

    caf::reacts_to<answered_atom, bus::Answer>>;

struct RecoveryOptions {
  std::shared_ptr<bus::Link> link;
  bus::NodeNumber journal{};
  Outbox outbox;
  JobListener listener;  // gets the job when it is closed
  model::Job job;
};

struct RecoveryState {
  static inline const char* name = "recovery";

  RecoveryOptions options;
  std::uint64_t next_line = 0;
  std::unordered_map<std::uint32_t, model::PutIntended> open;  // by channel
  model::RestoreOutcome outcome;

  void account(const model::Record& record);
};

Recovery::behavior_type recovery_actor(Recovery::stateful_pointer<RecoveryState> self,
                                       RecoveryOptions options);

}  // namespace tidemark::actors
