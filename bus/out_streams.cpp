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
  header.sent_at = clock_.utc();
  {
    const std::lock_guard lock(mutex_);
    header.sequence = streams_[stream].last + 1;
  }

  // Outside the lock: other streams need not wait for this one's checksum.
  const bool fits = payload.size() <= kFrameBytesMax;
  const auto frame = fits ? std::make_shared<const Bytes>(encode_frame(header, payload)) : nullptr;
  const auto now = clock_.steady();

  bool was_empty = false;
  {
    const std::lock_guard lock(mutex_);
    auto& own = streams_[stream];
    own.last += count;
    if (!fits || bytes_ + frame->size() > kWaitingBytesMax) {
      ++dropped_;
      return header.sequence;
    }
    was_empty = frames_.empty();
    own.waits = true;
    bytes_ += frame->size();
    frames_.push_back(frame);
    own.ring.push_back({header.sequence, own.last, now, frame});
    own.ring_bytes += frame->size();
    trim(own, now);
  }
  if (was_empty) wake_();
  return header.sequence;
}

void OutStreams::trim(Stream& stream, SteadyTime now) {
  auto& ring = stream.ring;
  while (!ring.empty() && (stream.ring_bytes > kRingBytesMax || ring.size() > kRingFramesMax ||
                           now - ring.front().at > kRingAgeMax)) {
    stream.ring_bytes -= ring.front().frame->size();
    ring.pop_front();
  }
}

Result<std::vector<SharedBytes>> OutStreams::again(StreamNumber stream, Incarnation incarnation,
                                                   std::uint64_t from, std::uint64_t to) {
  const auto now = clock_.steady();
  const std::lock_guard lock(mutex_);
  const auto found = streams_.find(stream);
  if (found == streams_.end() || incarnation != incarnation_ || from > to) {
    return Error{Code::kNotFound, "no such items of stream " + std::to_string(stream)};
  }
  auto& own = found->second;
  trim(own, now);
  auto at = std::lower_bound(own.ring.begin(), own.ring.end(), from,
                             [](const Kept& kept, std::uint64_t item) { return kept.last < item; });
  std::vector<SharedBytes> frames;
  std::size_t bytes = 0;
  std::uint64_t due = from;
  // A frame that was dropped here is a hole in the ring too.
  for (; at != own.ring.end() && at->first <= due && due <= to; ++at) {
    frames.push_back(at->frame);
    bytes += at->frame->size();
    due = at->last + 1;
  }
  if (due <= to) {
    return Error{Code::kNotFound, "item " + std::to_string(due) + " of stream " +
                                      std::to_string(stream) + " is not kept any more"};
  }
  const auto earned = std::chrono::duration<double>(now - own.again_at).count() *
                      static_cast<double>(kAgainBytesPerSecond);
  const auto free_bytes = static_cast<double>(own.again_bytes) + earned;
  own.again_bytes =
      static_cast<std::size_t>(std::min(free_bytes, static_cast<double>(kAgainBytesPerSecond)));
  own.again_at = now;
  if (bytes > own.again_bytes) {
    return Error{Code::kUnavailable, "too much was sent again lately"};
  }
  own.again_bytes -= bytes;
  return frames;
}

void OutStreams::declare(StreamNumber stream) {
  {
    const std::lock_guard lock(mutex_);
    streams_.try_emplace(stream);
  }
  wake_();
}

void OutStreams::retire(StreamNumber stream) {
  const std::lock_guard lock(mutex_);
  streams_.erase(stream);
}

void OutStreams::hurry(StreamId stream) {
  if (stream.node != node_) return;
  const std::lock_guard lock(mutex_);
  const auto found = streams_.find(stream.stream);
  if (found != streams_.end()) found->second.heartbeat_at = SteadyTime{};
}

std::vector<SharedBytes> OutStreams::take() {
  const auto now = clock_.steady();
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
      header.sent_at = clock_.utc();
      frames.push_back(std::make_shared<const Bytes>(encode_frame(header, {})));
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
