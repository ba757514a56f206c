#include "model/live_table.h"

#include <utility>

#include "model/saturating.h"

namespace tidemark::model {
namespace {

/// The slot exists for every number below the highest one; known is what somebody spoke of.
bool known(const LiveEntry& entry) {
  return entry.state != LiveState::kNeverConnected || entry.meta != nullptr;
}

/// A value row, when there is anything that only one can carry.
bool needs_value_row(const LiveEntry& entry) {
  if (entry.has_value() || entry.alarm != Alarm{} || entry.taken_at != UtcTime{}) return true;
  return entry.state == LiveState::kConnected && !entry.meta;
}

}  // namespace

void LiveTable::apply(const PvUpdate& update, UtcTime received_at) {
  const auto number = raw(update.channel);
  if (number == 0 || number > kChannelMax) return;
  if (number >= entries_.size()) entries_.resize(number + 1);
  auto& entry = entries_[number];
  const bool was_connected = entry.state == LiveState::kConnected;
  const bool had_value = entry.has_value();

  entry.hidden = add_saturating(entry.hidden, update.hidden_before);
  entry.received_at = received_at;
  switch (update.event) {
    case PvUpdate::Event::kValue:
      // The connection came before it, and we joined in between. After a disconnection a value
      // says nothing: only kConnected ends one.
      if (entry.state == LiveState::kNeverConnected) entry.state = LiveState::kConnected;
      entry.alarm = update.alarm;
      entry.taken_at = update.taken_at;
      entry.value = update.value;
      break;
    case PvUpdate::Event::kConnected:
      entry.state = LiveState::kConnected;
      if (update.meta) entry.meta = update.meta;
      break;
    case PvUpdate::Event::kDisconnected: entry.state = LiveState::kDisconnected; break;
  }

  const bool is_connected = entry.state == LiveState::kConnected;
  if (is_connected && !was_connected) ++connected_;
  if (!is_connected && was_connected) --connected_;
  if (entry.has_value() && !had_value) ++with_value_;
  if (!entry.has_value() && had_value) --with_value_;
}

void LiveTable::reset() { *this = LiveTable{}; }

const LiveEntry* LiveTable::find(ChannelId channel) const {
  const auto number = raw(channel);
  if (number >= entries_.size() || !known(entries_[number])) return nullptr;
  return &entries_[number];
}

std::vector<std::vector<PvUpdate>> LiveTable::as_updates(std::size_t group_max) const {
  TIDEMARK_CHECK(group_max > 0);
  std::vector<std::vector<PvUpdate>> groups;
  const auto add = [&](PvUpdate update) {
    if (groups.empty() || groups.back().size() == group_max) groups.emplace_back();
    groups.back().push_back(std::move(update));
  };
  for (std::uint32_t number = 1; number < entries_.size(); ++number) {
    const auto& entry = entries_[number];
    if (!known(entry)) continue;
    auto hidden = entry.hidden;  // on the first row only: the other side adds them up
    const auto row = [&](PvUpdate::Event event, UtcTime taken_at) {
      PvUpdate update;
      update.channel = static_cast<ChannelId>(number);
      update.event = event;
      update.taken_at = taken_at;
      update.hidden_before = std::exchange(hidden, 0);
      return update;
    };
    if (entry.meta) {
      auto connected = row(PvUpdate::Event::kConnected, entry.received_at);
      connected.meta = entry.meta;
      add(std::move(connected));
    }
    if (needs_value_row(entry)) {
      auto value = row(PvUpdate::Event::kValue, entry.taken_at);
      value.alarm = entry.alarm;
      value.value = entry.value;
      add(std::move(value));
    }
    if (entry.state == LiveState::kDisconnected) {
      add(row(PvUpdate::Event::kDisconnected, entry.received_at));
    }
  }
  return groups;
}

}  // namespace tidemark::model
