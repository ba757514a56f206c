// bus/frame.cpp

#include "bus/frame.h"

#include <limits>
#include <string>

#include "base/digest.h"

namespace tidemark::bus {
namespace {

Error corrupt_frame(std::string what) {
  return Error{Code::kCorruption, "data frame: " + std::move(what)};
}

bool known_class(std::uint8_t byte) {
  switch (static_cast<FrameClass>(byte)) {
    case FrameClass::kState:
    case FrameClass::kEvent:
    case FrameClass::kDirectory:
    case FrameClass::kHeartbeat:
    case FrameClass::kReplayState:
    case FrameClass::kReplayNews: return true;
  }
  return false;
}

}  // namespace

Bytes subscription_prefix(FrameClass frame_class, StreamId stream) {
  Bytes prefix;
  prefix.push_back(static_cast<char>(frame_class));
  prefix.push_back(static_cast<char>(kWireMajor));
  append_be(prefix, static_cast<std::uint32_t>(stream.node));
  append_be(prefix, stream.stream);
  return prefix;
}

Bytes encode_frame(const FrameHeader& header, BytesView payload) {
  TIDEMARK_CHECK(payload.size() <= std::numeric_limits<std::uint32_t>::max());
  Bytes frame;
  frame = subscription_prefix(header.frame_class, header.stream);
  frame.reserve(kFrameHeaderBytes + payload.size());
  append_le(frame, header.incarnation);
  append_le(frame, header.flags);
  append_le(frame, static_cast<std::uint8_t>(kFrameHeaderBytes / 8));
  append_le(frame, std::uint8_t{0});
  append_le(frame, header.sequence);
  append_le(frame, header.count);
  append_le(frame, crc32(payload));
  append_le(frame, static_cast<std::int64_t>(header.sent_at.time_since_epoch().count()));
  append_le(frame, header.schema);
  append_le(frame, std::uint16_t{0});
  append_le(frame, static_cast<std::uint32_t>(payload.size()));
  frame.append(payload);
  return frame;
}

std::optional<UtcTime> frame_sent_at(BytesView bytes) {
  if (bytes.size() < kFrameHeaderBytes) return std::nullopt;
  return UtcTime{Duration{read_le<std::int64_t>(bytes, 32)}};
}

Result<FrameView> decode_frame(BytesView bytes) {
  if (bytes.size() < kFrameHeaderBytes) {
    return corrupt_frame(std::to_string(bytes.size()) + " bytes are no header");
  }
  const auto major = read_le<std::uint8_t>(bytes, 1);
  if (major != kWireMajor) return corrupt_frame("wire version " + std::to_string(major));
  const auto frame_class = read_le<std::uint8_t>(bytes, 0);
  if (!known_class(frame_class)) return corrupt_frame("class " + std::to_string(frame_class));

  const std::size_t header_bytes = std::size_t{read_le<std::uint8_t>(bytes, 14)} * 8;
  const auto payload_bytes = read_le<std::uint32_t>(bytes, 44);
  if (header_bytes < kFrameHeaderBytes || header_bytes > bytes.size() ||
      payload_bytes != bytes.size() - header_bytes) {
    return corrupt_frame("a header of " + std::to_string(header_bytes) + " and a payload of " +
                         std::to_string(payload_bytes) + " bytes do not make " +
                         std::to_string(bytes.size()));
  }

  FrameView view;
  auto& header = view.header;
  header.frame_class = static_cast<FrameClass>(frame_class);
  header.stream.node = NodeNumber{read_be<std::uint32_t>(bytes, 2)};
  header.stream.stream = read_be<std::uint16_t>(bytes, 6);
  header.incarnation = read_le<std::uint32_t>(bytes, 8);
  header.flags = read_le<std::uint16_t>(bytes, 12);
  header.sequence = read_le<std::uint64_t>(bytes, 16);
  header.count = read_le<std::uint32_t>(bytes, 24);
  header.sent_at = UtcTime{Duration{read_le<std::int64_t>(bytes, 32)}};
  header.schema = read_le<std::uint16_t>(bytes, 40);
  view.payload = bytes.substr(header_bytes);

  // Readers add count to sequence, and may do so without a thought.
  if (header.sequence > std::numeric_limits<std::uint64_t>::max() - header.count - 1) {
    return corrupt_frame("sequence " + std::to_string(header.sequence) + " cannot be");
  }
  if (header.frame_class == FrameClass::kHeartbeat) {
    if (header.count != 0 || payload_bytes != 0) return corrupt_frame("a heartbeat with content");
  } else if (header.sequence == 0) {
    return corrupt_frame("sequence 0; the first is 1");
  } else if (header.count == 0) {
    return corrupt_frame("a frame without items");
  } else if (!belong_together(header.frame_class, header.stream.stream)) {
    return corrupt_frame("stream " + std::to_string(header.stream.stream) +
                         " is not of that class");
  }
  if (read_le<std::uint32_t>(bytes, 28) != crc32(view.payload)) {
    return corrupt_frame("checksum differs");
  }
  return view;
}

}  // namespace tidemark::bus
