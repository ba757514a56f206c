#include "journal/machine_state.h"

namespace tidemark::journal {

using model::PvUpdate;

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

}  // namespace tidemark::journal
