// journal/block_codec.h
//
// A block of the journal as bytes: a header of fixed size, then the sections back to back,
// packed by zstd where that helps. docs/journal-format.md has every byte.
//
//   header 72 B  ·  payload = section, section, …    each: 48 B, then the bytes that its origin
//   sent
//
// Each header holds the digest of the block before it, so that a block which was exchanged, lost
// or put in another place is found even though its own checksums are right.

#pragma once

#include <cstdint>
#include <span>

#include "base/digest.h"
#include "journal/store.h"

namespace tidemark::journal {

inline constexpr std::size_t kBlockHeaderBytes = 72;
inline constexpr std::size_t kSectionHeaderBytes = 48;

/// What a decoder takes at most, whatever StoreLimits were in force when the block was written:
/// reading never depends on today's configuration. StoreLimits may not exceed it.
inline constexpr std::uint32_t kBlockRawBytesMax = 128u << 20;
inline constexpr std::uint32_t kBlockSectionsMax = 65'536;
/// What a block may hold, whatever the limits were for who appended it.
inline constexpr StoreLimits kBlockLimits{
    kBlockSectionsMax,
    kBlockRawBytesMax - kBlockSectionsMax* static_cast<std::uint32_t>(kSectionHeaderBytes)};

/// Stored: never renumber.
enum class BlockCodec : std::uint8_t { kNone = 0, kZstd = 1 };

struct BlockHeader {
  Line first{};
  std::uint32_t count = 0;  // lines; at least 1
  UtcTime recorded_at{};
  std::uint32_t kinds = 0;
  model::Level level = model::Level::kDebug;
  std::uint32_t sections = 0;
  BlockCodec codec = BlockCodec::kNone;
  std::uint32_t raw_bytes = 0;     // of the payload
  std::uint32_t stored_bytes = 0;  // of the payload as it is stored
  Digest previous{};               // of the block before; zero in the first
  std::uint32_t payload_crc = 0;   // of the payload as it is stored

  Line last() const { return Line{raw(first) + count - 1}; }
};

/// `sections`: at least one.
Bytes encode_block(Line first, UtcTime recorded_at, const Digest& previous,
                   std::span<const InspectedSection> sections);

/// Checks the header and its checksum; does not look at the payload.
/// Errors: kCorruption.
Result<BlockHeader> decode_block_header(BytesView block);

/// Checks everything but the content of the sections, which inspect() checked before they were
/// stored.
/// Errors: kCorruption.
Result<Block> decode_block(BytesView block);

/// What the next block's header holds as `previous`.
Digest block_digest(BytesView block);

/// Whether a block with this header may hold what `filter` asks for.
bool passes(const BlockFilter& filter, std::uint32_t kinds, model::Level level,
            UtcTime recorded_at);

/// Clears the payloads that `filter` does without.
void leave_out(const BlockFilter& filter, Block& block);

}  // namespace tidemark::journal
