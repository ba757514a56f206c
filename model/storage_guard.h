// model/storage_guard.h
//
// Stands between one noisy PV and a full disk: a channel of which more is archived than its budget
// allows, for some seconds, is held; it is let go when what comes has been below half of the budget
// for a while. Pure: it is told the rates once a second, and remembers only who is over the budget.

#pragma once

#include <cstdint>
#include <map>

#include "model/api/policy.h"
#include "model/thinner.h"

namespace tidemark::model {

class StorageGuard {
 public:
  /// Turns over the budget before a channel is held: an IOC that starts sends a burst.
  static constexpr std::uint32_t kHoldTurns = 5;
  /// Turns below half of it before it is let go.
  static constexpr std::uint32_t kReleaseTurns = 30;

  enum class Verdict : std::uint8_t { kAsBefore, kHold, kRelease };

  explicit StorageGuard(GuardBudget budget) : budget_(budget) {}

  /// A second has passed for that channel.
  Verdict turn(ChannelId channel, const api::Rate& archived, const api::Rate& seen);
  /// It is gone, or its policy is another: its turns are counted anew, and it is not held.
  void forget(ChannelId channel) { watched_.erase(channel); }

  bool holds(ChannelId channel) const;
  const GuardBudget& budget() const { return budget_; }

 private:
  struct Watched {
    bool held = false;
    std::uint32_t turns = 0;  // over the budget; when held: below half of it
  };
  bool above(const api::Rate& rate, double part) const;

  const GuardBudget budget_;
  std::map<ChannelId, Watched> watched_;
};

}  // namespace tidemark::model
