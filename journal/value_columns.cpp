#include "journal/value_columns.h"

#include <algorithm>
#include <array>
#include <span>

#include "journal/int_column.h"
#include "journal/lattice.h"
#include "journal/packed_bytes.h"

namespace tidemark::journal {
namespace {

using model::PvUpdate;
using model::TypeCode;

constexpr std::size_t kLatticeFrom = 8;    // values of a channel: a lattice's head is some 30 bytes
constexpr std::size_t kTransposeFrom = 8;  // values
constexpr std::size_t kBatchMax = 128u << 20;  // bytes of a PV batch, unpacked

/// Where the values of one type are, and how many of each channel follow each other.
struct Part {
  std::vector<std::uint32_t> at;
  std::vector<std::uint32_t> counts;
};
constexpr std::size_t kParts = 8;
constexpr std::size_t kNowhere = 0;  // none, and losses: their type is all there is
constexpr std::size_t kOthers = 7;   // the others are the type codes of plain types

std::size_t part_of(TypeCode type) {
  if (is_plain(type)) return static_cast<std::size_t>(type);
  return type == TypeCode::kNone || type == TypeCode::kDisconnected ? kNowhere : kOthers;
}

std::array<Part, kParts> parts_of(const ChunkColumns& columns) {
  std::array<Part, kParts> parts;
  auto channel = columns.channels.begin();
  std::uint32_t left = channel->count;  // of the channel
  std::uint32_t at = 0;
  for (const auto& [type, count] : columns.values) {
    auto& part = parts[part_of(type)];
    for (const auto end = at + count; at < end;) {
      if (left == 0) left = (++channel)->count;
      const auto some = std::min(left, end - at);
      const bool begins = left == channel->count;
      if (begins || part.counts.empty() || part.at.back() + 1 != at) {
        part.counts.push_back(some);
      } else {
        part.counts.back() += some;
      }
      for (std::uint32_t i = 0; i < some; ++i) part.at.push_back(at++);
      left -= some;
    }
  }
  return parts;
}

/// XOR with the one before of the same channel; transposed.
template <class Bits>
struct Differences {
  std::vector<Bits> all;

  void add(std::span<const Bits> of_channel) {
    Bits before = 0;
    for (const auto each : of_channel) {
      all.push_back(each ^ before);
      before = each;
    }
  }
  void put(Bytes& out) const {
    if (all.size() < kTransposeFrom) {
      for (const auto each : all) append_le(out, each);
      return;
    }
    Bytes plane(all.size(), '\0');
    for (unsigned shift = 0; shift < 8 * sizeof(Bits); shift += 8) {
      for (std::size_t i = 0; i < all.size(); ++i) plane[i] = static_cast<char>(all[i] >> shift);
      append_packed(out, plane);
    }
  }
  bool take(VarintReader& from, std::size_t count) {
    all.assign(count, 0);
    if (count < kTransposeFrom) {
      const auto bytes = from.take_bytes(count * sizeof(Bits));
      if (!from.ok()) return false;
      for (std::size_t i = 0; i < count; ++i) all[i] = read_le<Bits>(bytes, i * sizeof(Bits));
      return true;
    }
    Bytes room;
    for (unsigned shift = 0; shift < 8 * sizeof(Bits); shift += 8) {
      const auto plane = take_packed(from, count, room);
      if (!plane) return false;
      const auto* bytes = reinterpret_cast<const unsigned char*>(plane->data());
      for (std::size_t i = 0; i < count; ++i) {
        all[i] |= static_cast<Bits>(static_cast<Bits>(bytes[i]) << shift);
      }
    }
    return true;
  }
};

/// False: differences are shorter.
template <class Bits>
bool put_lattice(Bytes& out, std::span<const Bits> values) {
  const auto begin = out.size();
  if (!append_lattice(out, values)) return false;
  const auto size = out.size() - begin;
  if (size <= values.size_bytes() / 2) return true;  // differences are hardly ever so short
  Differences<Bits> instead;
  instead.add(values);
  Bytes other;
  instead.put(other);
  if (size <= other.size()) return true;
  out.resize(begin);
  return false;
}

template <class Bits>
void put_floats(Bytes& out, std::span<const std::uint64_t> bits,
                const std::vector<std::uint32_t>& counts) {
  const std::vector<Bits> values(bits.begin(), bits.end());
  Differences<Bits> left;
  std::size_t at = 0;
  for (const auto count : counts) {
    const auto of_channel = std::span(values).subspan(at, count);
    at += count;
    if (count >= kLatticeFrom) {
      if (put_lattice(out, of_channel)) continue;
      out.push_back(0);
    }
    left.add(of_channel);
  }
  left.put(out);
}

template <class Bits>
bool take_floats(VarintReader& from, std::span<std::uint64_t> bits,
                 const std::vector<std::uint32_t>& counts) {
  struct Stretch {
    std::size_t begin;
    std::size_t count;
  };
  std::vector<Stretch> left;
  std::size_t left_count = 0;
  std::vector<Bits> values;
  std::size_t at = 0;
  for (const auto count : counts) {
    const Stretch part{at, count};
    at += count;
    const auto rest = from.rest();
    if (count < kLatticeFrom || (!rest.empty() && rest.front() == 0)) {
      if (count >= kLatticeFrom) (void)from.take_byte();
      left.push_back(part);
      left_count += count;
      continue;
    }
    values.resize(count);
    if (!take_lattice(from, std::span(values))) return false;
    std::copy(values.begin(), values.end(), bits.begin() + static_cast<std::ptrdiff_t>(part.begin));
  }
  Differences<Bits> differences;
  if (!differences.take(from, left_count)) return false;
  std::size_t next = 0;
  for (const auto& part : left) {
    Bits before = 0;
    for (auto i = part.begin; i < part.begin + part.count; ++i) {
      before ^= differences.all[next++];
      bits[i] = before;
    }
  }
  return true;
}

bool in_range(TypeCode type, std::int64_t number) {
  switch (type) {
    case TypeCode::kLong: return number == static_cast<std::int32_t>(number);
    case TypeCode::kShort: return number == static_cast<std::int16_t>(number);
    case TypeCode::kChar: return number == static_cast<std::uint8_t>(number);
    case TypeCode::kEnum: return number == static_cast<std::uint16_t>(number);
    default: return false;
  }
}

bool take_integers(VarintReader& from, TypeCode type, std::span<std::uint64_t> bits) {
  std::vector<std::int64_t> numbers(bits.size());
  if (!take_column(from, numbers)) return false;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (!in_range(type, numbers[i])) return false;
    bits[i] = static_cast<std::uint64_t>(numbers[i]);
  }
  return true;
}

bool take_others(VarintReader& from, const Part& part, ChunkColumns& columns) {
  if (part.at.empty()) return true;
  const auto size = from.take();
  if (!from.ok() || size > kBatchMax) return false;
  Bytes room;
  const auto batch = take_packed(from, size, room);
  if (!batch) return false;
  auto updates = model::decode_updates(*batch);
  if (!updates || updates.value().size() != part.at.size()) return false;
  for (std::size_t i = 0; i < part.at.size(); ++i) {
    columns.bits[part.at[i]] = columns.others.size();
    columns.others.push_back(std::move(updates.value()[i]));
  }
  return true;
}

bool take_types(VarintReader& from, ChunkColumns& columns) {
  const auto size = from.take();
  constexpr std::size_t kTypeBytes = 4;  // a count and a type
  if (!from.ok() || size > kTypeBytes * columns.lines.size()) return false;
  Bytes room;
  const auto types = take_packed(from, size, room);
  if (!types) return false;
  VarintReader runs(*types);
  auto left = columns.lines.size();
  while (left > 0) {
    const auto count = runs.take();
    const auto type = static_cast<TypeCode>(runs.take_byte());
    if (!runs.ok() || count == 0 || count > left) return false;
    columns.values.push_back({type, static_cast<std::uint32_t>(count)});
    left -= count;
  }
  return runs.left() == 0;
}

/// Those whose type is all there is; and the types that the others say are theirs.
bool settle_types(ChunkColumns& columns) {
  std::size_t at = 0;
  for (const auto& [type, count] : columns.values) {
    for (const auto end = at + count; at < end; ++at) {
      switch (part_of(type)) {
        case kNowhere: {
          PvUpdate update;
          if (type == TypeCode::kDisconnected) update.event = PvUpdate::Event::kDisconnected;
          columns.bits[at] = columns.others.size();
          columns.others.push_back(std::move(update));
          break;
        }
        case kOthers:
          if (type_of(columns.others[columns.bits[at]]) != type) return false;
          break;
        default: break;
      }
    }
  }
  return true;
}

}  // namespace

void append_values(Bytes& out, const ChunkColumns& columns) {
  Bytes types;
  for (const auto& [type, count] : columns.values) {
    append_varint(types, count);
    types.push_back(static_cast<char>(type));
  }
  append_varint(out, types.size());
  append_packed(out, types);
  const auto parts = parts_of(columns);
  for (std::size_t i = kNowhere + 1; i < kOthers; ++i) {
    const auto& [at, counts] = parts[i];
    if (at.empty()) continue;
    std::vector<std::uint64_t> bits;
    bits.reserve(at.size());
    for (const auto each : at) bits.push_back(columns.bits[each]);
    switch (static_cast<TypeCode>(i)) {
      case TypeCode::kDouble: put_floats<std::uint64_t>(out, bits, counts); break;
      case TypeCode::kFloat: put_floats<std::uint32_t>(out, bits, counts); break;
      default: {
        const std::vector<std::int64_t> numbers(bits.begin(), bits.end());
        append_column(out, numbers, kAsValues | kAsSteps | kAsBends);
      }
    }
  }
  const auto& others = parts[kOthers].at;
  if (others.empty()) return;
  std::vector<PvUpdate> updates;
  updates.reserve(others.size());
  for (const auto each : others) updates.push_back(columns.others[columns.bits[each]]);
  const auto batch = model::encode_updates(updates);
  append_varint(out, batch.size());
  append_packed(out, batch);
}

bool take_values(VarintReader& from, ChunkColumns& columns) {
  if (!take_types(from, columns)) return false;
  columns.bits.resize(columns.lines.size());
  const auto parts = parts_of(columns);
  std::vector<std::uint64_t> bits;
  for (std::size_t i = kNowhere + 1; i < kOthers; ++i) {
    const auto& [at, counts] = parts[i];
    if (at.empty()) continue;
    const auto type = static_cast<TypeCode>(i);
    bits.resize(at.size());
    const bool taken = type == TypeCode::kDouble  ? take_floats<std::uint64_t>(from, bits, counts)
                       : type == TypeCode::kFloat ? take_floats<std::uint32_t>(from, bits, counts)
                                                  : take_integers(from, type, bits);
    if (!taken) return false;
    for (std::size_t k = 0; k < at.size(); ++k) columns.bits[at[k]] = bits[k];
  }
  return take_others(from, parts[kOthers], columns) && settle_types(columns);
}

}  // namespace tidemark::journal
