#include "journal/decimated_row.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "base/check.h"
#include "base/varint.h"
#include "journal/int_column.h"
#include "journal/packed_bytes.h"
#include "journal/packed_value.h"
#include "journal/wrapping.h"

namespace tidemark::journal {
namespace {

using model::PvUpdate;

constexpr std::uint8_t kRowsFormat = 1;
constexpr std::uint64_t kDisconnectedFlag = 4;  // above the severity
constexpr std::size_t kDoubles = 6;             // of a row with numbers

using RowColumn = std::vector<std::int64_t>;

Error corrupt_rows(const char* what) {
  return Error{Code::kCorruption, std::string("decimated rows: ") + what};
}

/// Wrapping: what a damaged disk says may be any number.
std::int64_t lines_between(Line first, Line last) {
  return static_cast<std::int64_t>(raw(last) - raw(first));
}
std::uint64_t double_bits(double number) { return std::bit_cast<std::uint64_t>(number); }

void add_numbers(const DecimatedRow::Numbers& more, DecimatedRow::Numbers& into) {
  if (more.count == 0) return;
  if (into.count == 0) {
    into = more;
    return;
  }
  const auto apart =
      more.sum / static_cast<double>(more.count) - into.sum / static_cast<double>(into.count);
  const auto weight = static_cast<double>(into.count) * static_cast<double>(more.count) /
                      static_cast<double>(into.count + more.count);
  into.spread += more.spread + apart * apart * weight;
  into.sum += more.sum;
  into.count += more.count;
  into.min = std::min(into.min, more.min);
  into.max = std::max(into.max, more.max);
  if (more.first_line < into.first_line) {
    into.first_line = more.first_line;
    into.first = more.first;
  }
  if (more.last_line > into.last_line) {
    into.last_line = more.last_line;
    into.last = more.last;
  }
}

std::array<double, kDoubles> row_doubles(const DecimatedRow::Numbers& numbers) {
  return {numbers.first, numbers.last, numbers.min, numbers.max, numbers.sum, numbers.spread};
}

/// All but the first and the spread are mostly near the first: XOR it. Then all least significant
/// bytes, and so on: those of one number are then alike.
void append_row_doubles(Bytes& out, const std::vector<ChannelRow>& rows) {
  std::array<Bytes, sizeof(double)> planes;
  for (std::size_t field = 0; field < kDoubles; ++field) {
    for (const auto& [channel, row] : rows) {
      if (row.numbers.count == 0) continue;
      auto word = double_bits(row_doubles(row.numbers)[field]);
      if (field > 0 && field + 1 < kDoubles) word ^= double_bits(row.numbers.first);
      for (auto& plane : planes) {
        plane.push_back(static_cast<char>(word));
        word >>= 8;
      }
    }
  }
  Bytes all;
  for (const auto& plane : planes) all += plane;
  append_packed(out, all);
}

bool take_row_doubles(VarintReader& from, std::size_t with_numbers, std::vector<ChannelRow>& rows) {
  const auto words = with_numbers * kDoubles;
  Bytes room;
  const auto all = take_packed(from, words * sizeof(double), room);
  if (!all) return false;
  std::size_t at = 0;
  const auto take = [&](std::size_t field) {
    std::uint64_t word = 0;
    for (std::size_t plane = 0; plane < sizeof(double); ++plane) {
      const auto byte = (*all)[plane * words + field * with_numbers + at];
      word |= std::uint64_t{static_cast<unsigned char>(byte)} << (8 * plane);
    }
    return word;
  };
  for (auto& [channel, row] : rows) {
    auto& numbers = row.numbers;
    if (numbers.count == 0) continue;
    const auto first = take(0);
    numbers.first = std::bit_cast<double>(first);
    numbers.last = std::bit_cast<double>(take(1) ^ first);
    numbers.min = std::bit_cast<double>(take(2) ^ first);
    numbers.max = std::bit_cast<double>(take(3) ^ first);
    numbers.sum = std::bit_cast<double>(take(4) ^ first);
    numbers.spread = std::bit_cast<double>(take(5));
    ++at;
  }
  return true;
}

/// What row_of() and add() never make.
bool makes_sense(const DecimatedRow& row) {
  const auto& numbers = row.numbers;
  if (row.samples == 0 || row.first == Line{0} || row.last < row.first ||
      row.latest < row.earliest || numbers.count > row.samples) {
    return false;
  }
  return numbers.count == 0 || (numbers.first_line >= row.first && numbers.last_line <= row.last &&
                                numbers.first_line <= numbers.last_line);
}

}  // namespace

DecimatedRow row_of(Line line, const PvUpdate& update, UtcTime time) {
  DecimatedRow row;
  row.samples = 1;
  row.first = row.last = line;
  row.earliest = row.latest = time;
  row.disconnected = update.event == PvUpdate::Event::kDisconnected;
  if (update.event != PvUpdate::Event::kValue) return row;
  row.worst = update.alarm.severity;
  const auto number = model::as_number(update.value);
  if (number && !std::isnan(*number)) {
    row.numbers = {1, line, line, *number, *number, *number, *number, *number, 0};
  }
  return row;
}

void add(const DecimatedRow& more, DecimatedRow& into) {
  if (into.samples == 0) {
    into = more;
    return;
  }
  into.samples += more.samples;
  into.first = std::min(into.first, more.first);
  into.last = std::max(into.last, more.last);
  into.earliest = std::min(into.earliest, more.earliest);
  into.latest = std::max(into.latest, more.latest);
  into.worst = std::max(into.worst, more.worst);
  into.disconnected |= more.disconnected;
  add_numbers(more.numbers, into.numbers);
}

std::int64_t bin_of(UtcTime time, Duration width) {
  const auto at = ns(time);
  return at / width.count() - (at % width.count() < 0 ? 1 : 0);
}

Bytes encode_rows(const std::vector<ChannelRow>& rows) {
  TIDEMARK_CHECK(!rows.empty() && rows.size() <= kDecimatedChannels);
  Bytes out;
  out.push_back(static_cast<char>(kRowsFormat));
  append_varint(out, rows.size());
  const auto column = [&](auto&& of) {
    RowColumn values;
    for (const auto& [channel, row] : rows) values.push_back(of(raw(channel), row));
    append_column(out, values);
  };
  column([](auto channel, auto&) { return std::int64_t{channel % kDecimatedChannels}; });
  column([](auto, auto& row) { return static_cast<std::int64_t>(row.samples); });
  column([](auto, auto& row) {
    return static_cast<std::int64_t>(row.worst) |
           static_cast<std::int64_t>(row.disconnected ? kDisconnectedFlag : 0);
  });
  column([](auto, auto& row) { return static_cast<std::int64_t>(raw(row.first)); });
  column([](auto, auto& row) { return lines_between(row.first, row.last); });
  column([](auto, auto& row) { return ns(row.earliest); });
  column([](auto, auto& row) { return minus(ns(row.latest), ns(row.earliest)); });
  column(
      [](auto, auto& row) { return static_cast<std::int64_t>(row.samples - row.numbers.count); });
  const auto with_numbers = [&](auto&& of) {
    RowColumn values;
    for (const auto& [channel, row] : rows) {
      if (row.numbers.count > 0) values.push_back(of(row));
    }
    append_column(out, values);
  };
  with_numbers([](auto& row) { return lines_between(row.first, row.numbers.first_line); });
  with_numbers([](auto& row) { return lines_between(row.numbers.last_line, row.last); });
  append_row_doubles(out, rows);
  append_crc(out);
  return out;
}

Result<std::vector<ChannelRow>> decode_rows(BytesView stored, std::uint32_t shard) {
  const auto sound = checked(stored);
  if (!sound) return corrupt_rows("checksum");
  VarintReader from(sound.value());
  const auto format = from.take_byte();
  const auto count = from.take();
  if (!from.ok() || format != kRowsFormat || count == 0 || count > kDecimatedChannels ||
      shard > ~std::uint32_t{0} / kDecimatedChannels) {
    return corrupt_rows("format");
  }
  std::vector<ChannelRow> rows(count);
  const auto column = [&](auto&& put) {
    RowColumn values(count);
    if (!take_column(from, values)) return false;
    for (std::size_t i = 0; i < count; ++i) put(rows[i], values[i]);
    return true;
  };
  bool in_range = true;
  bool ok = column([&](auto& each, auto value) {
    in_range &= value >= 0 && value < kDecimatedChannels;
    each.channel = model::ChannelId{shard * kDecimatedChannels + static_cast<std::uint32_t>(value)};
  });
  ok = ok &&
       column([](auto& each, auto value) { each.row.samples = static_cast<std::uint64_t>(value); });
  ok = ok && column([&](auto& each, auto value) {
         const auto flags = static_cast<std::uint64_t>(value);
         in_range &= flags < 2 * kDisconnectedFlag;
         each.row.worst = static_cast<model::Severity>(flags % kDisconnectedFlag);
         each.row.disconnected = flags >= kDisconnectedFlag;
       });
  ok = ok && column([](auto& each, auto value) {
         each.row.first = Line{static_cast<std::uint64_t>(value)};
       });
  ok = ok && column([](auto& each, auto value) {
         each.row.last = Line{raw(each.row.first) + static_cast<std::uint64_t>(value)};
       });
  ok = ok && column([](auto& each, auto value) { each.row.earliest = UtcTime{Duration{value}}; });
  ok = ok && column([](auto& each, auto value) {
         each.row.latest = UtcTime{Duration{plus(ns(each.row.earliest), value)}};
       });
  std::size_t numeric = 0;
  ok = ok && column([&](auto& each, auto value) {
         each.row.numbers.count = each.row.samples - static_cast<std::uint64_t>(value);
         numeric += each.row.numbers.count > 0 ? 1 : 0;
       });
  const auto with_numbers = [&](auto&& put) {
    RowColumn values(numeric);
    if (!take_column(from, values)) return false;
    auto next = values.begin();
    for (auto& each : rows) {
      if (each.row.numbers.count > 0) put(each.row, static_cast<std::uint64_t>(*next++));
    }
    return true;
  };
  ok = ok && with_numbers([](auto& row, auto value) {
         row.numbers.first_line = Line{raw(row.first) + value};
       });
  ok = ok && with_numbers([](auto& row, auto value) {
         row.numbers.last_line = Line{raw(row.last) - value};
       });
  ok = ok && take_row_doubles(from, numeric, rows);
  if (!ok || !in_range || !from.ok() || from.left() != 0) return corrupt_rows("columns");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!makes_sense(rows[i].row) || (i > 0 && rows[i].channel <= rows[i - 1].channel)) {
      return corrupt_rows("a row that makes no sense");
    }
  }
  return rows;
}

}  // namespace tidemark::journal
