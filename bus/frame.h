// bus/frame.h
//
// The header of a data frame: 48 bytes, then the payload, in one ZeroMQ frame. Its first
// eight bytes are the subscription prefix: subscribers always take whole streams, so a hole
// in the sequence is a hole. docs/bus-protocol.md has every byte, with an example.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "bus/node.h"

namespace tidemark::bus {

inline constexpr std::uint8_t kWireMajor = 1;
inline constexpr std::size_t kFrameHeaderBytes = 48;
inline constexpr std::size_t kFrameBytesMax = 16u << 20;  // MAXMSGSIZE of every data socket.

enum class FrameClass : std::uint8_t {
  kState = 'S',      // last value counts; a late joiner gets the whole state first
  kEvent = 'E',      // every one counts
  kDirectory = 'D',  // the registry's
  kHeartbeat = 'H',  // of a stream: says the last sequence, so the loss of a last frame shows
  // The past, played again: in small letters, so that nobody who subscribed to the present gets it.
  kReplayState = 's',  // as kState; an item without content voids all before it (StreamReader)
  kReplayNews = 'e',   // as kState, of what the replay does and of records
};

/// Streams of a node. 0 is the node's own heartbeat.
using StreamNumber = std::uint16_t;
inline constexpr StreamNumber kLiveStream = 1;          // monitor: PV batches
inline constexpr StreamNumber kDirectoryStream = 2;     // registry: Directory
inline constexpr StreamNumber kCatalogStream = 3;       // keeper: ChannelsChanged
inline constexpr StreamNumber kJobStream = 4;           // keeper: api::Job
inline constexpr StreamNumber kReplayStreams = 0x8000;  // from here on, two for each replay

/// The past has classes and streams of its own, and neither goes with one of the present: that is
/// checked where frames are made, subscribed to and decoded.
constexpr bool is_replay(FrameClass frame_class) {
  return frame_class == FrameClass::kReplayState || frame_class == FrameClass::kReplayNews;
}
constexpr bool belong_together(FrameClass frame_class, StreamNumber stream) {
  return is_replay(frame_class) == (stream >= kReplayStreams);
}

struct StreamId {
  NodeNumber node{};
  StreamNumber stream = 0;
  auto operator<=>(const StreamId&) const = default;
};

struct FrameHeader {
  FrameClass frame_class = FrameClass::kState;
  StreamId stream;
  Incarnation incarnation = 0;
  std::uint16_t flags = 0;     // none defined yet; unknown ones are ignored
  std::uint64_t sequence = 0;  // of the first item in this frame; the first of all is 1
  std::uint32_t count = 0;   // items in this frame, at least 1: the next starts at sequence + count
  std::uint16_t schema = 0;  // what the payload is, per stream; 0 until there is a second one
  UtcTime sent_at{};         // publisher's clock

  bool operator==(const FrameHeader&) const = default;
};

/// Encoded once, sent and kept without a copy.
using SharedBytes = std::shared_ptr<const Bytes>;

struct FrameView {
  FrameHeader header;
  BytesView payload;  // points into the bytes that were decoded
};

/// Header and payload as one frame.
Bytes encode_frame(const FrameHeader& header, BytesView payload);

/// Checks length, version, class and checksum before anybody looks at the payload.
/// Errors: kCorruption, saying what was wrong.
Result<FrameView> decode_frame(BytesView bytes);

/// When it says that it was sent, without checking anything else; empty when it is too short.
std::optional<UtcTime> frame_sent_at(BytesView bytes);

/// What to subscribe to for the frames of one class of one stream.
Bytes subscription_prefix(FrameClass frame_class, StreamId stream);

}  // namespace tidemark::bus
