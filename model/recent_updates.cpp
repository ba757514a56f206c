#include "model/recent_updates.h"

#include "model/thinner.h"

namespace tidemark::model {
namespace {

/// Of the same type, so that the thinner sees what it would have seen.
PvValue value_of(std::uint8_t type, double number) {
  switch (type) {
    case 2: return static_cast<float>(number);
    case 3: return static_cast<std::int32_t>(number);
    case 4: return static_cast<std::int16_t>(number);
    case 5: return static_cast<std::uint8_t>(number);
    case 6: return EnumIndex{static_cast<std::uint16_t>(number)};
    default: return number;
  }
}

struct Trial {
  explicit Trial(const Thinning& thinning) : thinner(thinning, std::nullopt) {}
  ChannelThinner thinner;
  std::uint32_t seen = 0;
  std::uint32_t kept = 0;
};

}  // namespace

void RecentUpdates::add(const PvUpdate& update) {
  const auto number = as_number(update.value);
  if (!number) return;
  const Number entry{update.channel, static_cast<std::uint8_t>(update.value.index()), update.alarm,
                     *number};
  if (ring_.size() < kMax) {
    ring_.push_back(entry);
  } else {
    ring_[next_] = entry;
    next_ = (next_ + 1) % kMax;
  }
}

std::unordered_map<ChannelId, double> RecentUpdates::passing(
    const std::unordered_map<ChannelId, Thinning>& thinnings) const {
  std::unordered_map<ChannelId, Trial> trials;
  std::vector<PvUpdate> kept;
  PvUpdate update;
  for (std::size_t i = 0; i < ring_.size(); ++i) {
    const auto& entry = ring_[(next_ + i) % ring_.size()];
    const auto asked = thinnings.find(entry.channel);
    if (asked == thinnings.end()) continue;
    Thinning deadband;
    deadband.deadband_abs = asked->second.deadband_abs;
    deadband.deadband_rel = asked->second.deadband_rel;
    auto& trial = trials.try_emplace(entry.channel, deadband).first->second;
    update.channel = entry.channel;
    update.alarm = entry.alarm;
    update.value = value_of(entry.type, entry.number);
    kept.clear();
    trial.thinner.step(update, SteadyTime{}, kept);
    ++trial.seen;
    trial.kept += static_cast<std::uint32_t>(kept.size());
  }
  std::unordered_map<ChannelId, double> passing;
  for (const auto& [channel, trial] : trials) {
    // The first one is kept by any policy, and says nothing.
    if (trial.seen > 1) passing[channel] = (trial.kept - 1.0) / (trial.seen - 1.0);
  }
  return passing;
}

}  // namespace tidemark::model
