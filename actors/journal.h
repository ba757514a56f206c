// actors/journal.h
//
// Owns the Store, and turns many small appends into few disk flushes.
//
// No timer decides: the first append of a group sends `commit` to the back of this actor's own
// mailbox, so whatever arrived during the last flush joins the next one. An idle journal answers
// after one flush; a busy one fills its blocks.
//
// What origins sent twice is stored once; what never came is recorded as a Gap, in the same
// block as the first record after it. The rules are in intake.h.
//
// The Store blocks, so spawn these actors with caf::detached.

#pragma once

#include "actors/board.h"
#include "actors/intake.h"
#include "actors/messages.h"
#include "journal/mark_projection.h"
#include "journal/store.h"
#include "journal/text_pattern.h"
#include "model/field_test.h"

namespace tidemark::actors {

using JournalReader = caf::typed_actor<
    /// ReadRequest → ReadReply. A request with `wait` stays until there is a line for it.
    caf::reacts_to<read_atom, bus::Call>,

    /// The same from that line on, as far as another reader has come with it.
    caf::reacts_to<read_atom, bus::Call, std::uint64_t>,

    /// New lines are durable.
    caf::reacts_to<wake_atom>,

    /// Ends waits that are over. Only ever sent by the actor to itself.
    caf::reacts_to<tick_atom>>;

using Journal = caf::typed_actor<
    /// AppendRequest → AppendReply, once durable.
    /// Errors: kInvalidArgument, kCorruption  the request is not one, or does not go with what is
    ///                                        there; nothing stored
    ///         kConflict     an earlier section of the origin is still on its way: send from there
    ///         kUnavailable  disk full, or the store is broken and this node about to end
    caf::reacts_to<append_atom, bus::Call>,

    /// Flushes what waits. Only ever sent by the actor to itself.
    caf::reacts_to<commit_atom>>;

struct JournalState {
  static inline const char* name = "journal";

  std::shared_ptr<journal::Store> store;
  std::shared_ptr<Board> board;
  JournalReader reader;
  std::function<void(Error)> on_broken;
  std::function<void()> on_durable;
  Uuid gaps_origin;
  std::unique_ptr<Intake> intake;

  struct Waiting {
    bus::Call call;
    std::uint64_t through;
  };
  std::vector<journal::InspectedSection> group;
  std::size_t group_bytes = 0;
  std::vector<Waiting> waiting;
  bool broken = false;  // nothing more is acknowledged
  std::uint64_t blocks = 0;

  /// From what the store has.
  void begin_intake();
};

/// `on_broken`: the disk refused a flush; nothing more is acknowledged, the process must end.
/// `on_durable`: there are new lines; may be empty.
Journal::behavior_type journal_actor(Journal::stateful_pointer<JournalState> self,
                                     std::shared_ptr<journal::Store> store,
                                     std::shared_ptr<Board> board, JournalReader reader, Uuid me,
                                     std::function<void(Error)> on_broken,
                                     std::function<void()> on_durable);

/// MarkProjection::lines_of().
using LinesOfMark = std::function<Result<journal::MarkProjection::Lines>(const std::string& mark)>;

struct JournalReaderState {
  static inline const char* name = "journal-reader";

  std::shared_ptr<journal::Store> store;
  std::function<std::string(const Uuid&)> node_name;
  LinesOfMark lines_of_mark;
  JournalReader followers;

  /// A request whose filters are checked, and compiled once.
  struct Asked {
    model::api::ReadRequest request;
    std::optional<journal::TextPattern> pattern;
    std::vector<model::FieldTest> fields;
  };
  struct Waiting {
    bus::Call call;
    Asked asked;
    SteadyTime until;
  };
  std::vector<Waiting> waiting;

  /// Errors: kInvalidArgument, naming the filter.
  static Result<Asked> prepare(model::api::ReadRequest request);
  Result<model::api::ReadReply> read(const Asked& asked) const;
  /// Answers, or waits. `from` 0: as the request says.
  void take(const bus::Call& call, std::uint64_t from);
  void answer_waiting(SteadyTime now);
};

/// `node_name`: what to call an origin. `lines_of_mark` may be empty, of a journal without
/// projections: it has no marks. Threads: this actor's. `followers`: the reader at which requests
/// wait that have seen all there is, so that no search of this one holds them up; empty: here.
JournalReader::behavior_type journal_reader_actor(
    JournalReader::stateful_pointer<JournalReaderState> self, std::shared_ptr<journal::Store> store,
    std::function<std::string(const Uuid&)> node_name, LinesOfMark lines_of_mark,
    JournalReader followers);

}  // namespace tidemark::actors
