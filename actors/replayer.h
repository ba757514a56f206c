// actors/replayer.h
//
// The replays of a journal (model/api/replay.h): starts them, hands calls to each, and lets them
// send by turns. It reads the disk and blocks, so spawn it with caf::detached; what it reads never
// keeps an append waiting.

#pragma once

#include <list>

#include "actors/board.h"
#include "actors/messages.h"
#include "actors/replay_run.h"

namespace tidemark::actors {

using Replayer = caf::typed_actor<
    /// Each: a request of that name → its answer.
    caf::reacts_to<start_atom, bus::Call>, caf::reacts_to<control_atom, bus::Call>,
    caf::reacts_to<ack_atom, bus::Call>, caf::reacts_to<list_atom, bus::Call>,
    caf::reacts_to<state_atom, bus::Call>,

    /// Sends what is due. Only ever sent by the actor to itself.
    caf::reacts_to<wake_atom>>;

struct ReplayerOptions {
  std::shared_ptr<bus::Link> link;
  std::shared_ptr<const journal::Projections> projections;
  std::shared_ptr<Board> board;
  ReplayRun::NodeName node_name;
};

struct ReplayerState {
  static inline const char* name = "replayer";
  /// At a time: each reads some 4 MiB ahead, and has as much on the way.
  static constexpr std::size_t kReplaysMax = 8;
  /// One that ended says so for as long as its frames may be asked for again.
  static constexpr Duration kRemembered = std::chrono::seconds(10);
  static constexpr std::size_t kRememberedMax = 64;

  explicit ReplayerState(Replayer::pointer actor) : self(actor) {}

  Replayer::pointer self;
  ReplayerOptions options;
  Past past;
  std::list<ReplayRun> runs;                       // by age
  bus::StreamNumber stream = bus::kReplayStreams;  // the next two
  bool working = false;                            // a wake is in our mailbox
  SteadyTime wakes_at = SteadyTime::max();         // the earliest one that will come
  std::uint64_t updates = 0;                       // said by replays that are forgotten

  /// Lets each send, forgets what ended, and comes again when there is more to do.
  void work();
  Result<model::api::ReplayStarted> start(model::api::ReplayRequest request);
  /// Errors: kNotFound.
  Result<ReplayRun*> find(const Uuid& id);
  void show() const;
};

Replayer::behavior_type replayer_actor(Replayer::stateful_pointer<ReplayerState> self,
                                       ReplayerOptions options);

}  // namespace tidemark::actors
