#include "model/storage_guard.h"

namespace tidemark::model {

bool StorageGuard::above(const api::Rate& rate, double part) const {
  return rate.updates_per_s > part * budget_.updates_per_s_max ||
         rate.bytes_per_s > part * budget_.bytes_per_s_max;
}

StorageGuard::Verdict StorageGuard::turn(ChannelId channel, const api::Rate& archived,
                                         const api::Rate& seen) {
  const auto known = watched_.find(channel);
  if (known == watched_.end() || !known->second.held) {
    if (!above(archived, 1)) {
      if (known != watched_.end()) watched_.erase(known);
      return Verdict::kAsBefore;
    }
    auto& watched = watched_[channel];
    if (++watched.turns < kHoldTurns) return Verdict::kAsBefore;
    watched = {true, 0};
    return Verdict::kHold;
  }
  auto& held = known->second;
  held.turns = above(seen, 0.5) ? 0 : held.turns + 1;
  if (held.turns < kReleaseTurns) return Verdict::kAsBefore;
  watched_.erase(known);
  return Verdict::kRelease;
}

bool StorageGuard::holds(ChannelId channel) const {
  const auto known = watched_.find(channel);
  return known != watched_.end() && known->second.held;
}

}  // namespace tidemark::model
