// journal/chunk.cpp
//
// The header, and the columns that every update has. value_columns.* has the values.

#include "journal/chunk.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <span>

#include "base/varint.h"
#include "journal/chunk_body.h"
#include "journal/int_column.h"
#include "journal/value_columns.h"
#include "journal/wrapping.h"

namespace tidemark::journal {
namespace {

constexpr std::uint8_t kChunkFormat = 2;
constexpr std::uint8_t kZstd = 1;  // format 1
constexpr std::uint8_t kNumbers = 2;
constexpr std::uint8_t kHidden = 4;
constexpr std::uint32_t kNumbersFrom = 256;  // samples: below, the header would be the chunk
/// The rate at which time goes by with the lines counts 1/65536 ns.
constexpr unsigned kRateShift = 16;

Error corrupt_chunk(const char* what) {
  return Error{Code::kCorruption, std::string("history chunk: ") + what};
}

/// What time the rate expects at a line, from that of the first.
std::int64_t expected(std::int64_t rate, std::int64_t lines) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(rate) *
                                   static_cast<std::uint64_t>(lines)) >>
         kRateShift;
}

using Numbers = std::vector<std::int64_t>;

void put_channels(Bytes& out, const ChunkColumns& columns) {
  append_varint(out, columns.channels.size());
  Numbers channels;
  Numbers counts;
  for (const auto& each : columns.channels) {
    channels.push_back(raw(each.channel));
    counts.push_back(each.count);
  }
  append_column(out, channels, kAsSteps);
  if (channels.size() > 1) append_column(out, counts, kAsValues);
}

bool take_channels(VarintReader& from, std::size_t count, ChunkColumns& columns) {
  const auto size = from.take();
  if (!from.ok() || size == 0 || size > count) return false;
  Numbers channels(size);
  Numbers counts(size, static_cast<std::int64_t>(count));
  if (!take_column(from, channels) || (size > 1 && !take_column(from, counts))) return false;
  std::size_t left = count;
  for (std::size_t i = 0; i < size; ++i) {
    const auto some = static_cast<std::uint64_t>(counts[i]);
    if (some == 0 || some > left || channels[i] != static_cast<std::uint32_t>(channels[i])) {
      return false;
    }
    left -= some;
    columns.channels.push_back({model::ChannelId{static_cast<std::uint32_t>(channels[i])},
                                static_cast<std::uint32_t>(some)});
  }
  return left == 0;
}

/// Two columns: what each channel begins with, and in how large steps it goes on.
void put_steps(Bytes& out, const ChunkColumns& columns, std::span<const std::int64_t> values) {
  Numbers firsts;
  Numbers steps;
  std::size_t at = 0;
  for (const auto& [channel, count] : columns.channels) {
    firsts.push_back(values[at]);
    for (std::size_t i = at + 1; i < at + count; ++i) {
      steps.push_back(minus(values[i], values[i - 1]));
    }
    at += count;
  }
  append_column(out, firsts);
  append_column(out, steps, kAsValues | kAsSteps | kAsSlope);
}

bool take_steps(VarintReader& from, const ChunkColumns& columns, std::span<std::int64_t> values) {
  Numbers firsts(columns.channels.size());
  Numbers steps(values.size() - firsts.size());
  if (!take_column(from, firsts) || !take_column(from, steps)) return false;
  std::size_t at = 0;
  std::size_t step = 0;
  for (std::size_t i = 0; i < firsts.size(); ++i) {
    values[at] = firsts[i];
    const auto end = at + columns.channels[i].count;
    for (++at; at < end; ++at) values[at] = plus(values[at - 1], steps[step++]);
  }
  return true;
}

/// Lines tell the time where a machine is busy: each update takes as long as the next one.
std::int64_t rate_of(const ChunkColumns& columns) {
  const auto [first, last] = std::minmax_element(columns.lines.begin(), columns.lines.end());
  if (first == last) return 0;
  const auto time = [&](auto at) {
    return columns.times[static_cast<std::size_t>(at - columns.lines.begin())];
  };
  const auto rate = static_cast<double>(minus(time(last), time(first))) /
                    static_cast<double>(minus(*last, *first));
  constexpr double kRateMax = 1e12;  // ns a line; a slower machine does not go by lines
  return std::abs(rate) > kRateMax ? 0 : static_cast<std::int64_t>(rate * (1u << kRateShift));
}

void put_times(Bytes& out, const ChunkColumns& columns, std::int64_t first_line,
               std::int64_t first_time) {
  Numbers times;
  times.reserve(columns.size());
  for (const auto each : columns.times) times.push_back(minus(each, first_time));
  const auto begin = out.size();
  append_varint(out, zigzag(0));
  if (columns.channels.size() == 1) {
    append_column(out, times, kAsSteps | kAsBends | kAsSlope);
  } else {
    put_steps(out, columns, times);
  }
  const auto rate = rate_of(columns);
  if (rate == 0) return;
  Bytes by_rate;
  append_varint(by_rate, zigzag(rate));
  for (std::size_t i = 0; i < times.size(); ++i) {
    times[i] = minus(times[i], expected(rate, minus(columns.lines[i], first_line)));
  }
  append_column(by_rate, times, kAsValues | kAsSteps);
  if (by_rate.size() < out.size() - begin) out.replace(begin, out.size() - begin, by_rate);
}

bool take_times(VarintReader& from, std::int64_t first_line, std::int64_t first_time,
                ChunkColumns& columns) {
  const auto rate = from.take_signed();
  auto& times = columns.times;
  times.resize(columns.lines.size());
  if (rate == 0 && columns.channels.size() > 1) {
    if (!take_steps(from, columns, times)) return false;
  } else if (!take_column(from, times)) {
    return false;
  }
  for (std::size_t i = 0; i < times.size(); ++i) {
    times[i] =
        plus(plus(times[i], first_time), expected(rate, minus(columns.lines[i], first_line)));
  }
  return true;
}

void put_alarms(Bytes& out, const std::vector<model::Alarm>& alarms) {
  for (std::size_t begin = 0; begin < alarms.size();) {
    auto end = begin + 1;
    while (end < alarms.size() && alarms[end] == alarms[begin]) ++end;
    append_varint(out, end - begin);
    out.push_back(static_cast<char>(alarms[begin].severity));
    out.push_back(static_cast<char>(alarms[begin].status));
    begin = end;
  }
}

bool take_alarms(VarintReader& from, std::size_t count, std::vector<model::Alarm>& alarms) {
  while (alarms.size() < count) {
    const auto run = from.take();
    const auto severity = from.take_byte();
    const auto status = from.take_byte();
    if (run == 0 || run > count - alarms.size() || severity > 3) return false;
    alarms.insert(alarms.end(), run, {static_cast<model::Severity>(severity), status});
  }
  return from.ok();
}

bool take_hidden(VarintReader& from, std::size_t count, Numbers& hidden) {
  hidden.resize(count);
  if (!take_column(from, hidden)) return false;
  return std::all_of(hidden.begin(), hidden.end(),
                     [](auto each) { return each == static_cast<std::uint32_t>(each); });
}

/// In the order in which they are stored.
std::array<double*, 6> figures_of(ChunkHeader::Numbers& numbers) {
  return {&numbers.first, &numbers.last, &numbers.min, &numbers.max, &numbers.sum, &numbers.spread};
}

Result<ChunkParts> open(BytesView chunk) {
  VarintReader from(chunk);
  ChunkParts parts;
  parts.format = from.take_byte();
  if (parts.format != 1 && parts.format != kChunkFormat) return corrupt_chunk("format");
  const auto flags = from.take_byte();
  auto& header = parts.header;
  const auto count = from.take();
  if (count == 0 || count > kChunkSamplesMax) return corrupt_chunk("number of samples");
  header.count = static_cast<std::uint32_t>(count);
  header.first = Line{from.take()};
  header.last = Line{raw(header.first) + from.take()};
  parts.first_time = from.take_signed();
  const auto before = from.take();
  const auto after = from.take();
  header.earliest = UtcTime{Duration{minus(parts.first_time, static_cast<std::int64_t>(before))}};
  header.latest = UtcTime{Duration{plus(parts.first_time, static_cast<std::int64_t>(after))}};
  const auto worst = from.take_byte();
  if (worst > 3) return corrupt_chunk("severity");
  header.worst = static_cast<model::Severity>(worst);
  if ((flags & kNumbers) != 0) {
    ChunkHeader::Numbers numbers;
    numbers.count = static_cast<std::uint32_t>(from.take());
    for (auto* each : figures_of(numbers)) {
      const auto bytes = from.take_bytes(sizeof(double));
      if (!from.ok()) return corrupt_chunk("cut off");
      *each = std::bit_cast<double>(read_le<std::uint64_t>(bytes, 0));
    }
    header.numbers = numbers;
  }
  parts.any_hidden = (flags & kHidden) != 0;
  parts.is_packed = (flags & kZstd) != 0;
  if (!from.ok()) return corrupt_chunk("cut off");
  parts.body = from.rest();
  return parts;
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

Bytes encode_chunk(const std::vector<Sample>& samples, ChunkSizes* sizes) {
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
  const bool is_alone = samples.front().update.channel == samples.back().update.channel;
  const auto numbers =
      samples.size() < kNumbersFrom || !is_alone ? std::nullopt : numbers_of(samples);

  Bytes out;
  out.reserve(samples.size() * 8 + 128);
  out.push_back(static_cast<char>(kChunkFormat));
  out.push_back(static_cast<char>((numbers ? kNumbers : 0) | (any_hidden ? kHidden : 0)));
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
  ChunkSizes ignored;
  auto& into = sizes != nullptr ? *sizes : ignored;
  std::size_t before = 0;
  const auto count = [&](std::size_t& column) {
    column += out.size() - before;
    before = out.size();
  };
  count(into.head);
  const auto columns = columns_of(samples);
  const auto first_line = static_cast<std::int64_t>(raw(first));
  put_channels(out, columns);
  count(into.channels);
  Numbers lines;
  lines.reserve(samples.size());
  for (const auto each : columns.lines) lines.push_back(minus(each, first_line));
  put_steps(out, columns, lines);
  count(into.lines);
  put_times(out, columns, first_line, first_time);
  count(into.times);
  put_alarms(out, columns.alarms);
  if (any_hidden) append_column(out, columns.hidden, kAsValues);
  count(into.alarms);
  append_values(out, columns);
  count(into.values);
  return out;
}

Result<ChunkHeader> decode_chunk_header(BytesView chunk) {
  const auto parts = open(chunk);
  if (!parts) return parts.error();
  return parts.value().header;
}

Result<Unit> decode_chunk(BytesView chunk, ChunkColumns& columns) {
  columns.clear();
  const auto parts = open(chunk);
  if (!parts) return parts.error();
  if (parts.value().format == 1) {
    std::vector<Sample> samples;
    const auto decoded = decode_body_format1(parts.value(), samples);
    if (decoded) columns = columns_of(samples);
    return decoded;
  }
  const auto& header = parts.value().header;
  const auto first_line = static_cast<std::int64_t>(raw(header.first));
  VarintReader from(parts.value().body);
  if (!take_channels(from, header.count, columns)) return corrupt_chunk("channels");
  columns.lines.resize(header.count);
  if (!take_steps(from, columns, columns.lines)) return corrupt_chunk("lines");
  for (auto& each : columns.lines) {
    const auto distance = static_cast<std::uint64_t>(each);
    if (distance > raw(header.last) - raw(header.first)) return corrupt_chunk("lines");
    each = plus(first_line, each);
  }
  if (!take_times(from, first_line, parts.value().first_time, columns)) {
    return corrupt_chunk("times");
  }
  if (!take_alarms(from, header.count, columns.alarms)) return corrupt_chunk("alarms");
  if (parts.value().any_hidden && !take_hidden(from, header.count, columns.hidden)) {
    return corrupt_chunk("hidden updates");
  }
  if (!take_values(from, columns)) return corrupt_chunk("values");
  if (!from.ok() || from.left() != 0) return corrupt_chunk("length");
  return Unit{};
}

Result<Unit> decode_chunk(BytesView chunk, std::vector<Sample>& out) {
  ChunkColumns columns;
  const auto decoded = decode_chunk(chunk, columns);
  if (decoded) append_samples(columns, out);
  return decoded;
}

}  // namespace tidemark::journal
