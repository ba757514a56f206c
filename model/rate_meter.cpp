#include "model/rate_meter.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "model/live_table.h"

namespace tidemark::model {
namespace {

float in_seconds(Duration duration) { return std::chrono::duration<float>(duration).count(); }

}  // namespace

RateMeter::Entry* RateMeter::entry_of(ChannelId channel) {
  const auto number = raw(channel);
  if (number >= entries_.size()) {
    if (number > LiveTable::kChannelMax) return nullptr;
    entries_.resize(number + 1);
  }
  return &entries_[number];
}

void RateMeter::count(ChannelId channel, std::size_t bytes) {
  auto* entry = entry_of(channel);
  if (entry == nullptr) return;
  ++entry->updates;
  constexpr std::size_t kMax = std::numeric_limits<std::uint32_t>::max();
  entry->bytes = static_cast<std::uint32_t>(std::min(kMax, entry->bytes + bytes));
}

void RateMeter::copy(ChannelId channel, const RateMeter& other) {
  auto* entry = entry_of(channel);
  if (entry == nullptr) return;
  *entry = raw(channel) < other.entries_.size() ? other.entries_[raw(channel)] : Entry{};
}

void RateMeter::turn(Duration elapsed) {
  const float seconds = in_seconds(elapsed);
  if (seconds <= 0) {
    for (auto& entry : entries_) entry.updates = entry.bytes = 0;
    return;
  }
  const float lately = 1 - std::exp(-seconds / in_seconds(kLately));
  const float usually = 1 - std::exp(-seconds / in_seconds(kUsually));
  for (auto& entry : entries_) {
    if (entry.updates == 0 && entry.age == 0) continue;  // nothing ever came
    const float updates = static_cast<float>(entry.updates) / seconds;
    const float bytes = static_cast<float>(entry.bytes) / seconds;
    entry.updates_lately += lately * (updates - entry.updates_lately);
    entry.bytes_lately += lately * (bytes - entry.bytes_lately);
    entry.updates_usually += usually * (updates - entry.updates_usually);
    entry.bytes_usually += usually * (bytes - entry.bytes_usually);
    entry.age = std::min(entry.age + seconds, 10 * in_seconds(kUsually));
    entry.updates = 0;
    entry.bytes = 0;
  }
}

api::Rate RateMeter::lately(ChannelId channel) const {
  if (raw(channel) >= entries_.size()) return {};
  const auto& entry = entries_[raw(channel)];
  return {entry.updates_lately, entry.bytes_lately};
}

api::Rate RateMeter::usually(ChannelId channel) const {
  if (raw(channel) >= entries_.size()) return {};
  const auto& entry = entries_[raw(channel)];
  if (entry.age == 0) return {};
  // An average that began at 0 has not seen more than this part of its five minutes.
  const float whole = 1 - std::exp(-entry.age / in_seconds(kUsually));
  return {entry.updates_usually / whole, entry.bytes_usually / whole};
}

}  // namespace tidemark::model
