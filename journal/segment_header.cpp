#include "journal/segment_header.h"

#include "base/varint.h"
#include "journal/packed_value.h"
#include "journal/wrapping.h"

namespace tidemark::journal {
namespace {

constexpr std::uint8_t kHeaderFormat = 1;
constexpr std::uint8_t kInLog = 1;

void append_digest(Bytes& out, const Digest& digest) {
  out.append(reinterpret_cast<const char*>(digest.data()), digest.size());
}

bool take_digest(VarintReader& from, Digest& digest) {
  const auto bytes = from.take_bytes(digest.size());
  if (bytes.size() != digest.size()) return false;
  std::memcpy(digest.data(), bytes.data(), digest.size());
  return true;
}

Error corrupt_header(const char* what) {
  return Error{Code::kCorruption, std::string("the header of a segment: ") + what};
}

}  // namespace

Bytes encode_header(const SegmentHeader& header) {
  Bytes out;
  out.push_back(static_cast<char>(kHeaderFormat));
  out.push_back(static_cast<char>(header.in_log ? kInLog : 0));
  out.push_back(static_cast<char>(header.level));
  append_varint(out, raw(header.first));
  append_varint(out, raw(header.last) - raw(header.first));
  append_varint(out, header.length);
  append_varint(out, zigzag(ns(header.earliest)));
  append_varint(out, zigzag(ns(header.latest)));
  append_varint(out, header.kinds);
  append_varint(out, header.blocks);
  for (const auto frames : header.frames) append_varint(out, frames);
  append_digest(out, header.previous);
  append_digest(out, header.block);
  append_digest(out, header.skeleton);
  for (const auto& each : header.records) append_digest(out, each);
  append_digest(out, header.chunks);
  append_crc(out);
  return out;
}

Result<SegmentHeader> decode_header(BytesView bytes) {
  const auto sound = checked(bytes);
  if (!sound) return corrupt_header("checksum");
  VarintReader from(sound.value());
  if (from.take_byte() != kHeaderFormat) return corrupt_header("format");
  const auto flags = from.take_byte();
  const auto level = from.take_byte();
  SegmentHeader header;
  header.in_log = (flags & kInLog) != 0;
  header.level = static_cast<model::Level>(level);
  header.first = Line{from.take()};
  const auto more = from.take();
  header.length = from.take();
  header.earliest = UtcTime{Duration{from.take_signed()}};
  header.latest = UtcTime{Duration{from.take_signed()}};
  const auto kinds = from.take();
  const auto blocks = from.take();
  for (auto& frames : header.frames) {
    const auto count = from.take();
    if (count > ~std::uint32_t{0}) return corrupt_header("frames");
    frames = static_cast<std::uint32_t>(count);
  }
  bool whole = take_digest(from, header.previous) && take_digest(from, header.block) &&
               take_digest(from, header.skeleton);
  for (auto& each : header.records) whole = whole && take_digest(from, each);
  whole = whole && take_digest(from, header.chunks);
  if (!whole || !from.ok() || from.left() != 0) return corrupt_header("length");
  if (level > static_cast<std::uint8_t>(model::Level::kError)) return corrupt_header("level");
  if (header.first == Line{0} || more >= ~std::uint64_t{0} - raw(header.first) ||
      header.length == 0 || kinds > ~std::uint32_t{0} || blocks == 0 || blocks > more + 1 ||
      blocks > header.length) {
    return corrupt_header("lines");
  }
  header.last = Line{raw(header.first) + more};
  header.kinds = static_cast<std::uint32_t>(kinds);
  header.blocks = static_cast<std::uint32_t>(blocks);
  return header;
}

Result<std::optional<SegmentHeader>> header_before(const ProjectionTable& table, Line line) {
  const auto found = table.last("u", header_key(Line{raw(line) + 1}));
  if (!found) return found.error();
  if (!found.value()) return std::optional<SegmentHeader>{};
  auto header = decode_header(found.value()->second);
  if (!header) return header.error();
  if (found.value()->first != header_key(header.value().first)) {
    return corrupt_header("it is of other lines");
  }
  return std::optional<SegmentHeader>(header.value());
}

}  // namespace tidemark::journal
