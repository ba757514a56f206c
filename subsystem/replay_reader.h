// subsystem/replay_reader.h
//
// Reads a replay of the journal: its two streams, whole, and says how far it is, so that the replay
// never runs ahead of it. It can only read: what it is given comes on streams of the past.
//
//   loop thread ── frames, answers ──► Mailbox ──► next() ──► StreamReader ×2 ──► events
//               ◄──────────────── acknowledgements ────────────────┘
//
// Threads: one calls next(). While the object lives it is also its reader's sign of life.

#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "base/mailbox.h"
#include "bus/stream_reader.h"
#include "model/api/replay.h"
#include "model/pv_update.h"

namespace tidemark::subsystem {

class ReplayReader {
 public:
  /// PV updates in order. `whole`: the state that they make; forget what was before.
  struct Updates {
    bool whole = false;
    std::vector<model::PvUpdate> updates;
  };
  using Event = std::variant<Updates, model::api::ReplayNews>;

  /// `me`: as whom it acknowledges; the replay's owner, or anybody. Subscribes at once.
  ReplayReader(std::shared_ptr<bus::Link> link, bus::NodeNumber journal,
               const model::api::ReplayStatus& replay, const Uuid& me);
  /// Says goodbye. A replay whose owner it was ends when that is silent for its lease.
  ~ReplayReader();
  ReplayReader(const ReplayReader&) = delete;
  ReplayReader& operator=(const ReplayReader&) = delete;

  /// What has come, waiting up to `wait` for something. Everything that an earlier call gave is
  /// taken to be dealt with, and acknowledged.
  std::vector<Event> next(Duration wait);

  /// It has the state, and all that was said since.
  bool live() const { return streams_[0].reader.live() && streams_[1].reader.live(); }
  /// Items of the PV stream that next() has given: ReplayStatus::items is what there is.
  std::uint64_t applied() const { return streams_[0].reader.applied(); }
  /// The replay is over, and why; nothing comes any more.
  const std::optional<Error>& ended() const { return ended_; }
  const bus::StreamReader::Counters& counters() const { return streams_[0].reader.counters(); }
  std::uint64_t bad_batches() const { return bad_batches_; }

 private:
  struct State {
    std::vector<Bytes> parts;
    bus::Answer end;
  };
  struct Again {
    std::uint64_t from;
    Result<std::vector<bus::Frame>> frames;
  };
  struct Message {
    std::size_t stream;
    std::variant<bus::Frame, State, Again> content;
  };
  struct Stream {
    bus::StreamId id;
    bus::SubscriptionId subscription{};
    bus::StreamReader reader;
  };
  class Core;

  void react(Message message, std::vector<Event>& events);
  void carry_out(std::size_t stream, bus::StreamReader::Actions actions,
                 std::vector<Event>& events);
  bus::StreamReader::Actions take(std::size_t stream, State state);
  void give(std::size_t stream, bool whole, std::span<const Bytes> parts,
            std::vector<Event>& events);
  void ask_state(std::size_t stream);
  void ask_again(std::size_t stream, const bus::StreamReader::AskAgain& hole);

  const std::shared_ptr<bus::Link> link_;
  const bus::NodeNumber journal_;
  const Uuid id_;
  const std::shared_ptr<Mailbox<Message>> inbox_;
  const std::shared_ptr<Core> core_;  // what outlives us in callbacks
  std::array<Stream, 2> streams_;
  std::size_t unsaid_bytes_ = 0;  // given and not acknowledged
  SteadyTime said_at_{};
  std::uint64_t bad_batches_ = 0;
  std::optional<Error> ended_;
};

}  // namespace tidemark::subsystem
