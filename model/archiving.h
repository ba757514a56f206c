// model/archiving.h
//
// What of a monitor's updates is archived: the policies, the storage guard, and the rates that both
// are judged by, in one value.
//
//   updates ──► counted ──► Thinner ──► the journal's part, when it is not all of them
//   second  ──► RateMeter::turn ──► StorageGuard ──► Thinner::set
//
// A channel that neither a policy nor the guard thins costs a few additions per update.

#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "model/api/keeper.h"
#include "model/rate_meter.h"
#include "model/recent_updates.h"
#include "model/storage_guard.h"
#include "model/thinner.h"

namespace tidemark::model {

class Archiving {
 public:
  /// What the guard decided about a channel.
  struct Guarded {
    ChannelId channel{};
    bool held = false;         // else it has been let go
    api::Rate rate;            // lately: of what was archived; when let go, of what comes
    std::uint64_t hidden = 0;  // while it was held
  };
  struct Turn {
    std::vector<Guarded> guarded;
    std::vector<PvUpdate> kept;  // to be archived now
  };

  explicit Archiving(GuardBudget budget) : guard_(budget) {}

  /// The policies from now on; answers what is to be archived now.
  std::vector<PvUpdate> follow(const api::Channels& channels, SteadyTime now);

  /// What is archived of `updates`, which have just come; empty: all of them, as they are.
  std::optional<std::vector<PvUpdate>> take(const std::vector<PvUpdate>& updates, SteadyTime now);
  std::optional<SteadyTime> next_due() const { return thinner_.next_due(); }
  /// What is archived by `now`; all that waits, when `now` is SteadyTime::max().
  std::vector<PvUpdate> due(SteadyTime now);

  /// Call it about once a second.
  Turn turn(SteadyTime now);

  /// Addresses are left empty.
  api::Rates rates(const api::RatesQuery& query) const;
  /// Errors: kInvalidArgument for a thinning that is not in the query.
  Result<api::Forecast> forecast(const api::ForecastQuery& query,
                                 const std::function<bool(ChannelId)>& is_array) const;

  std::size_t thinned() const { return thinner_.thinned(); }
  std::uint64_t hidden() const { return thinner_.hidden(); }
  /// Whom the guard holds.
  std::vector<ChannelId> held() const;

 private:
  struct Rule {
    std::string policy;
    Thinning thinning;
  };

  const Rule* rule_of(ChannelId channel) const;
  void apply(ChannelId channel, SteadyTime now, std::vector<PvUpdate>& kept);
  void count_kept(const std::vector<PvUpdate>& kept);
  api::ChannelRate rate_of(ChannelId channel) const;

  RateMeter seen_;
  RateMeter archived_;  // of channels that are thinned; of all others it is what is seen
  RecentUpdates recent_;
  StorageGuard guard_;
  Thinner thinner_;
  std::vector<Rule> rules_;
  std::vector<std::uint32_t> rule_by_channel_;      // 1: the first of rules_; 0: none
  std::map<ChannelId, std::uint64_t> held_hidden_;  // hidden by each whom the guard holds, before
  std::optional<SteadyTime> turned_at_;
  Duration measured_{0};
};

}  // namespace tidemark::model
