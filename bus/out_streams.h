// bus/out_streams.h
//
// The streams that a node publishes: numbers their items, keeps frames until the loop takes
// them, and says when a stream has been silent for so long that it needs a heartbeat.
//
//   publisher's thread ── publish() ──► at most 64 MiB of frames ── take() ──► loop thread
//
// A frame that does not fit is dropped and counted; its numbers stay used, so receivers see the
// hole. Heartbeats come after the frames that they count, under the same lock.

#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include "bus/frame.h"

namespace tidemark::bus {

inline constexpr Duration kHeartbeatInterval = std::chrono::milliseconds(200);

class OutStreams {
 public:
  static constexpr std::size_t kWaitingBytesMax = 64u << 20;

  OutStreams(NodeNumber node, Incarnation incarnation, std::function<void()> wake)
      : node_(node), incarnation_(incarnation), wake_(std::move(wake)) {}

  // Threads: any, one at a time per stream.
  std::uint64_t publish(FrameClass frame_class, StreamNumber stream, std::uint32_t count,
                        BytesView payload);
  void declare(StreamNumber stream);

  // Threads: any.
  /// Somebody new listens: the stream's next heartbeat is due now.
  void hurry(StreamId stream);
  /// Every frame that waits, then the heartbeats that are due.
  std::vector<Bytes> take(SteadyTime now, UtcTime utc);
  /// When a heartbeat will be due if nothing is published until then.
  SteadyTime next_heartbeat() const;
  std::uint64_t dropped() const;

 private:
  struct Stream {
    std::uint64_t last = 0;  // sequence of the last item that was numbered
    bool waits = false;      // a frame of it is in frames_
    SteadyTime heartbeat_at{};
  };

  const NodeNumber node_;
  const Incarnation incarnation_;
  const std::function<void()> wake_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::map<StreamNumber, Stream> streams_;
  std::vector<Bytes> frames_;
  std::size_t bytes_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace tidemark::bus
