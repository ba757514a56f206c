// journal/chunk.cpp
//
// Values stand in runs of one type. Scalars of fixed width are the difference to (integers), or
// XOR with (floating point) the one before; a long run of floating point is transposed, all first
// bytes, then all second bytes, …, because neighbours differ in the last ones. All else is a PV
// batch inside.

#include "journal/chunk.h"

#include <zstd.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/varint.h"
#include "model/value_types.h"

namespace tidemark::journal {
namespace {

using model::PvUpdate;
using model::TypeCode;

constexpr std::uint8_t kFormat = 1;
constexpr std::uint8_t kZstd = 1;
constexpr std::uint8_t kNumbers = 2;
constexpr std::uint8_t kHidden = 4;
constexpr std::uint32_t kNumbersFrom = 256;   // samples: below, the header would be the chunk
constexpr std::size_t kTransposeFrom = 8;     // values of a run
constexpr std::size_t kPackFrom = 64;         // bytes of a body
constexpr std::size_t kBodyMax = 128u << 20;  // bytes, unpacked
constexpr int kZstdLevel = 1;

Error corrupt(const char* what) {
  return Error{Code::kCorruption, std::string("history chunk: ") + what};
}

TypeCode row_type(const PvUpdate& update) {
  switch (update.event) {
    case PvUpdate::Event::kConnected: return TypeCode::kConnected;
    case PvUpdate::Event::kDisconnected: return TypeCode::kDisconnected;
    case PvUpdate::Event::kValue: break;
  }
  return model::type_code(update.value);
}

std::int64_t ns(UtcTime time) { return time.time_since_epoch().count(); }
/// Differences wrap, so that any two times have one.
std::int64_t minus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}
std::int64_t plus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

bool same_channel(const Sample& a, const Sample& b) { return a.update.channel == b.update.channel; }

/// XOR with the one before of the same channel; `samples` are theirs.
template <class Bits>
void put_floats(Bytes& out, const Sample* samples, const std::vector<Bits>& bits) {
  std::vector<Bits> differences(bits);
  for (std::size_t i = 1; i < bits.size(); ++i) {
    if (same_channel(samples[i], samples[i - 1])) differences[i] ^= bits[i - 1];
  }
  if (bits.size() < kTransposeFrom) {
    for (const auto each : differences) append_le(out, each);
    return;
  }
  for (unsigned shift = 0; shift < 8 * sizeof(Bits); shift += 8) {
    for (const auto each : differences) out.push_back(static_cast<char>(each >> shift));
  }
}

template <class Bits>
bool take_floats(VarintReader& from, const Sample* samples, std::size_t count,
                 std::vector<Bits>& bits) {
  if (count > from.left() / sizeof(Bits)) return false;
  const auto bytes = from.take_bytes(count * sizeof(Bits));
  bits.assign(count, 0);
  if (count < kTransposeFrom) {
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

std::int64_t integer_of(const model::PvValue& value) {
  return std::visit(
      [](const auto& each) -> std::int64_t {
        using T = std::decay_t<decltype(each)>;
        if constexpr (std::is_integral_v<T>) {
          return each;
        } else if constexpr (std::is_same_v<T, model::EnumIndex>) {
          return each.index;
        } else {
          return 0;
        }
      },
      value);
}

std::optional<model::PvValue> value_of(TypeCode type, std::int64_t number) {
  switch (type) {
    case TypeCode::kLong: return static_cast<std::int32_t>(number);
    case TypeCode::kShort: return static_cast<std::int16_t>(number);
    case TypeCode::kChar: return static_cast<std::uint8_t>(number);
    case TypeCode::kEnum: return model::EnumIndex{static_cast<std::uint16_t>(number)};
    default: return std::nullopt;
  }
}

void put_run(Bytes& out, TypeCode type, const Sample* samples, std::size_t count) {
  switch (type) {
    case TypeCode::kNone:
    case TypeCode::kDisconnected: return;
    case TypeCode::kDouble: {
      std::vector<std::uint64_t> bits(count);
      for (std::size_t i = 0; i < count; ++i) {
        bits[i] = std::bit_cast<std::uint64_t>(std::get<double>(samples[i].update.value));
      }
      return put_floats(out, samples, bits);
    }
    case TypeCode::kFloat: {
      std::vector<std::uint32_t> bits(count);
      for (std::size_t i = 0; i < count; ++i) {
        bits[i] = std::bit_cast<std::uint32_t>(std::get<float>(samples[i].update.value));
      }
      return put_floats(out, samples, bits);
    }
    case TypeCode::kLong:
    case TypeCode::kShort:
    case TypeCode::kChar:
    case TypeCode::kEnum: {
      std::int64_t before = 0;
      for (std::size_t i = 0; i < count; ++i) {
        const auto number = integer_of(samples[i].update.value);
        append_varint(out, zigzag(number - before));
        before = number;
      }
      return;
    }
    default: break;
  }
  std::vector<PvUpdate> updates;
  for (std::size_t i = 0; i < count; ++i) {
    updates.push_back(samples[i].update);
    updates.back().channel = {};
  }
  const auto packed = model::encode_updates(updates);
  append_varint(out, packed.size());
  out += packed;
}

/// False: it is not what put_run() writes.
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
        samples[i].update.value = *value_of(type, number);
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
    if (row_type(updates.value()[i]) != type) return false;
    const auto channel = samples[i].update.channel;
    samples[i].update = std::move(updates.value()[i]);
    samples[i].update.channel = channel;
  }
  return true;
}

/// Calls `run` for each stretch of samples for which `key` gives the same.
template <class Key, class Run>
void for_runs(const std::vector<Sample>& samples, Key&& key, Run&& run) {
  for (std::size_t begin = 0; begin < samples.size();) {
    std::size_t end = begin + 1;
    while (end < samples.size() && key(samples[end]) == key(samples[begin])) ++end;
    run(begin, end - begin);
    begin = end;
  }
}

Bytes encode_body(const std::vector<Sample>& samples, Line first, bool any_hidden) {
  Bytes body;
  body.reserve(samples.size() * 16 + 64);
  auto channel = std::uint32_t{0};
  for_runs(
      samples, [](const Sample& each) { return each.update.channel; },
      [&](std::size_t begin, std::size_t count) {
        append_varint(body, raw(samples[begin].update.channel) - channel);
        append_varint(body, count);
        channel = raw(samples[begin].update.channel);
      });
  // Each channel begins anew: from the first line, and from the first time of the channel before.
  for_runs(
      samples, [](const Sample& each) { return each.update.channel; },
      [&](std::size_t begin, std::size_t count) {
        append_varint(body, raw(samples[begin].line) - raw(first));
        for (std::size_t i = begin + 1; i < begin + count; ++i) {
          append_varint(body, raw(samples[i].line) - raw(samples[i - 1].line) - 1);
        }
      });
  auto start = ns(samples.front().update.taken_at);
  for_runs(
      samples, [](const Sample& each) { return each.update.channel; },
      [&](std::size_t begin, std::size_t count) {
        const auto begun = ns(samples[begin].update.taken_at);
        append_varint(body, zigzag(minus(begun, start)));
        start = begun;
        std::int64_t step = 0;
        for (std::size_t i = begin + 1; i < begin + count; ++i) {
          const auto now =
              minus(ns(samples[i].update.taken_at), ns(samples[i - 1].update.taken_at));
          append_varint(body, zigzag(minus(now, step)));
          step = now;
        }
      });
  for_runs(
      samples, [](const Sample& each) { return each.update.alarm; },
      [&](std::size_t begin, std::size_t count) {
        const auto& alarm = samples[begin].update.alarm;
        append_varint(body, count);
        body.push_back(static_cast<char>(alarm.severity));
        body.push_back(static_cast<char>(alarm.status));
      });
  if (any_hidden) {
    for (const auto& each : samples) append_varint(body, each.update.hidden_before);
  }
  for_runs(
      samples, [](const Sample& each) { return row_type(each.update); },
      [&](std::size_t begin, std::size_t count) {
        const auto type = row_type(samples[begin].update);
        append_varint(body, count);
        body.push_back(static_cast<char>(type));
        put_run(body, type, &samples[begin], count);
      });
  return body;
}

Bytes compressed(const Bytes& body) {
  Bytes packed(ZSTD_compressBound(body.size()), '\0');
  const auto size =
      ZSTD_compress(packed.data(), packed.size(), body.data(), body.size(), kZstdLevel);
  TIDEMARK_CHECK(ZSTD_isError(size) == 0U);
  packed.resize(size);
  return packed;
}

/// In the order in which they are stored.
std::array<double*, 6> figures_of(ChunkHeader::Numbers& numbers) {
  return {&numbers.first, &numbers.last, &numbers.min, &numbers.max, &numbers.sum, &numbers.spread};
}

struct Opened {
  ChunkHeader header;
  std::int64_t first_time = 0;
  bool any_hidden = false;
  bool is_packed = false;
  std::size_t body_bytes = 0;  // unpacked
  BytesView body;
};

Result<Opened> open(BytesView chunk) {
  VarintReader from(chunk);
  if (from.take_byte() != kFormat) return corrupt("format");
  const auto flags = from.take_byte();
  Opened opened;
  auto& header = opened.header;
  const auto count = from.take();
  if (count == 0 || count > kChunkSamplesMax) return corrupt("number of samples");
  header.count = static_cast<std::uint32_t>(count);
  header.first = Line{from.take()};
  header.last = Line{raw(header.first) + from.take()};
  opened.first_time = from.take_signed();
  const auto before = from.take();
  const auto after = from.take();
  header.earliest = UtcTime{Duration{minus(opened.first_time, static_cast<std::int64_t>(before))}};
  header.latest = UtcTime{Duration{plus(opened.first_time, static_cast<std::int64_t>(after))}};
  const auto worst = from.take_byte();
  if (worst > 3) return corrupt("severity");
  header.worst = static_cast<model::Severity>(worst);
  if ((flags & kNumbers) != 0) {
    ChunkHeader::Numbers numbers;
    numbers.count = static_cast<std::uint32_t>(from.take());
    for (auto* each : figures_of(numbers)) {
      const auto bytes = from.take_bytes(sizeof(double));
      if (!from.ok()) return corrupt("cut off");
      *each = std::bit_cast<double>(read_le<std::uint64_t>(bytes, 0));
    }
    header.numbers = numbers;
  }
  opened.any_hidden = (flags & kHidden) != 0;
  opened.is_packed = (flags & kZstd) != 0;
  opened.body_bytes = from.take();
  if (!from.ok()) return corrupt("cut off");
  if (opened.body_bytes > kBodyMax) return corrupt("larger than any is");
  opened.body = from.take_bytes(from.left());
  return opened;
}

std::optional<ChunkHeader::Numbers> numbers_of(const std::vector<Sample>& samples) {
  ChunkHeader::Numbers numbers;
  double mean = 0;
  for (const auto& each : samples) {
    const auto number = model::as_number(each.update.value);
    if (!number || std::isnan(*number)) continue;
    if (numbers.count == 0) numbers.first = numbers.min = numbers.max = *number;
    numbers.last = *number;
    numbers.min = std::min(numbers.min, *number);
    numbers.max = std::max(numbers.max, *number);
    numbers.sum += *number;
    ++numbers.count;
    // Welford's: squares of large values that hardly differ would cancel out.
    const auto distance = *number - mean;
    mean += distance / numbers.count;
    numbers.spread += distance * (*number - mean);
  }
  if (numbers.count == 0) return std::nullopt;
  return numbers;
}

}  // namespace

Bytes encode_chunk(const std::vector<Sample>& samples) {
  TIDEMARK_CHECK(!samples.empty() && samples.size() <= kChunkSamplesMax);
  const auto first_time = ns(samples.front().update.taken_at);
  auto earliest = first_time;
  auto latest = first_time;
  auto worst = model::Severity::kNone;
  auto first = samples.front().line;
  auto last = first;
  bool any_hidden = false;
  for (const auto& each : samples) {
    first = std::min(first, each.line);
    last = std::max(last, each.line);
    earliest = std::min(earliest, ns(each.update.taken_at));
    latest = std::max(latest, ns(each.update.taken_at));
    worst = std::max(worst, each.update.alarm.severity);
    any_hidden |= each.update.hidden_before != 0;
  }
  const bool is_alone = same_channel(samples.front(), samples.back());
  const auto numbers =
      samples.size() < kNumbersFrom || !is_alone ? std::nullopt : numbers_of(samples);
  auto body = encode_body(samples, first, any_hidden);
  const auto body_bytes = body.size();
  bool is_packed = false;
  if (body.size() >= kPackFrom) {
    auto packed = compressed(body);
    is_packed = packed.size() < body.size();
    if (is_packed) body = std::move(packed);
  }

  Bytes out;
  out.reserve(body.size() + 64);
  out.push_back(static_cast<char>(kFormat));
  out.push_back(static_cast<char>((is_packed ? kZstd : 0) | (numbers ? kNumbers : 0) |
                                  (any_hidden ? kHidden : 0)));
  append_varint(out, samples.size());
  append_varint(out, raw(first));
  append_varint(out, raw(last) - raw(first));
  append_varint(out, zigzag(first_time));
  append_varint(out, static_cast<std::uint64_t>(minus(first_time, earliest)));
  append_varint(out, static_cast<std::uint64_t>(minus(latest, first_time)));
  out.push_back(static_cast<char>(worst));
  if (numbers) {
    append_varint(out, numbers->count);
    auto figures = *numbers;
    for (const auto* each : figures_of(figures)) {
      append_le(out, std::bit_cast<std::uint64_t>(*each));
    }
  }
  append_varint(out, body_bytes);
  return out + body;
}

Result<ChunkHeader> decode_chunk_header(BytesView chunk) {
  const auto opened = open(chunk);
  if (!opened) return opened.error();
  return opened.value().header;
}

Result<Unit> decode_chunk(BytesView chunk, std::vector<Sample>& out) {
  const auto opened = open(chunk);
  if (!opened) return opened.error();
  const auto& [header, first_time, any_hidden, is_packed, body_bytes, stored] = opened.value();
  Bytes unpacked;
  auto body = stored;
  if (is_packed) {
    if (ZSTD_getFrameContentSize(stored.data(), stored.size()) != body_bytes) {
      return corrupt("size");
    }
    unpacked.resize(body_bytes);
    const auto size =
        ZSTD_decompress(unpacked.data(), unpacked.size(), stored.data(), stored.size());
    if (ZSTD_isError(size) != 0U || size != body_bytes) return corrupt("cannot be unpacked");
    body = unpacked;
  }
  if (body.size() != body_bytes) return corrupt("size");

  const std::size_t begin = out.size();
  const std::size_t count = header.count;
  out.resize(begin + count);
  auto* samples = &out[begin];
  VarintReader from(body);
  std::vector<std::size_t> begins;  // of each channel
  std::uint64_t channel = 0;
  for (std::size_t at = 0; at < count;) {
    channel += from.take();
    const auto run = from.take();
    if (!from.ok() || run == 0 || run > count - at || channel > ~std::uint32_t{0}) {
      return corrupt("channels");
    }
    begins.push_back(at);
    for (const auto end = at + run; at < end; ++at) {
      samples[at].update.channel = model::ChannelId{static_cast<std::uint32_t>(channel)};
    }
  }
  begins.push_back(count);
  for (std::size_t run = 0; run + 1 < begins.size(); ++run) {
    auto line = raw(header.first) + from.take();
    samples[begins[run]].line = Line{line};
    for (auto i = begins[run] + 1; i < begins[run + 1]; ++i) {
      samples[i].line = Line{line += from.take() + 1};
    }
    if (line > raw(header.last)) return corrupt("lines");
  }
  std::vector<std::int64_t> times(count);
  auto start = first_time;
  for (std::size_t run = 0; run + 1 < begins.size(); ++run) {
    start = times[begins[run]] = plus(start, from.take_signed());
    std::int64_t step = 0;
    for (auto i = begins[run] + 1; i < begins[run + 1]; ++i) {
      step = plus(step, from.take_signed());
      times[i] = plus(times[i - 1], step);
    }
  }
  if (!from.ok()) return corrupt("times");
  std::vector<model::Alarm> alarms(count);
  for (std::size_t at = 0; at < count;) {
    const auto run = from.take();
    const auto severity = from.take_byte();
    const auto status = from.take_byte();
    if (run == 0 || run > count - at || severity > 3) return corrupt("alarms");
    std::fill_n(alarms.begin() + static_cast<std::ptrdiff_t>(at), run,
                model::Alarm{static_cast<model::Severity>(severity), status});
    at += run;
  }
  std::vector<std::uint32_t> hidden(any_hidden ? count : 0);
  for (auto& each : hidden) each = static_cast<std::uint32_t>(from.take());
  for (std::size_t at = 0; at < count;) {
    const auto run = from.take();
    const auto type = static_cast<TypeCode>(from.take_byte());
    if (!from.ok() || run == 0 || run > count - at) return corrupt("types");
    if (!take_run(from, type, samples + at, run)) return corrupt("values");
    at += run;
  }
  if (!from.ok() || from.left() != 0) return corrupt("length");
  for (std::size_t i = 0; i < count; ++i) {
    auto& update = samples[i].update;
    update.taken_at = UtcTime{Duration{times[i]}};
    update.alarm = alarms[i];
    update.hidden_before = any_hidden ? hidden[i] : 0;
  }
  return Unit{};
}

}  // namespace tidemark::journal
