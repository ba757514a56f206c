#include "journal/chunk_columns.h"

#include <bit>

namespace tidemark::journal {

using model::PvUpdate;
using model::TypeCode;

std::uint64_t bits_of(const model::PvValue& value) {
  return std::visit(
      [](const auto& each) -> std::uint64_t {
        using T = std::decay_t<decltype(each)>;
        if constexpr (std::is_same_v<T, double>) {
          return std::bit_cast<std::uint64_t>(each);
        } else if constexpr (std::is_same_v<T, float>) {
          return std::bit_cast<std::uint32_t>(each);
        } else if constexpr (std::is_integral_v<T>) {
          return static_cast<std::uint64_t>(static_cast<std::int64_t>(each));
        } else if constexpr (std::is_same_v<T, model::EnumIndex>) {
          return each.index;
        } else {
          return 0;
        }
      },
      value);
}

TypeCode type_of(const PvUpdate& update) {
  switch (update.event) {
    case PvUpdate::Event::kConnected: return TypeCode::kConnected;
    case PvUpdate::Event::kDisconnected: return TypeCode::kDisconnected;
    case PvUpdate::Event::kValue: break;
  }
  return model::type_code(update.value);
}

model::PvValue value_of(TypeCode type, std::uint64_t bits) {
  switch (type) {
    case TypeCode::kDouble: return std::bit_cast<double>(bits);
    case TypeCode::kFloat: return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    case TypeCode::kLong: return static_cast<std::int32_t>(bits);
    case TypeCode::kShort: return static_cast<std::int16_t>(bits);
    case TypeCode::kChar: return static_cast<std::uint8_t>(bits);
    case TypeCode::kEnum: return model::EnumIndex{static_cast<std::uint16_t>(bits)};
    default: return {};
  }
}

bool is_plain(TypeCode type) { return type >= TypeCode::kDouble && type <= TypeCode::kEnum; }

void ChunkColumns::clear() {
  channels.clear();
  lines.clear();
  times.clear();
  alarms.clear();
  hidden.clear();
  values.clear();
  bits.clear();
  others.clear();
}

ChunkColumns columns_of(const std::vector<Sample>& samples) {
  ChunkColumns columns;
  columns.lines.reserve(samples.size());
  columns.times.reserve(samples.size());
  columns.alarms.reserve(samples.size());
  columns.bits.reserve(samples.size());
  for (const auto& [line, update] : samples) {
    if (columns.channels.empty() || columns.channels.back().channel != update.channel) {
      columns.channels.push_back({update.channel, 0});
    }
    ++columns.channels.back().count;
    const auto type = type_of(update);
    if (columns.values.empty() || columns.values.back().type != type) {
      columns.values.push_back({type, 0});
    }
    ++columns.values.back().count;
    columns.lines.push_back(static_cast<std::int64_t>(raw(line)));
    columns.times.push_back(update.taken_at.time_since_epoch().count());
    columns.alarms.push_back(update.alarm);
    if (update.hidden_before != 0) {
      columns.hidden.resize(samples.size());
      columns.hidden[columns.lines.size() - 1] = update.hidden_before;
    }
    if (is_plain(type)) {
      columns.bits.push_back(bits_of(update.value));
    } else {
      columns.bits.push_back(columns.others.size());
      columns.others.push_back(update);
      columns.others.back().channel = {};
    }
  }
  return columns;
}

void append_samples(const ChunkColumns& columns, std::vector<Sample>& out) {
  const auto begin = out.size();
  out.resize(begin + columns.size());
  auto* samples = out.data() + begin;
  std::size_t at = 0;
  for (const auto& [type, count] : columns.values) {
    for (const auto end = at + count; at < end; ++at) {
      auto& update = samples[at].update;
      if (is_plain(type)) {
        update.value = value_of(type, columns.bits[at]);
      } else {
        update = columns.others[columns.bits[at]];
      }
      samples[at].line = Line{static_cast<std::uint64_t>(columns.lines[at])};
      update.taken_at = UtcTime{Duration{columns.times[at]}};
      update.alarm = columns.alarms[at];
      update.hidden_before =
          columns.hidden.empty() ? 0 : static_cast<std::uint32_t>(columns.hidden[at]);
    }
  }
  at = 0;
  for (const auto& [channel, count] : columns.channels) {
    for (const auto end = at + count; at < end; ++at) samples[at].update.channel = channel;
  }
}

}  // namespace tidemark::journal
