// journal/chunk_format1.cpp
//
// Chunks as they were written once: floating point always as XOR differences, everything else as
// varints, and zstd around all of it. They are read still, and never written.

#include <zstd.h>

#include <algorithm>
#include <bit>

#include "base/varint.h"
#include "journal/chunk_body.h"
#include "journal/wrapping.h"

namespace tidemark::journal {
namespace {

using model::PvUpdate;
using model::TypeCode;

constexpr std::size_t kFormat1TransposeFrom = 8;   // values of a run
constexpr std::size_t kChunkBodyMax = 128u << 20;  // bytes, unpacked

Error corrupt_format1(const char* what) {
  return Error{Code::kCorruption, std::string("history chunk of format 1: ") + what};
}

bool same_channel(const Sample& a, const Sample& b) { return a.update.channel == b.update.channel; }

template <class Bits>
bool take_floats(VarintReader& from, const Sample* samples, std::size_t count,
                 std::vector<Bits>& bits) {
  if (count > from.left() / sizeof(Bits)) return false;
  const auto bytes = from.take_bytes(count * sizeof(Bits));
  bits.assign(count, 0);
  if (count < kFormat1TransposeFrom) {
    for (std::size_t i = 0; i < count; ++i) bits[i] = read_le<Bits>(bytes, i * sizeof(Bits));
  } else {
    const auto* byte = reinterpret_cast<const unsigned char*>(bytes.data());
    for (unsigned shift = 0; shift < 8 * sizeof(Bits); shift += 8) {
      for (std::size_t i = 0; i < count; ++i) {
        bits[i] |= static_cast<Bits>(static_cast<Bits>(*byte++) << shift);
      }
    }
  }
  for (std::size_t i = 1; i < count; ++i) {
    if (same_channel(samples[i], samples[i - 1])) bits[i] ^= bits[i - 1];
  }
  return true;
}

/// False: these are no values.
bool take_run(VarintReader& from, TypeCode type, Sample* samples, std::size_t count) {
  switch (type) {
    case TypeCode::kNone: return true;
    case TypeCode::kDisconnected:
      for (std::size_t i = 0; i < count; ++i) {
        samples[i].update.event = PvUpdate::Event::kDisconnected;
      }
      return true;
    case TypeCode::kDouble: {
      std::vector<std::uint64_t> bits;
      if (!take_floats(from, samples, count, bits)) return false;
      for (std::size_t i = 0; i < count; ++i) {
        samples[i].update.value = std::bit_cast<double>(bits[i]);
      }
      return true;
    }
    case TypeCode::kFloat: {
      std::vector<std::uint32_t> bits;
      if (!take_floats(from, samples, count, bits)) return false;
      for (std::size_t i = 0; i < count; ++i) {
        samples[i].update.value = std::bit_cast<float>(bits[i]);
      }
      return true;
    }
    case TypeCode::kLong:
    case TypeCode::kShort:
    case TypeCode::kChar:
    case TypeCode::kEnum: {
      std::int64_t number = 0;
      for (std::size_t i = 0; i < count; ++i) {
        number = plus(number, from.take_signed());
        samples[i].update.value = value_of(type, static_cast<std::uint64_t>(number));
      }
      return from.ok();
    }
    default: break;
  }
  const auto size = from.take();
  if (size > from.left()) return false;
  auto updates = model::decode_updates(from.take_bytes(size));
  if (!updates || updates.value().size() != count) return false;
  for (std::size_t i = 0; i < count; ++i) {
    if (type_of(updates.value()[i]) != type) return false;
    const auto channel = samples[i].update.channel;
    samples[i].update = std::move(updates.value()[i]);
    samples[i].update.channel = channel;
  }
  return true;
}

}  // namespace

Result<Unit> decode_body_format1(const ChunkParts& chunk, std::vector<Sample>& out) {
  VarintReader head(chunk.body);
  const auto body_bytes = head.take();
  if (!head.ok() || body_bytes > kChunkBodyMax) return corrupt_format1("size");
  Bytes unpacked;
  auto body = head.rest();
  if (chunk.is_packed) {
    if (ZSTD_getFrameContentSize(body.data(), body.size()) != body_bytes) {
      return corrupt_format1("size");
    }
    unpacked.resize(body_bytes);
    const auto size = ZSTD_decompress(unpacked.data(), unpacked.size(), body.data(), body.size());
    if (ZSTD_isError(size) != 0U || size != body_bytes) {
      return corrupt_format1("cannot be unpacked");
    }
    body = unpacked;
  }
  if (body.size() != body_bytes) return corrupt_format1("size");

  const std::size_t begin = out.size();
  const std::size_t count = chunk.header.count;
  out.resize(begin + count);
  auto* samples = &out[begin];
  VarintReader from(body);
  std::vector<std::size_t> begins;  // of each channel
  std::uint64_t channel = 0;
  for (std::size_t at = 0; at < count;) {
    channel += from.take();
    const auto run = from.take();
    if (!from.ok() || run == 0 || run > count - at || channel > ~std::uint32_t{0}) {
      return corrupt_format1("channels");
    }
    begins.push_back(at);
    for (const auto end = at + run; at < end; ++at) {
      samples[at].update.channel = model::ChannelId{static_cast<std::uint32_t>(channel)};
    }
  }
  begins.push_back(count);
  for (std::size_t run = 0; run + 1 < begins.size(); ++run) {
    auto line = raw(chunk.header.first) + from.take();
    samples[begins[run]].line = Line{line};
    for (auto i = begins[run] + 1; i < begins[run + 1]; ++i) {
      samples[i].line = Line{line += from.take() + 1};
    }
    if (line > raw(chunk.header.last)) return corrupt_format1("lines");
  }
  std::vector<std::int64_t> times(count);
  auto start = chunk.first_time;
  for (std::size_t run = 0; run + 1 < begins.size(); ++run) {
    start = times[begins[run]] = plus(start, from.take_signed());
    std::int64_t step = 0;
    for (auto i = begins[run] + 1; i < begins[run + 1]; ++i) {
      step = plus(step, from.take_signed());
      times[i] = plus(times[i - 1], step);
    }
  }
  if (!from.ok()) return corrupt_format1("times");
  std::vector<model::Alarm> alarms(count);
  for (std::size_t at = 0; at < count;) {
    const auto run = from.take();
    const auto severity = from.take_byte();
    const auto status = from.take_byte();
    if (run == 0 || run > count - at || severity > 3) return corrupt_format1("alarms");
    std::fill_n(alarms.begin() + static_cast<std::ptrdiff_t>(at), run,
                model::Alarm{static_cast<model::Severity>(severity), status});
    at += run;
  }
  std::vector<std::uint32_t> hidden(chunk.any_hidden ? count : 0);
  for (auto& each : hidden) each = static_cast<std::uint32_t>(from.take());
  for (std::size_t at = 0; at < count;) {
    const auto run = from.take();
    const auto type = static_cast<TypeCode>(from.take_byte());
    if (!from.ok() || run == 0 || run > count - at) return corrupt_format1("types");
    if (!take_run(from, type, samples + at, run)) return corrupt_format1("values");
    at += run;
  }
  if (!from.ok() || from.left() != 0) return corrupt_format1("length");
  for (std::size_t i = 0; i < count; ++i) {
    auto& update = samples[i].update;
    update.taken_at = UtcTime{Duration{times[i]}};
    update.alarm = alarms[i];
    update.hidden_before = chunk.any_hidden ? hidden[i] : 0;
  }
  return Unit{};
}

}  // namespace tidemark::journal
