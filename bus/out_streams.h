// bus/out_streams.h
//
// The streams that a node publishes: numbers their items, keeps frames until the loop takes
// them and a while longer, and says when a stream has been silent for so long that it needs a
// heartbeat.
//
//   publisher's thread ── publish() ──► at most 64 MiB of frames ── take() ──► loop thread
//                                  └──► ring of the last ones ──── again() ──► whoever missed some
//
// A frame that does not fit is dropped and counted; its numbers stay used, so receivers see the
// hole. Heartbeats come after the frames that they count, under the same lock.

#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "bus/clock.h"
#include "bus/frame.h"

namespace tidemark::bus {

inline constexpr Duration kHeartbeatInterval = std::chrono::milliseconds(200);

class OutStreams {
 public:
  static constexpr std::size_t kWaitingBytesMax = 64u << 20;
  // What is kept for whoever missed it; beyond, a whole state is cheaper.
  static constexpr std::size_t kRingBytesMax = 8u << 20;
  static constexpr std::size_t kRingFramesMax = 1u << 16;
  static constexpr Duration kRingAgeMax = std::chrono::seconds(10);
  /// Of one stream, so that many who missed the same do not drown the others.
  static constexpr std::size_t kAgainBytesPerSecond = 4u << 20;

  OutStreams(NodeNumber node, Incarnation incarnation, Clock clock, std::function<void()> wake)
      : node_(node), incarnation_(incarnation), clock_(std::move(clock)), wake_(std::move(wake)) {}

  // Threads: any, one at a time per stream.
  std::uint64_t publish(FrameClass frame_class, StreamNumber stream, std::uint32_t count,
                        BytesView payload);
  void declare(StreamNumber stream);
  void retire(StreamNumber stream);

  // Threads: any.
  /// Somebody new listens: the stream's next heartbeat is due now.
  void hurry(StreamId stream);
  /// Every frame that waits, then the heartbeats that are due.
  std::vector<SharedBytes> take();
  /// The frames that hold items `from` to `to`.
  /// Errors: kNotFound     not kept (any more), or of another incarnation: ask for the state.
  ///         kUnavailable  too much was sent again lately: ask for the state.
  Result<std::vector<SharedBytes>> again(StreamNumber stream, Incarnation incarnation,
                                         std::uint64_t from, std::uint64_t to);
  /// When a heartbeat will be due if nothing is published until then.
  SteadyTime next_heartbeat() const;
  std::uint64_t dropped() const;

 private:
  struct Kept {
    std::uint64_t first;
    std::uint64_t last;
    SteadyTime at;
    SharedBytes frame;
  };
  struct Stream {
    std::uint64_t last = 0;  // sequence of the last item that was numbered
    bool waits = false;      // a frame of it is in frames_
    SteadyTime heartbeat_at{};
    std::deque<Kept> ring;
    std::size_t ring_bytes = 0;
    std::size_t again_bytes = kAgainBytesPerSecond;  // that may be sent again now
    SteadyTime again_at{};
  };

  static void trim(Stream& stream, SteadyTime now);

  const NodeNumber node_;
  const Incarnation incarnation_;
  const Clock clock_;
  const std::function<void()> wake_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::map<StreamNumber, Stream> streams_;
  std::vector<SharedBytes> frames_;
  std::size_t bytes_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace tidemark::bus
