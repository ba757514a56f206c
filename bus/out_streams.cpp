// bus/out_streams.cpp

#include "bus/out_streams.h"

#include <algorithm>

namespace tidemark::bus {

std::uint64_t OutStreams::publish(FrameClass frame_class, StreamNumber stream, std::uint32_t count,
                                  BytesView payload) {
  FrameHeader header;
  header.frame_class = frame_class;
  header.stream = StreamId{node_, stream};
  header.incarnation = incarnation_;
  header.count = count;
  header.sent_at = utc_now();
  {
    const std::lock_guard lock(mutex_);
    header.sequence = streams_[stream].last + 1;
  }

  // Outside the lock: other streams need not wait for this one's checksum.
  const bool fits = payload.size() <= kFrameBytesMax;
  Bytes frame = fits ? encode_frame(header, payload) : Bytes{};

  bool was_empty = false;
  {
    const std::lock_guard lock(mutex_);
    auto& own = streams_[stream];
    own.last += count;
    if (!fits || bytes_ + frame.size() > kWaitingBytesMax) {
      ++dropped_;
      return header.sequence;
    }
    was_empty = frames_.empty();
    own.waits = true;
    bytes_ += frame.size();
    frames_.push_back(std::move(frame));
  }
  if (was_empty) wake_();
  return header.sequence;
}

void OutStreams::declare(StreamNumber stream) {
  {
    const std::lock_guard lock(mutex_);
    streams_.try_emplace(stream);
  }
  wake_();
}

void OutStreams::hurry(StreamId stream) {
  if (stream.node != node_) return;
  const std::lock_guard lock(mutex_);
  const auto found = streams_.find(stream.stream);
  if (found != streams_.end()) found->second.heartbeat_at = SteadyTime{};
}

std::vector<Bytes> OutStreams::take(SteadyTime now, UtcTime utc) {
  const std::lock_guard lock(mutex_);
  auto frames = std::exchange(frames_, {});
  bytes_ = 0;
  for (auto& [number, stream] : streams_) {
    // A frame says all that a heartbeat would.
    if (std::exchange(stream.waits, false)) {
      stream.heartbeat_at = now + kHeartbeatInterval;
    } else if (stream.heartbeat_at <= now) {
      stream.heartbeat_at = now + kHeartbeatInterval;
      FrameHeader header;
      header.frame_class = FrameClass::kHeartbeat;
      header.stream = StreamId{node_, number};
      header.incarnation = incarnation_;
      header.sequence = stream.last;
      header.sent_at = utc;
      frames.push_back(encode_frame(header, {}));
    }
  }
  return frames;
}

SteadyTime OutStreams::next_heartbeat() const {
  const std::lock_guard lock(mutex_);
  auto next = SteadyTime::max();
  for (const auto& [number, stream] : streams_) next = std::min(next, stream.heartbeat_at);
  return next;
}

std::uint64_t OutStreams::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

}  // namespace tidemark::bus
