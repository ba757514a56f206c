// journal/keyframe_shard.cpp
//
// u8 format · varint rows · channels · states · the newest line · the lines of the links before it
// · then chunks, each after its length, with the values of those rows that have one.

#include <zstd.h>

#include "journal/chunk.h"
#include "journal/int_column.h"
#include "journal/machine_state.h"

namespace tidemark::journal {
namespace {

constexpr std::uint8_t kShardFormat = 2;
constexpr std::size_t kShardBodyMax = 512u << 20;  // bytes of format 1, unpacked

Error corrupt_shard(const char* what) {
  return Error{Code::kCorruption, std::string("keyframe: ") + what};
}

/// Their values as of one update each; in chunks that are no larger than any may be.
void append_chunks(Bytes& out,
                   const std::vector<std::pair<std::uint32_t, const ChannelState*>>& rows) {
  std::vector<Sample> samples;
  std::size_t content = 0;
  const auto put = [&] {
    if (samples.empty()) return;
    const auto chunk = encode_chunk(samples);
    append_varint(out, chunk.size());
    out += chunk;
    samples.clear();
    content = 0;
  };
  for (const auto& [channel, row] : rows) {
    if (row->value_line == Line{0}) continue;
    const auto more = model::content_bytes(row->value);
    if (content + more > kChunkContentMax) put();
    content += more;
    auto& [line, update] = samples.emplace_back();
    line = row->value_line;
    update.channel = model::ChannelId{channel};
    update.alarm = row->alarm;
    update.taken_at = row->taken_at;
    update.value = row->value;
  }
  put();
}

struct Row {
  std::int64_t channel = 0;
  ChannelState state;
};

/// False: the chunk has rows that the shard has not.
bool apply(std::vector<Sample> samples, std::vector<Row>& rows) {
  std::size_t at = 0;
  for (auto& [line, update] : samples) {
    const auto channel = static_cast<std::int64_t>(raw(update.channel));
    while (at < rows.size() && rows[at].channel < channel) ++at;
    if (at == rows.size() || rows[at].channel != channel) return false;
    if (update.event != model::PvUpdate::Event::kValue) return false;
    auto& state = rows[at].state;
    state.value_line = line;
    state.alarm = update.alarm;
    state.taken_at = update.taken_at;
    state.value = std::move(update.value);
  }
  return true;
}

Result<Unit> decode_format2(VarintReader from, MachineState& state) {
  const auto count = from.take();
  if (!from.ok() || count > kShardChannels) return corrupt_shard("number of rows");
  std::vector<Row> rows(count);
  std::vector<std::int64_t> column(count);
  if (!take_column(from, column)) return corrupt_shard("channels");
  for (std::size_t i = 0; i < count; ++i) {
    const bool follows = i == 0 ? column[i] >= 0 : column[i] > column[i - 1];
    if (!follows || column[i] > model::LiveTable::kChannelMax) return corrupt_shard("a channel");
    rows[i].channel = column[i];
  }
  if (!take_column(from, column)) return corrupt_shard("states");
  for (std::size_t i = 0; i < count; ++i) {
    if (column[i] < 0 || column[i] > 2) return corrupt_shard("a state");
    rows[i].state.state = static_cast<model::LiveState>(column[i]);
  }
  const auto newest = from.take();
  if (!take_column(from, column)) return corrupt_shard("lines");
  for (std::size_t i = 0; i < count; ++i) {
    const auto distance = static_cast<std::uint64_t>(column[i]);
    if (distance > newest) return corrupt_shard("a line");
    rows[i].state.link_line = Line{newest - distance};
  }
  while (from.ok() && from.left() > 0) {
    const auto size = from.take();
    std::vector<Sample> samples;
    const auto decoded = decode_chunk(from.take_bytes(size), samples);
    if (!decoded) return decoded;
    if (!apply(std::move(samples), rows)) return corrupt_shard("values");
  }
  if (!from.ok()) return corrupt_shard("cut off");
  for (auto& row : rows) {
    state.set(model::ChannelId{static_cast<std::uint32_t>(row.channel)}, std::move(row.state));
  }
  return Unit{};
}

/// Rows of PV batches, and zstd around all of it: read still, and never written.
Result<Unit> decode_format1(VarintReader head, MachineState& state) {
  const bool is_packed = head.take_byte() != 0;
  const auto body_bytes = head.take();
  if (!head.ok() || body_bytes > kShardBodyMax) return corrupt_shard("length");
  auto body = head.take_bytes(head.left());
  Bytes unpacked;
  if (is_packed) {
    if (ZSTD_getFrameContentSize(body.data(), body.size()) != body_bytes) {
      return corrupt_shard("length");
    }
    unpacked.resize(body_bytes);
    const auto size = ZSTD_decompress(unpacked.data(), unpacked.size(), body.data(), body.size());
    if (ZSTD_isError(size) != 0U || size != body_bytes) return corrupt_shard("cannot be unpacked");
    body = unpacked;
  }
  if (body.size() != body_bytes) return corrupt_shard("length");

  VarintReader from(body);
  const auto count = from.take();
  const auto newest = from.take();
  if (count > kShardChannels || count > from.left()) return corrupt_shard("number of rows");
  std::vector<Row> rows(count);
  std::uint64_t channel = 0;
  for (auto& row : rows) row.channel = static_cast<std::int64_t>(channel += from.take());
  for (auto& row : rows) {
    const auto known = from.take_byte();
    if (known > 2) return corrupt_shard("a state");
    row.state.state = static_cast<model::LiveState>(known);
  }
  const auto line = [&]() -> std::optional<Line> {
    const auto distance = from.take();
    if (distance > newest) return std::nullopt;
    return Line{newest - distance};
  };
  for (auto& row : rows) {
    const auto found = line();
    if (!found) return corrupt_shard("a line");
    row.state.value_line = *found;
  }
  for (auto& row : rows) {
    const auto found = line();
    if (!found) return corrupt_shard("a line");
    row.state.link_line = *found;
  }
  for (std::size_t at = 0; at < rows.size();) {
    const auto size = from.take();
    if (size > from.left()) return corrupt_shard("cut off");
    auto batch = model::decode_updates(from.take_bytes(size));
    if (!batch) return corrupt_shard("values");
    if (batch.value().empty() || batch.value().size() > rows.size() - at) {
      return corrupt_shard("values");
    }
    for (auto& update : batch.value()) {
      auto& row = rows[at++].state;
      row.alarm = update.alarm;
      row.taken_at = update.taken_at;
      row.value = std::move(update.value);
    }
  }
  if (!from.ok() || from.left() != 0) return corrupt_shard("length");
  for (auto& row : rows) {
    if (row.channel < 0 || row.channel > model::LiveTable::kChannelMax) {
      return corrupt_shard("a channel");
    }
    state.set(model::ChannelId{static_cast<std::uint32_t>(row.channel)}, std::move(row.state));
  }
  return Unit{};
}

}  // namespace

Bytes encode_shard(const MachineState& state, std::uint32_t begin, std::uint32_t end) {
  TIDEMARK_CHECK(begin <= end && end - begin <= kShardChannels);
  std::vector<std::pair<std::uint32_t, const ChannelState*>> rows;
  std::vector<std::int64_t> channels;
  std::vector<std::int64_t> states;
  Line newest{0};
  for (auto channel = begin; channel < end; ++channel) {
    const auto* row = state.find(model::ChannelId{channel});
    if (row == nullptr) continue;
    rows.emplace_back(channel, row);
    channels.push_back(channel);
    states.push_back(static_cast<std::int64_t>(row->state));
    newest = std::max(newest, row->link_line);
  }
  std::vector<std::int64_t> links;
  for (const auto& [channel, row] : rows) {
    links.push_back(static_cast<std::int64_t>(raw(newest) - raw(row->link_line)));
  }
  Bytes out(1, static_cast<char>(kShardFormat));
  append_varint(out, rows.size());
  append_column(out, channels, kAsSteps);
  append_column(out, states, kAsValues);
  append_varint(out, raw(newest));
  append_column(out, links);
  append_chunks(out, rows);
  return out;
}

Result<Unit> decode_shard(BytesView bytes, MachineState& state) {
  VarintReader from(bytes);
  switch (from.take_byte()) {
    case 1: return decode_format1(from, state);
    case kShardFormat: return decode_format2(from, state);
    default: return corrupt_shard("format");
  }
}

}  // namespace tidemark::journal
