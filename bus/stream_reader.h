// bus/stream_reader.h
//
// How a subscriber follows one stream of state without ever missing a hole, as a pure function
// of events and time: no threads, no sockets, no clock.
//
//              first frame or heartbeat             what was lost is not to be had
//   joining ───────────────────────────► state asked for ◄──────────────── again asked for
//      ▲    (proves that we are subscribed)       │                    sequence jumps, ▲ │ frames
//      └── a newer incarnation                    │ state of (inc, S)  or heartbeat is │ │
//                                                 └──────────────────► live ─── ahead ─┘ ▼
//                                                   (buffered frames after S)  ◄─────────┘
//
// An item of a replay without content is a jump: what was before it is void, and the state is asked
// for. Nothing of it counts as lost.
//
// The caller feeds events and carries out the actions, in order.

#pragma once

#include <deque>
#include <string>
#include <variant>
#include <vector>

#include "bus/link.h"

namespace tidemark::bus {

struct StreamReaderLimits {
  std::size_t buffer_bytes_max = 64u << 20;  // frames kept while the state is under way
  Duration retry_min = std::chrono::milliseconds(50);
  Duration retry_max = std::chrono::seconds(5);
  /// A publisher whose items cannot be read is asked for its state no more often than this.
  Duration unreadable_pause = std::chrono::seconds(1);
};

class StreamReader {
 public:
  /// Ask the publisher for these items again; answer with on_again() or on_again_failed().
  struct AskAgain {
    Incarnation incarnation;
    std::uint64_t from;
    std::uint64_t to;
  };
  /// Ask the publisher for its whole state; answer with on_state() or on_state_failed().
  struct AskState {
    Incarnation incarnation;
  };
  /// Forget everything of this stream, and take this state.
  struct Whole {
    std::vector<Bytes> parts;
  };
  /// Apply these items, the next ones in sequence.
  struct Apply {
    Bytes payload;
    std::uint64_t from;
    std::uint64_t to;
  };
  /// Items from..to were lost, on the way or because the buffer was full. A state that hides them
  /// has been applied or is being fetched. Each lost item is reported once.
  struct Lost {
    Incarnation incarnation;
    std::uint64_t from;
    std::uint64_t to;
  };
  using Action = std::variant<AskAgain, AskState, Whole, Apply, Lost>;
  using Actions = std::vector<Action>;

  struct Counters {
    std::uint64_t gaps = 0;        // holes seen
    std::uint64_t repaired = 0;    // of these, filled with the very frames that were lost
    std::uint64_t items_lost = 0;  // in the others
    std::uint64_t states = 0;      // whole states applied
    std::uint64_t duplicates = 0;  // frames dropped because we had them
    std::uint64_t stale = 0;       // frames of an older incarnation
  };

  explicit StreamReader(StreamReaderLimits limits = {}) : limits_(limits) {}

  /// A frame or a heartbeat of the stream.
  Actions on_frame(Frame frame, SteadyTime now);
  /// The frames that AskAgain{…, from, …} asked for, in sequence.
  Actions on_again(std::uint64_t from, std::vector<Frame> frames);
  Actions on_again_failed(std::uint64_t from);
  /// The whole state as it was after `sequence` items of `incarnation`, in parts.
  Actions on_state(Incarnation incarnation, std::uint64_t sequence, std::vector<Bytes> parts,
                   SteadyTime now);
  Actions on_state_failed(SteadyTime now);
  /// What was to be applied cannot be read: it is lost, as a hole is.
  Actions on_unreadable(std::uint64_t from, std::uint64_t to, SteadyTime now);
  /// Call some ten times a second: retries what failed.
  Actions on_tick(SteadyTime now);

  bool live() const { return phase_ == Phase::kLive; }
  Incarnation incarnation() const { return incarnation_; }
  /// Items applied so far: the sequence of the last one.
  std::uint64_t applied() const { return applied_; }
  const Counters& counters() const { return counters_; }

 private:
  enum class Phase { kJoining, kAsked, kWaiting, kRepairing, kLive };

  void ask(Actions& actions);
  void wait(SteadyTime now);
  void lose(std::uint64_t from, std::uint64_t to, Actions& actions);
  void give_up_repair(Actions& actions);
  void jump(std::uint64_t item, Actions& actions);
  void apply_buffer(Actions& actions);
  void keep(Frame frame, Actions& actions);
  void drop_buffer();

  const StreamReaderLimits limits_;
  Phase phase_ = Phase::kJoining;
  Incarnation incarnation_ = 0;
  std::uint64_t applied_ = 0;
  std::uint64_t seen_ = 0;       // the last item that arrived, or was reported lost
  std::uint64_t needed_ = 0;     // a state must contain this one: what is kept begins after it
  std::uint64_t hole_from_ = 0;  // kRepairing: the items asked for again
  std::uint64_t hole_to_ = 0;
  int outstanding_ = 0;  // asked and not answered; two when the publisher restarted meanwhile
  std::deque<Frame> buffer_;
  std::size_t buffer_bytes_ = 0;
  Duration retry_{0};
  SteadyTime retry_at_{};
  Counters counters_;
};

}  // namespace tidemark::bus
