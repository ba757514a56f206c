// actors/live.h
//
// A live table of this node's own: follows the monitor's live stream, knows what channels are
// called, and answers from memory. Between two batches the table is one exact state, so a
// capture or a plan sees no half of a batch.
//
// The same on a replay is a Table: it answers questions, and that is all. What captures and plans
// is a Live, which follows the monitor and nothing else, so the past cannot get into a snapshot nor
// to an IOC: a program that would let it does not compile.

#pragma once

#include <map>

#include "actors/board.h"
#include "actors/messages.h"
#include "actors/outbox.h"
#include "base/handoff_queue.h"
#include "bus/ask_again.h"
#include "bus/stream_reader.h"
#include "model/api/replay.h"
#include "model/live_table.h"

namespace tidemark::actors {

/// The whole state of a stream, as it came.
struct StateAnswer {
  Result<model::api::StateEnd> end;
  std::vector<Bytes> parts;
};

using AgainFrames = Result<std::vector<bus::Frame>>;

/// Of the present or of a replay.
using Table = caf::typed_actor<
    /// Frames wait in the queue.
    caf::reacts_to<wake_atom>,

    caf::reacts_to<state_atom, Shared<StateAnswer>>,

    /// The frames from that item on, which were lost on the way.
    caf::reacts_to<again_atom, std::uint64_t, Shared<AgainFrames>>,

    /// Retries, and shows figures. Only ever sent by the actor to itself.
    caf::reacts_to<tick_atom>,

    /// What the channels are called from now on.
    caf::reacts_to<channels_atom, Shared<model::api::Channels>>,

    caf::replies_to<live_atom, model::api::LiveQuery>::with<Shared<model::api::LiveReply>>>;

/// Of the present.
using Live = Table::extend<
    /// Fills the values of a snapshot whose channels and addresses are there.
    caf::replies_to<capture_atom, Draft>::with<Draft>,

    /// The snapshot's PVs with the values of now.
    caf::replies_to<compare_atom, Shared<model::Snapshot>>::with<Shared<model::Snapshot>>,

    /// What a restore of the PVs for which `in_scope` is true (null: all) would do now.
    /// Errors: unavailable  the table is not up to date.
    caf::replies_to<plan_atom, Shared<model::Snapshot>, model::RestoreOptions,
                    Shared<std::vector<bool>>>::with<Shared<model::RestorePlan>>>;

struct LiveOptions {
  std::shared_ptr<bus::Link> link;
  bus::NodeNumber monitor{};
  std::shared_ptr<Board> board;
  Outbox outbox;  // where it is recorded what was missed
};

struct ReplayTableOptions {
  std::shared_ptr<bus::Link> link;
  bus::NodeNumber journal{};
  model::api::ReplayStatus replay;
  Uuid reader;  // as whom it acknowledges what it has taken
};

/// What a table follows.
struct TableSource {
  bus::FrameClass frame_class = bus::FrameClass::kState;
  bus::StreamId stream;
  std::string method;  // asks for its state
  Bytes request;
};

struct LiveActorState {
  static inline const char* name = "live";

  Table me;
  std::shared_ptr<bus::Link> link;
  TableSource source;
  std::function<void(const bus::StreamReader::Lost&)> on_lost;
  std::shared_ptr<HandoffQueue<bus::Frame>> frames;
  bus::StreamReader reader;
  model::LiveTable table;
  std::map<std::string, model::ChannelId> channels;  // by address
  SteadyTime heard_at{};
  std::uint64_t bad_batches = 0;

  /// Subscribes.
  void subscribe();
  void take_frames();
  void take_state(const StateAnswer& answer);
  void take_again(std::uint64_t from, const AgainFrames& found);
  void learn(const Shared<model::api::Channels>& channels);
  /// Carries out what the reader decided.
  void act(bus::StreamReader::Actions actions);
  void apply(const Bytes& payload);
  void ask_again(const bus::StreamReader::AskAgain& wanted);
  void ask_state();
  /// The table is up to date as far as anybody can know.
  bool live() const;
  model::api::LiveReply answer(const model::api::LiveQuery& query) const;
  void show(Board& board) const;
};

Live::behavior_type live_actor(Live::stateful_pointer<LiveActorState> self, LiveOptions options);

Table::behavior_type replay_table_actor(Table::stateful_pointer<LiveActorState> self,
                                        ReplayTableOptions options);

}  // namespace tidemark::actors

TIDEMARK_LOCAL(tidemark::actors::Shared<tidemark::actors::StateAnswer>)
TIDEMARK_LOCAL(tidemark::actors::Shared<tidemark::actors::AgainFrames>)
