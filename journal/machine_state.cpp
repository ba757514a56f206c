// journal/machine_state.cpp
//
// A shard: u8 format · u8 packed by zstd? · varint bytes unpacked · body. The body: varint rows,
// the channels as differences, the states, the lines as distances to the newest, then PV batches of
// at most kBatchContent bytes, which hold the values.

#include "journal/machine_state.h"

#include <zstd.h>

#include "base/varint.h"

namespace tidemark::journal {
namespace {

using model::PvUpdate;

constexpr std::uint8_t kFormat = 1;
constexpr std::size_t kBodyMax = 512u << 20;     // bytes, unpacked
constexpr std::size_t kBatchContent = 1u << 20;  // bytes of values; one may be larger
constexpr int kZstdLevel = 1;

Error corrupt(const char* what) {
  return Error{Code::kCorruption, std::string("keyframe: ") + what};
}

}  // namespace

bool operator==(const ChannelState& a, const ChannelState& b) {
  const bool metas = a.meta == b.meta || (a.meta && b.meta && *a.meta == *b.meta);
  return metas && a.state == b.state && a.alarm == b.alarm && a.taken_at == b.taken_at &&
         model::same_value(a.value, b.value) && a.value_line == b.value_line &&
         a.link_line == b.link_line;
}

void MachineState::apply(Line line, const PvUpdate& update) {
  const auto channel = raw(update.channel);
  if (channel > model::LiveTable::kChannelMax) return;  // as the live table
  if (channel >= rows_.size()) rows_.resize(channel + 1);
  auto& row = rows_[channel];
  switch (update.event) {
    case PvUpdate::Event::kValue:
      row.value = update.value;
      row.alarm = update.alarm;
      row.taken_at = update.taken_at;
      row.value_line = line;
      return;
    case PvUpdate::Event::kConnected:
      row.state = model::LiveState::kConnected;
      row.meta = update.meta;
      row.link_line = line;
      return;
    case PvUpdate::Event::kDisconnected:
      row.state = model::LiveState::kDisconnected;
      row.link_line = line;
      return;
  }
}

void MachineState::set(model::ChannelId channel, ChannelState state) {
  if (raw(channel) > model::LiveTable::kChannelMax) return;
  if (raw(channel) >= rows_.size()) rows_.resize(raw(channel) + 1);
  rows_[raw(channel)] = std::move(state);
}

std::vector<std::vector<PvUpdate>> as_updates(const MachineState& state,
                                              const std::vector<model::ChannelId>* only,
                                              std::size_t group_max) {
  TIDEMARK_CHECK(group_max > 0);
  constexpr std::size_t kGroupBytes = 4u << 20;
  std::vector<std::vector<PvUpdate>> groups;
  std::size_t bytes = 0;
  const auto add_row = [&](model::ChannelId channel, PvUpdate::Event event) -> PvUpdate& {
    if (groups.empty() || groups.back().size() == group_max || bytes > kGroupBytes) {
      groups.emplace_back();
      bytes = 0;
    }
    auto& update = groups.back().emplace_back();
    update.channel = channel;
    update.event = event;
    return update;
  };
  const auto add = [&](model::ChannelId channel) {
    const auto* row = state.find(channel);
    if (row == nullptr) return;
    if (row->meta) add_row(channel, PvUpdate::Event::kConnected).meta = row->meta;
    const bool connected = row->state == model::LiveState::kConnected;
    if (row->value_line != Line{0} || (connected && !row->meta)) {
      auto& value = add_row(channel, PvUpdate::Event::kValue);
      value.taken_at = row->taken_at;
      value.alarm = row->alarm;
      value.value = row->value;
      bytes += model::content_bytes(row->value);
    }
    if (row->state == model::LiveState::kDisconnected) {
      add_row(channel, PvUpdate::Event::kDisconnected);
    }
  };
  if (only != nullptr) {
    for (const auto channel : *only) add(channel);
  } else {
    for (std::uint32_t number = 1; number < state.size(); ++number) add(model::ChannelId{number});
  }
  return groups;
}

Bytes encode_shard(const MachineState& state, std::uint32_t begin, std::uint32_t end) {
  TIDEMARK_CHECK(begin <= end && end - begin <= kShardChannels);
  std::vector<std::pair<std::uint32_t, const ChannelState*>> rows;
  Line newest{0};
  for (auto channel = begin; channel < end; ++channel) {
    const auto* row = state.find(model::ChannelId{channel});
    if (row == nullptr) continue;
    rows.emplace_back(channel, row);
    newest = std::max(newest, row->last_line());
  }
  Bytes body;
  append_varint(body, rows.size());
  append_varint(body, raw(newest));
  std::uint32_t before = 0;
  for (const auto& [channel, row] : rows) {
    append_varint(body, channel - before);
    before = channel;
  }
  for (const auto& [channel, row] : rows) body.push_back(static_cast<char>(row->state));
  for (const auto& [channel, row] : rows) append_varint(body, raw(newest) - raw(row->value_line));
  for (const auto& [channel, row] : rows) append_varint(body, raw(newest) - raw(row->link_line));
  for (std::size_t at = 0; at < rows.size();) {
    std::vector<PvUpdate> batch;
    std::size_t content = 0;
    for (; at < rows.size() && (batch.empty() || content < kBatchContent); ++at) {
      const auto& row = *rows[at].second;
      auto& update = batch.emplace_back();
      update.alarm = row.alarm;
      update.taken_at = row.taken_at;
      update.value = row.value;
      content += model::content_bytes(row.value);
    }
    // One that is larger than a batch may be goes alone: it came in a batch once.
    if (batch.size() > 1 && content > kBatchContent) {
      batch.pop_back();
      --at;
    }
    const auto packed = model::encode_updates(batch);
    append_varint(body, packed.size());
    body += packed;
  }

  Bytes packed(ZSTD_compressBound(body.size()), '\0');
  const auto size =
      ZSTD_compress(packed.data(), packed.size(), body.data(), body.size(), kZstdLevel);
  TIDEMARK_CHECK(ZSTD_isError(size) == 0U);
  const bool is_packed = size < body.size();
  packed.resize(size);
  Bytes out;
  out.push_back(static_cast<char>(kFormat));
  out.push_back(is_packed ? 1 : 0);
  append_varint(out, body.size());
  return out + (is_packed ? packed : body);
}

Result<Unit> decode_shard(BytesView bytes, MachineState& state) {
  VarintReader head(bytes);
  if (head.take_byte() != kFormat) return corrupt("format");
  const bool is_packed = head.take_byte() != 0;
  const auto body_bytes = head.take();
  if (!head.ok() || body_bytes > kBodyMax) return corrupt("length");
  auto body = head.take_bytes(head.left());
  Bytes unpacked;
  if (is_packed) {
    if (ZSTD_getFrameContentSize(body.data(), body.size()) != body_bytes) return corrupt("length");
    unpacked.resize(body_bytes);
    const auto size = ZSTD_decompress(unpacked.data(), unpacked.size(), body.data(), body.size());
    if (ZSTD_isError(size) != 0U || size != body_bytes) return corrupt("cannot be unpacked");
    body = unpacked;
  }
  if (body.size() != body_bytes) return corrupt("length");

  VarintReader from(body);
  const auto count = from.take();
  const auto newest = from.take();
  if (count > kShardChannels || count > from.left()) return corrupt("number of rows");
  struct Row {
    std::uint64_t channel = 0;
    ChannelState state;
  };
  std::vector<Row> rows(count);
  std::uint64_t channel = 0;
  for (auto& row : rows) row.channel = channel += from.take();
  for (auto& row : rows) {
    const auto known = from.take_byte();
    if (known > 2) return corrupt("a state");
    row.state.state = static_cast<model::LiveState>(known);
  }
  const auto line = [&]() -> std::optional<Line> {
    const auto distance = from.take();
    if (distance > newest) return std::nullopt;
    return Line{newest - distance};
  };
  for (auto& row : rows) {
    const auto found = line();
    if (!found) return corrupt("a line");
    row.state.value_line = *found;
  }
  for (auto& row : rows) {
    const auto found = line();
    if (!found) return corrupt("a line");
    row.state.link_line = *found;
  }
  for (std::size_t at = 0; at < rows.size();) {
    const auto size = from.take();
    if (size > from.left()) return corrupt("cut off");
    auto batch = model::decode_updates(from.take_bytes(size));
    if (!batch) return corrupt("values");
    if (batch.value().empty() || batch.value().size() > rows.size() - at) return corrupt("values");
    for (auto& update : batch.value()) {
      auto& row = rows[at++].state;
      row.alarm = update.alarm;
      row.taken_at = update.taken_at;
      row.value = std::move(update.value);
    }
  }
  if (!from.ok() || from.left() != 0) return corrupt("length");
  for (auto& row : rows) {
    if (row.channel > model::LiveTable::kChannelMax) return corrupt("a channel");
    state.set(model::ChannelId{static_cast<std::uint32_t>(row.channel)}, std::move(row.state));
  }
  return Unit{};
}

}  // namespace tidemark::journal
