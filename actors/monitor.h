// actors/monitor.h
//
// One shard of PVs: follows them, publishes what happens in batches, sends the same batches to
// the journal, keeps the last of each for late joiners, reads and writes.
//
//   libca ─► update queue ─► wake ─► drain ─► encode once ─┬─► live stream (PUB)
//                                                          ├─► archiving ─► outbox ─► journal
//                                                          └─► own live table ─► monitor.state
//
// Policies and the storage guard (model/archiving.h) thin what goes to the journal, and only that:
// the live stream and the state have everything. What they leave as it is goes there in the same
// bytes; a batch of which they hide something is encoded apart.
//
// A lone update goes out at once. Under load the time between two drains grows: full batches.

#pragma once

#include "actors/board.h"
#include "actors/messages.h"
#include "actors/outbox.h"
#include "epics/client.h"
#include "model/archiving.h"
#include "model/live_table.h"

namespace tidemark::actors {

using Monitor = caf::typed_actor<
    /// The update queue holds something.
    caf::reacts_to<wake_atom>,

    /// Drains it. Only ever sent by the actor to itself.
    caf::reacts_to<commit_atom>,

    /// Shows figures, asks for channels. Only ever sent by the actor to itself.
    caf::reacts_to<tick_atom>,

    /// A value that a policy held back is due. Only ever sent by the actor to itself.
    caf::reacts_to<due_atom>,

    /// The channels to follow: from now on these and no others.
    caf::reacts_to<channels_atom, Shared<model::api::Channels>>,

    /// Asks the keeper for its channels: the node is there, or says that they changed.
    caf::reacts_to<start_atom>,

    caf::reacts_to<state_atom, bus::Call>, caf::reacts_to<read_atom, bus::Call>,
    caf::reacts_to<put_atom, bus::Call>, caf::reacts_to<rates_atom, bus::Call>,
    caf::reacts_to<forecast_atom, bus::Call>,

    /// Publishes what is left and lets the channels go.
    caf::replies_to<stop_atom>::with<Unit>>;

struct MonitorOptions {
  std::shared_ptr<bus::Link> link;
  std::shared_ptr<epics::Client> client;
  std::shared_ptr<Board> board;
  Outbox outbox;
  bus::NodeNumber keeper{};
  model::GuardBudget guard{};
};

struct MonitorState {
  static inline const char* name = "monitor";

  explicit MonitorState(Monitor::pointer actor) : self(actor) {}

  Monitor::pointer self;
  MonitorOptions options;
  model::LiveTable table;
  std::unique_ptr<model::Archiving> archiving;
  std::unordered_map<std::uint32_t, std::string> followed;  // channel → address
  std::uint64_t channels_revision = 0;
  bool asking = false;
  bool stale = true;      // the channels changed since we asked for them
  bool draining = false;  // a commit is under way to us
  SteadyTime drained_at{};
  Duration coalesce{0};                // from then on, until the next drain
  SteadyTime turned_at{};              // the archiving's last turn
  std::optional<SteadyTime> wakes_at;  // for what is due
  std::uint64_t published = 0;         // items of the live stream
  std::uint64_t batches = 0;

  void drain();
  void publish(const std::vector<model::PvUpdate>& updates);
  /// To the journal only.
  void archive(std::vector<model::PvUpdate> updates);
  void wake_when_due();
  void release_due();
  void turn();
  void report(const model::Archiving::Guarded& guarded);
  const std::string& address_of(model::ChannelId channel) const;
  void follow(const model::api::Channels& channels);
  void ask_channels();
  void answer_state(const bus::Call& call);
  void read(const bus::Call& call);
  void put(const bus::Call& call);
  void answer_rates(const bus::Call& call);
  void forecast(const bus::Call& call);
  void show();
};

Monitor::behavior_type monitor_actor(Monitor::stateful_pointer<MonitorState> self,
                                     MonitorOptions options);

}  // namespace tidemark::actors
