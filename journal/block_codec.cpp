#include "journal/block_codec.h"

#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

namespace tidemark::journal {
namespace {

constexpr BytesView kBlockMagic = "TMBK";
constexpr std::uint16_t kBlockFormat = 1;

// Offsets in the header.
constexpr std::size_t kAtFormat = 4;
constexpr std::size_t kAtCodec = 6;
constexpr std::size_t kAtLevel = 7;
constexpr std::size_t kAtHeaderBytes = 8;
constexpr std::size_t kAtZero = 10;
constexpr std::size_t kAtSections = 12;
constexpr std::size_t kAtFirst = 16;
constexpr std::size_t kAtRecordedAt = 24;
constexpr std::size_t kAtCount = 32;
constexpr std::size_t kAtKinds = 36;
constexpr std::size_t kAtRawBytes = 40;
constexpr std::size_t kAtStoredBytes = 44;
constexpr std::size_t kAtPrevious = 48;
constexpr std::size_t kAtPayloadCrc = 64;
constexpr std::size_t kAtHeaderCrc = 68;
static_assert(kAtHeaderCrc + 4 == kBlockHeaderBytes);

/// Smaller payloads are stored as they are: a keyhole of gain, and a record stays legible in a
/// hex dump.
constexpr std::size_t kCompressAbove = 1024;
/// Level 1: the journal's writer is one thread, and level 3 costs it twice the time for a tenth
/// of the bytes.
constexpr int kBlockZstdLevel = 1;

Error damaged(const std::string& why) { return Error{Code::kCorruption, "block: " + why}; }

template <class T>
void put(Bytes& block, std::size_t offset, T value) {
  std::memcpy(block.data() + offset, &value, sizeof value);
}

void append_section(Bytes& out, const Section& section) {
  out.append(reinterpret_cast<const char*>(section.origin.bytes.data()),
             section.origin.bytes.size());
  append_le(out, section.incarnation);
  append_le(out, section.count);
  append_le(out, section.sequence);
  append_le(out, static_cast<std::int64_t>(section.sent_at.time_since_epoch().count()));
  append_le(out, static_cast<std::uint32_t>(section.payload.size()));
  append_le(out, static_cast<std::uint32_t>(section.format));
  out.append(section.payload);
}

/// Takes one section off the front of `bytes`; false when it does not fit.
bool take_section(BytesView& bytes, Section& section) {
  if (bytes.size() < kSectionHeaderBytes) return false;
  std::memcpy(section.origin.bytes.data(), bytes.data(), section.origin.bytes.size());
  section.incarnation = read_le<std::uint32_t>(bytes, 16);
  section.count = read_le<std::uint32_t>(bytes, 20);
  section.sequence = read_le<std::uint64_t>(bytes, 24);
  section.sent_at = UtcTime{Duration{read_le<std::int64_t>(bytes, 32)}};
  const auto payload_bytes = read_le<std::uint32_t>(bytes, 40);
  const auto format = read_le<std::uint32_t>(bytes, 44);
  bytes.remove_prefix(kSectionHeaderBytes);
  if (payload_bytes > bytes.size()) return false;
  if (format < 1 || format > 255) return false;
  section.format = static_cast<SectionFormat>(format);
  // A record takes a byte, but for one that is there no more.
  const bool expired = section.format == SectionFormat::kExpired;
  if (section.count == 0 || (section.count > payload_bytes && !expired)) return false;
  section.payload.assign(bytes.data(), payload_bytes);
  bytes.remove_prefix(payload_bytes);
  return true;
}

template <class Context, std::size_t (*Free)(Context*)>
struct Freer {
  void operator()(Context* context) const { Free(context); }
};
using Compressor = std::unique_ptr<ZSTD_CCtx, Freer<ZSTD_CCtx, ZSTD_freeCCtx>>;
using Decompressor = std::unique_ptr<ZSTD_DCtx, Freer<ZSTD_DCtx, ZSTD_freeDCtx>>;

}  // namespace

Bytes encode_block(Line first, UtcTime recorded_at, const Digest& previous,
                   std::span<const InspectedSection> sections) {
  TIDEMARK_CHECK(!sections.empty());
  std::size_t raw_bytes = 0;
  std::uint32_t count = 0;
  std::uint32_t kinds = 0;
  auto level = model::Level::kDebug;
  for (const auto& each : sections) {
    raw_bytes += kSectionHeaderBytes + each.section().payload.size();
    count += each.section().count;
    kinds |= each.kinds();
    level = std::max(level, each.level());
  }
  TIDEMARK_CHECK(raw_bytes <= kBlockRawBytesMax && sections.size() <= kBlockSectionsMax);

  Bytes block;
  block.reserve(kBlockHeaderBytes + raw_bytes);
  block.resize(kBlockHeaderBytes);
  for (const auto& each : sections) append_section(block, each.section());

  auto codec = BlockCodec::kNone;
  if (raw_bytes > kCompressAbove) {
    // A context is a megabyte; one per thread that ever appends is cheaper than one per block.
    thread_local const Compressor context(ZSTD_createCCtx());
    thread_local Bytes packed;
    packed.resize(kBlockHeaderBytes + ZSTD_compressBound(raw_bytes));
    const auto packed_bytes = ZSTD_compressCCtx(
        context.get(), packed.data() + kBlockHeaderBytes, packed.size() - kBlockHeaderBytes,
        block.data() + kBlockHeaderBytes, raw_bytes, kBlockZstdLevel);
    if (!ZSTD_isError(packed_bytes) && packed_bytes < raw_bytes) {
      codec = BlockCodec::kZstd;
      block.assign(packed.data(), kBlockHeaderBytes + packed_bytes);
    }
    constexpr std::size_t kKeepBytes = 1u << 20;  // Do not hold on to a rare large block's room.
    if (packed.capacity() > kKeepBytes) packed = {};
  }

  const BytesView payload = BytesView(block).substr(kBlockHeaderBytes);
  std::memcpy(block.data(), kBlockMagic.data(), kBlockMagic.size());
  put(block, kAtFormat, kBlockFormat);
  put(block, kAtCodec, codec);
  put(block, kAtLevel, level);
  put(block, kAtHeaderBytes, static_cast<std::uint16_t>(kBlockHeaderBytes));
  put(block, kAtZero, std::uint16_t{0});
  put(block, kAtSections, static_cast<std::uint32_t>(sections.size()));
  put(block, kAtFirst, raw(first));
  put(block, kAtRecordedAt, static_cast<std::int64_t>(recorded_at.time_since_epoch().count()));
  put(block, kAtCount, count);
  put(block, kAtKinds, kinds);
  put(block, kAtRawBytes, static_cast<std::uint32_t>(raw_bytes));
  put(block, kAtStoredBytes, static_cast<std::uint32_t>(payload.size()));
  std::memcpy(block.data() + kAtPrevious, previous.data(), previous.size());
  put(block, kAtPayloadCrc, crc32(payload));
  put(block, kAtHeaderCrc, crc32(BytesView(block).substr(0, kAtHeaderCrc)));
  return block;
}

Result<BlockHeader> decode_block_header(BytesView block) {
  if (block.size() < kBlockHeaderBytes) {
    return damaged(std::to_string(block.size()) + " bytes are less than a header");
  }
  if (block.substr(0, kBlockMagic.size()) != kBlockMagic) return damaged("no TMBK at the start");
  if (read_le<std::uint32_t>(block, kAtHeaderCrc) != crc32(block.substr(0, kAtHeaderCrc))) {
    return damaged("checksum of the header");
  }
  // From here on the bytes are what somebody wrote; what remains is whether we know the format.
  if (read_le<std::uint16_t>(block, kAtFormat) != kBlockFormat) {
    return damaged("format " + std::to_string(read_le<std::uint16_t>(block, kAtFormat)) +
                   ", written by a later version");
  }
  if (read_le<std::uint16_t>(block, kAtHeaderBytes) != kBlockHeaderBytes) {
    return damaged("length of the header");
  }
  BlockHeader header;
  header.codec = static_cast<BlockCodec>(read_le<std::uint8_t>(block, kAtCodec));
  header.level = static_cast<model::Level>(read_le<std::uint8_t>(block, kAtLevel));
  header.sections = read_le<std::uint32_t>(block, kAtSections);
  header.first = Line{read_le<std::uint64_t>(block, kAtFirst)};
  header.recorded_at = UtcTime{Duration{read_le<std::int64_t>(block, kAtRecordedAt)}};
  header.count = read_le<std::uint32_t>(block, kAtCount);
  header.kinds = read_le<std::uint32_t>(block, kAtKinds);
  header.raw_bytes = read_le<std::uint32_t>(block, kAtRawBytes);
  header.stored_bytes = read_le<std::uint32_t>(block, kAtStoredBytes);
  std::memcpy(header.previous.data(), block.data() + kAtPrevious, header.previous.size());
  header.payload_crc = read_le<std::uint32_t>(block, kAtPayloadCrc);
  if (header.codec > BlockCodec::kZstd) return damaged("unknown codec");
  if (header.level > model::Level::kError) return damaged("unknown level");
  if (header.first == Line{0} || header.count == 0 ||
      raw(header.first) > ~std::uint64_t{0} - header.count) {
    return damaged("line numbers");
  }
  if (header.sections == 0 || header.sections > kBlockSectionsMax ||
      header.raw_bytes > kBlockRawBytesMax || header.stored_bytes > header.raw_bytes ||
      header.raw_bytes < std::size_t{header.sections} * kSectionHeaderBytes) {
    return damaged("lengths");
  }
  return header;
}

Result<Block> decode_block(BytesView block) {
  const auto header = decode_block_header(block);
  if (!header) return header.error();
  const auto& head = header.value();
  BytesView payload = block.substr(kBlockHeaderBytes);
  if (payload.size() != head.stored_bytes) return damaged("length of the payload");
  if (crc32(payload) != head.payload_crc) return damaged("checksum of the payload");

  Bytes unpacked;
  if (head.codec == BlockCodec::kZstd) {
    thread_local const Decompressor context(ZSTD_createDCtx());
    // The frame's own size, where it has one, is checked before room is made for ours.
    const auto framed = ZSTD_getFrameContentSize(payload.data(), payload.size());
    if (framed != head.raw_bytes) return damaged("size of the zstd frame");
    unpacked.resize(head.raw_bytes);
    const auto bytes = ZSTD_decompressDCtx(context.get(), unpacked.data(), unpacked.size(),
                                           payload.data(), payload.size());
    if (ZSTD_isError(bytes) || bytes != head.raw_bytes) return damaged("zstd payload");
    payload = unpacked;
  } else if (head.raw_bytes != head.stored_bytes) {
    return damaged("length of the payload");
  }

  Block decoded;
  decoded.first = head.first;
  decoded.count = head.count;
  decoded.recorded_at = head.recorded_at;
  decoded.kinds = head.kinds;
  decoded.level = head.level;
  decoded.sections.resize(head.sections);
  std::uint64_t lines = 0;
  for (auto& section : decoded.sections) {
    if (!take_section(payload, section)) return damaged("a section");
    lines += section.count;
  }
  if (!payload.empty()) return damaged("bytes after the last section");
  if (lines != head.count) return damaged("the sections' records do not add up");
  return decoded;
}

Digest block_digest(BytesView block) { return digest(block); }

bool passes(const BlockFilter& filter, std::uint32_t kinds, model::Level level,
            UtcTime recorded_at) {
  return (filter.kinds & kinds) != 0 && level >= filter.level &&
         (!filter.since || recorded_at >= *filter.since) &&
         (!filter.until || recorded_at <= *filter.until);
}

void leave_out(const BlockFilter& filter, Block& block) {
  if (filter.payloads && (filter.kinds & kUpdateKinds) != 0) return;
  for (auto& section : block.sections) {
    if (!filter.payloads || section.format == SectionFormat::kUpdates) section.payload.clear();
  }
}

}  // namespace tidemark::journal
