#include "journal/segment_amounts.h"

#include "base/varint.h"
#include "journal/packed_value.h"

namespace tidemark::journal {
namespace {

constexpr std::uint8_t kAmountsFormat = 1;

}  // namespace

KeyValue encode_amounts(Line first, const Amounts& amounts) {
  Bytes value;
  value.push_back(static_cast<char>(kAmountsFormat));
  for (const auto bytes : amounts) append_varint(value, bytes);
  append_crc(value);
  return {amounts_key(first), std::move(value)};
}

Result<Amounts> decode_amounts(BytesView value) {
  const auto sound = checked(value);
  Amounts amounts{};
  if (sound) {
    VarintReader from(sound.value());
    const auto format = from.take_byte();
    for (auto& bytes : amounts) bytes = from.take();
    if (from.ok() && from.left() == 0 && format == kAmountsFormat) return amounts;
  }
  return Error{Code::kCorruption, "what a segment takes"};
}

Result<Amounts> measure(const ProjectionTable& table, const SegmentHeader& header) {
  Amounts amounts{};
  const auto add = [&](RecordClass of, const Bytes& from, const Bytes& to) {
    return table.scan(from, to, [&](BytesView key, BytesView value) {
      amounts[static_cast<std::size_t>(of)] += key.size() + value.size();
      return true;
    });
  };
  for (std::uint8_t number = 0; number < kFrameClasses; ++number) {
    const auto of = static_cast<RecordClass>(number);
    const auto added =
        add(of, frame_key(of, header.first, 0), frame_key(of, Line{raw(header.first) + 1}, 0));
    if (!added) return added.error();
  }
  const auto [begin, end] = header.chunk_segments();
  const auto added =
      add(RecordClass::kPvUpdates, segment_chunks_key(begin), segment_chunks_key(end));
  if (!added) return added.error();
  return amounts;
}

Result<Amounts> amounts_of(const ProjectionTable& table, const SegmentHeader& header) {
  std::optional<Result<Amounts>> found;
  const auto key = amounts_key(header.first);
  const auto scanned = table.scan(key, key + '\0', [&](BytesView, BytesView value) {
    found = decode_amounts(value);
    return false;
  });
  if (!scanned) return scanned.error();
  return found ? *found : measure(table, header);
}

}  // namespace tidemark::journal
