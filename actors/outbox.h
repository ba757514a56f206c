// actors/outbox.h
//
// A node's way into the journal. Takes records and PV batches, sends them in order, holds them
// until they are acknowledged, and sends them again when the journal was away. The journal
// stores each once. Records are also on disk meanwhile, and what an earlier life of the node left
// there goes first.

#pragma once

#include "actors/board.h"
#include "actors/messages.h"
#include "journal/outbox_lives.h"

namespace tidemark::actors {

using Outbox = caf::typed_actor<
    /// Answers with the journal's last line once the records are durable. While the journal is
    /// away the answer waits.
    caf::replies_to<append_atom, Records>::with<std::uint64_t>,

    /// PV updates: no answer, held until acknowledged.
    caf::reacts_to<batch_atom, UpdateBatch>,

    /// The journal's answer to one request; `generation` tells late ones from before a rewind.
    caf::reacts_to<answered_atom, std::uint64_t, bus::Answer>,

    /// Try again after a failure. Only sent by the actor to itself.
    caf::reacts_to<tick_atom>,

    /// The journal node is (back) in the directory: send at once.
    caf::reacts_to<wake_atom>,

    /// Answers when everything held has been acknowledged.
    caf::replies_to<stop_atom>::with<Unit>>;

struct OutboxOptions {
  std::shared_ptr<bus::Link> link;
  bus::NodeNumber journal{};
  std::shared_ptr<Board> board;
  journal::OutboxLimits limits;
  journal::SpoolPlace spool;
};

struct OutboxState {
  static inline const char* name = "outbox";

  explicit OutboxState(Outbox::pointer actor) : self(actor) {}

  Outbox::pointer self;
  OutboxOptions options;
  std::unique_ptr<journal::OutboxLives> queue;
  std::uint64_t generation = 0;  // grows with each rewind, and when another life is sent
  bool waiting_to_retry = false;
  Duration retry{0};

  struct Waiter {
    std::uint64_t through;
    caf::typed_response_promise<std::uint64_t> promise;
  };
  std::deque<Waiter> waiters;  // in order of `through`
  std::vector<caf::typed_response_promise<Unit>> drained;

  void send();
  void settle(std::uint64_t through, std::uint64_t line);
  void fail(const Error& error);
  void show();
};

Outbox::behavior_type outbox_actor(Outbox::stateful_pointer<OutboxState> self,
                                   OutboxOptions options);

/// Appends any number of records, in appends of a size that the journal takes. No answer.
void append_all(const Outbox& outbox, Records records);

}  // namespace tidemark::actors
