// journal/segment_header.h
//
// What a sealed segment says of itself: which lines it holds, what kinds, and the digests of its
// pieces. It is written last, so a segment with a header is whole; and each holds the digest of the
// header before it, and of its own last block, so the chain of the blocks goes on through it.
//
//   block ◄── block ◄── block         the log
//   header ◄── header ◄── header ◄──┘
//
// docs/journal-format.md has every byte.

#pragma once

#include <array>
#include <optional>
#include <utility>

#include "base/digest.h"
#include "journal/projection_keys.h"
#include "journal/projection_table.h"

namespace tidemark::journal {

struct SegmentHeader {
  Line first{};  // of whole blocks: those that begin in one stretch of `length` lines
  Line last{};
  std::uint64_t length = 0;  // lines of a stretch, as Segments
  UtcTime earliest{};        // recorded_at of the first block
  UtcTime latest{};          // and of the last
  std::uint32_t kinds = 0;
  model::Level level = model::Level::kDebug;
  bool in_log = false;  // its pieces did not give the same lines again: the blocks were kept
  std::uint32_t blocks = 0;
  std::array<std::uint32_t, kFrameClasses> frames{};  // by class
  Digest previous{};                                  // of the header before; zero in the first
  Digest block{};                                     // of the last block, as it was in the log
  Digest skeleton{};
  std::array<Digest, kFrameClasses> records{};  // next_digest() over the class's frames
  Digest chunks{};                              // the same over those of chunk_segments()

  /// Segments of chunks that belong to it: first and behind the last. A block that goes on in the
  /// next segment is in this one, and its updates in the chunks of both.
  std::pair<std::uint64_t, std::uint64_t> chunk_segments() const {
    const Segments segments{length};
    return {segments.of(first), segments.of(Line{raw(last) + 1})};
  }
  bool operator==(const SegmentHeader&) const = default;
};

/// Of several values, one after the other; zero before the first.
inline Digest next_digest(const Digest& before, BytesView value) {
  return digest({reinterpret_cast<const char*>(before.data()), before.size()}, value);
}

Bytes encode_header(const SegmentHeader& header);
/// Errors: kCorruption.
Result<SegmentHeader> decode_header(BytesView bytes);

/// The last one that begins at or before `line`; none: all of it is in the log.
Result<std::optional<SegmentHeader>> header_before(const ProjectionTable& table, Line line);
inline Result<std::optional<SegmentHeader>> last_header(const ProjectionTable& table) {
  return header_before(table, Line{~std::uint64_t{0} - 1});
}

}  // namespace tidemark::journal
