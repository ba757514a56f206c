#include "journal/skeleton.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "base/check.h"
#include "base/varint.h"
#include "journal/packed_value.h"
#include "journal/wrapping.h"

namespace tidemark::journal {
namespace {

constexpr std::uint8_t kSkeletonFormat = 1;
constexpr std::size_t kSkeletonBodyMax =
    256u << 20;  // bytes: more than a segment of one-line blocks needs

Error corrupt_skeleton(const char* what) {
  return Error{Code::kCorruption, std::string("skeleton of a segment: ") + what};
}

UtcTime time_of(std::int64_t ns) { return UtcTime{Duration{ns}}; }
/// Differences wrap, so that any two numbers have one.
std::int64_t minus(std::uint64_t a, std::uint64_t b) { return static_cast<std::int64_t>(a - b); }
std::uint64_t plus(std::uint64_t a, std::int64_t b) { return a + static_cast<std::uint64_t>(b); }

using Origin = std::pair<Uuid, std::uint32_t>;  // with its incarnation

struct Shape {
  SectionFormat format{};
  Content content{};
  bool operator==(const Shape&) const = default;
};
Shape shape_of(const SectionBones& bones) { return {bones.section.format, bones.content}; }

/// Calls `put` for each stretch of equal keys with its length.
template <class T, class Key, class Put>
void for_runs(const std::vector<T>& all, Key&& key, Put&& put) {
  for (std::size_t begin = 0; begin < all.size();) {
    auto end = begin + 1;
    while (end < all.size() && key(all[end]) == key(all[begin])) ++end;
    put(key(all[begin]), end - begin);
    begin = end;
  }
}

/// Gives each of `all` what `take` reads for its stretch. False: the stretches do not add up.
template <class T, class Take, class Give>
bool take_runs(VarintReader& from, std::vector<T>& all, Take&& take, Give&& give) {
  for (std::size_t begin = 0; begin < all.size();) {
    const auto count = from.take();
    if (count == 0 || count > all.size() - begin) return false;
    const auto value = take();
    for (const auto end = begin + count; begin < end; ++begin) give(all[begin], value);
  }
  return true;
}

void put_content(Bytes& out, const SectionBones& bones) {
  if (bones.content == Content::kWhole) {
    out.push_back(static_cast<char>(bones.parts.front().of));
  } else if (bones.content == Content::kMixed) {
    append_varint(out, bones.runs.size());
    for (const auto& run : bones.runs) {
      out.push_back(static_cast<char>(run.of));
      append_varint(out, run.count);
    }
  }
  for (const auto& part : bones.parts) append_varint(out, part.bytes);
}

bool take_class(VarintReader& from, RecordClass& of) {
  const auto number = from.take_byte();
  of = static_cast<RecordClass>(number);
  return number < kFrameClasses;
}

bool take_content(VarintReader& from, SectionBones& bones) {
  if (bones.content == Content::kRows) return bones.section.format == SectionFormat::kUpdates;
  if (bones.content == Content::kWhole) {
    if (!take_class(from, bones.parts.emplace_back().of)) return false;
  } else {
    const auto runs = from.take();
    if (runs < 2 || runs > bones.section.count || runs > from.left()) return false;
    std::uint64_t records = 0;
    std::array<bool, kFrameClasses> has{};
    for (std::uint64_t i = 0; i < runs; ++i) {
      auto& run = bones.runs.emplace_back();
      if (!take_class(from, run.of)) return false;
      const auto count = from.take();
      if (count == 0 || count > bones.section.count) return false;
      run.count = static_cast<std::uint32_t>(count);
      records += count;
      has[static_cast<std::size_t>(run.of)] = true;
    }
    if (records != bones.section.count) return false;
    for (std::uint8_t of = 0; of < kFrameClasses; ++of) {
      if (has[of]) bones.parts.emplace_back().of = static_cast<RecordClass>(of);
    }
  }
  for (auto& part : bones.parts) {
    const auto bytes = from.take();
    if (bytes == 0 || bytes > kSkeletonBodyMax) return false;
    part.bytes = static_cast<std::uint32_t>(bytes);
  }
  return true;
}

}  // namespace

void FramePlaces::place(Part& part) {
  auto& place = places_[static_cast<std::size_t>(part.of)];
  if (place.bytes >= kFrameBytes) {
    ++place.frame;
    place.bytes = 0;
  }
  part.frame = place.frame;
  part.offset = static_cast<std::uint32_t>(place.bytes);
  place.bytes += part.bytes;
}

std::uint32_t FramePlaces::frames(RecordClass of) const {
  const auto& place = places_[static_cast<std::size_t>(of)];
  return place.frame + (place.bytes > 0 ? 1 : 0);
}

Bytes encode_skeleton(const Skeleton& skeleton) {
  const auto& [blocks, sections] = skeleton;
  TIDEMARK_CHECK(!blocks.empty() && sections.size() >= blocks.size());
  std::map<Origin, std::size_t> numbers;
  std::vector<Origin> origins;
  std::vector<std::size_t> origin_of;
  for (const auto& each : sections) {
    const Origin origin{each.section.origin, each.section.incarnation};
    const auto [at, is_new] = numbers.try_emplace(origin, origins.size());
    if (is_new) origins.push_back(origin);
    origin_of.push_back(at->second);
  }

  Bytes body;
  append_varint(body, blocks.size());
  append_varint(body, sections.size());
  append_varint(body, origins.size());
  append_varint(body, raw(blocks.front().first));
  for (const auto& [uuid, incarnation] : origins) {
    body.append(reinterpret_cast<const char*>(uuid.bytes.data()), uuid.bytes.size());
    append_varint(body, incarnation);
  }
  for (const auto& each : blocks) append_varint(body, each.sections_end - each.sections_begin - 1);
  std::uint64_t before = 0;
  for (const auto& each : blocks) {
    const auto time = static_cast<std::uint64_t>(ns(each.recorded_at));
    append_varint(body, zigzag(minus(time, before)));
    before = time;
  }
  for_runs(
      blocks, [](const BlockBones& each) { return std::pair(each.kinds, each.level); },
      [&](const auto& key, std::size_t count) {
        append_varint(body, count);
        append_varint(body, key.first);
        body.push_back(static_cast<char>(key.second));
      });
  for (const auto each : origin_of) append_varint(body, each);
  std::vector<std::uint64_t> expected(origins.size(), 0);
  for (std::size_t i = 0; i < sections.size(); ++i) {
    const auto& section = sections[i].section;
    append_varint(body, zigzag(minus(section.sequence, expected[origin_of[i]])));
    expected[origin_of[i]] = section.sequence + section.count;
  }
  for (const auto& each : sections) append_varint(body, each.section.count);
  for (const auto& block : blocks) {
    for (auto i = block.sections_begin; i < block.sections_end; ++i) {
      const auto behind = minus(static_cast<std::uint64_t>(ns(block.recorded_at)),
                                static_cast<std::uint64_t>(ns(sections[i].section.sent_at)));
      append_varint(body, zigzag(behind));
    }
  }
  for_runs(sections, shape_of, [&](const Shape& shape, std::size_t count) {
    append_varint(body, count);
    body.push_back(static_cast<char>(shape.format));
    body.push_back(static_cast<char>(shape.content));
  });
  for (const auto& each : sections) put_content(body, each);
  return Bytes(1, static_cast<char>(kSkeletonFormat)) + pack_value(body);
}

Result<Skeleton> decode_skeleton(BytesView bytes) {
  if (bytes.empty() || static_cast<std::uint8_t>(bytes[0]) != kSkeletonFormat) {
    return corrupt_skeleton("format");
  }
  const auto body = unpack_value(bytes.substr(1), kSkeletonBodyMax);
  if (!body) return body.error();
  VarintReader from(body.value());
  const auto block_count = from.take();
  const auto section_count = from.take();
  const auto origin_count = from.take();
  const auto first = from.take();
  // Each takes some bytes, so that no number makes room for more than there can be.
  if (!from.ok() || block_count == 0 || section_count < block_count ||
      section_count > from.left() || origin_count > from.left() / 16 || first == 0) {
    return corrupt_skeleton("how many there are");
  }
  std::vector<Origin> origins(origin_count);
  for (auto& [uuid, incarnation] : origins) {
    const auto taken = from.take_bytes(uuid.bytes.size());
    if (taken.size() != uuid.bytes.size()) return corrupt_skeleton("an origin");
    std::memcpy(uuid.bytes.data(), taken.data(), taken.size());
    incarnation = static_cast<std::uint32_t>(from.take());
  }

  Skeleton skeleton;
  auto& [blocks, sections] = skeleton;
  blocks.resize(block_count);
  sections.resize(section_count);
  std::uint64_t at = 0;
  for (auto& each : blocks) {
    each.sections_begin = static_cast<std::uint32_t>(at);
    const auto more = from.take();
    if (more >= section_count - at) return corrupt_skeleton("sections of a block");
    at += more + 1;
    each.sections_end = static_cast<std::uint32_t>(at);
  }
  if (at != section_count) return corrupt_skeleton("sections of a block");
  std::uint64_t time = 0;
  for (auto& each : blocks) {
    time = plus(time, from.take_signed());
    each.recorded_at = time_of(static_cast<std::int64_t>(time));
  }
  bool sound = take_runs(
      from, blocks,
      [&] {
        const auto kinds = static_cast<std::uint32_t>(from.take());
        return std::pair(kinds, from.take_byte());
      },
      [](BlockBones& block, const auto& value) {
        block.kinds = value.first;
        block.level = static_cast<model::Level>(value.second);
      });
  if (!sound || std::any_of(blocks.begin(), blocks.end(),
                            [](auto& each) { return each.level > model::Level::kError; })) {
    return corrupt_skeleton("kinds and levels");
  }
  std::vector<std::size_t> origin_of(section_count);
  for (std::size_t i = 0; i < section_count; ++i) {
    origin_of[i] = from.take();
    if (origin_of[i] >= origin_count) return corrupt_skeleton("an origin");
    auto& section = sections[i].section;
    std::tie(section.origin, section.incarnation) = origins[origin_of[i]];
  }
  std::vector<std::int64_t> steps(section_count);
  for (auto& each : steps) each = from.take_signed();
  std::vector<std::uint64_t> expected(origin_count, 0);
  for (std::size_t i = 0; i < section_count; ++i) {
    auto& section = sections[i].section;
    const auto count = from.take();
    if (count == 0 || count > ~std::uint32_t{0}) return corrupt_skeleton("records of a section");
    section.count = static_cast<std::uint32_t>(count);
    section.sequence = plus(expected[origin_of[i]], steps[i]);
    expected[origin_of[i]] = section.sequence + count;
  }
  auto line = first;
  for (auto& block : blocks) {
    std::uint64_t lines = 0;
    for (auto i = block.sections_begin; i < block.sections_end; ++i) {
      auto& section = sections[i].section;
      lines += section.count;
      section.sent_at =
          time_of(static_cast<std::int64_t>(static_cast<std::uint64_t>(ns(block.recorded_at)) -
                                            static_cast<std::uint64_t>(from.take_signed())));
    }
    if (lines > ~std::uint32_t{0} || line > ~std::uint64_t{0} - lines) {
      return corrupt_skeleton("lines");
    }
    block.first = Line{line};
    block.count = static_cast<std::uint32_t>(lines);
    line += lines;
  }
  sound = take_runs(
      from, sections,
      [&] {
        const auto format = from.take_byte();
        return std::pair(format, from.take_byte());
      },
      [](SectionBones& each, const auto& value) {
        each.section.format = static_cast<SectionFormat>(value.first);
        each.content = static_cast<Content>(value.second);
      });
  if (!sound) return corrupt_skeleton("formats");
  FramePlaces places;
  for (auto& each : sections) {
    if (each.content > Content::kMixed || !take_content(from, each)) {
      return corrupt_skeleton("a section");
    }
    for (auto& part : each.parts) places.place(part);
  }
  if (!from.ok() || from.left() != 0) return corrupt_skeleton("length");
  return skeleton;
}

}  // namespace tidemark::journal
