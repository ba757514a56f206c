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

}  // namespace tidemark::journal
