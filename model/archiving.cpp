#include "model/archiving.h"

#include <algorithm>
#include <unordered_map>

#include "model/live_table.h"

namespace tidemark::model {
namespace {

constexpr std::uint32_t kRatesMax = 10'000;  // in one answer

/// What a channel of that rate leaves in the journal. `passing`: the part beyond its deadband.
api::Rate expected(const api::Rate& seen, const Thinning& thinning, double passing, bool is_array,
                   const std::optional<GuardBudget>& guard) {
  if (thinning.off || seen.updates_per_s <= 0) return {};
  const double bytes_each = seen.bytes_per_s / seen.updates_per_s;
  double updates = seen.updates_per_s * passing;
  const auto at_most = [&](double limit) {
    if (limit > 0) updates = std::min(updates, limit);
  };
  at_most(thinning.updates_per_s_max);
  if (is_array) at_most(thinning.waveform_bytes_per_s_max / bytes_each);
  if (guard) {
    at_most(guard->updates_per_s_max);
    at_most(guard->bytes_per_s_max / bytes_each);
  }
  return {updates, updates * bytes_each};
}

bool has_deadband(const Thinning& thinning) {
  return thinning.deadband_abs || thinning.deadband_rel;
}

}  // namespace

const Archiving::Rule* Archiving::rule_of(ChannelId channel) const {
  const auto number = raw(channel);
  if (number >= rule_by_channel_.size() || rule_by_channel_[number] == 0) return nullptr;
  return &rules_[rule_by_channel_[number] - 1];
}

void Archiving::apply(ChannelId channel, SteadyTime now, std::vector<PvUpdate>& kept) {
  const auto* rule = rule_of(channel);
  if (!thinner_.thins(channel)) archived_.copy(channel, seen_);
  thinner_.set(channel, rule == nullptr ? Thinning{} : rule->thinning,
               guard_.holds(channel) ? std::optional(guard_.budget()) : std::nullopt, now, kept);
}

std::vector<PvUpdate> Archiving::follow(const api::Channels& channels, SteadyTime now) {
  const auto rules_before = std::move(rules_);
  const auto before = std::move(rule_by_channel_);
  rules_.clear();
  rule_by_channel_.clear();
  for (const auto& each : channels.thinned) {
    rules_.push_back({each.policy, each.thinning});
    for (const auto channel : each.channels) {
      const auto number = raw(channel);
      if (number > LiveTable::kChannelMax) continue;
      if (number >= rule_by_channel_.size()) rule_by_channel_.resize(number + 1);
      rule_by_channel_[number] = static_cast<std::uint32_t>(rules_.size());
    }
  }
  std::vector<PvUpdate> kept;
  const auto end = std::max(before.size(), rule_by_channel_.size());
  for (std::uint32_t number = 0; number < end; ++number) {
    const ChannelId channel{number};
    const auto was = number < before.size() ? before[number] : 0;
    const auto* rule = rule_of(channel);
    const auto& thinning_before = was == 0 ? Thinning{} : rules_before[was - 1].thinning;
    if ((rule == nullptr ? Thinning{} : rule->thinning) == thinning_before) continue;
    guard_.forget(channel);
    held_hidden_.erase(channel);
    apply(channel, now, kept);
  }
  return kept;
}

void Archiving::count_kept(const std::vector<PvUpdate>& kept) {
  for (const auto& update : kept) {
    if (thinner_.thins(update.channel)) archived_.count(update.channel, row_bytes(update));
  }
}

std::optional<std::vector<PvUpdate>> Archiving::take(const std::vector<PvUpdate>& updates,
                                                     SteadyTime now) {
  for (const auto& update : updates) {
    seen_.count(update.channel, row_bytes(update));
    recent_.add(update);
  }
  auto kept = thinner_.step(updates, now);
  if (kept) count_kept(*kept);
  return kept;
}

std::vector<PvUpdate> Archiving::due(SteadyTime now) {
  auto kept = thinner_.due(now);
  count_kept(kept);
  return kept;
}

Archiving::Turn Archiving::turn(SteadyTime now) {
  Turn turn;
  const auto elapsed = turned_at_ ? now - *turned_at_ : Duration{0};
  turned_at_ = now;
  measured_ = std::min<Duration>(measured_ + elapsed, RateMeter::kUsually);
  seen_.turn(elapsed);
  archived_.turn(elapsed);
  if (elapsed <= Duration{0}) return turn;
  for (std::uint32_t number = 1; number < seen_.size(); ++number) {
    const ChannelId channel{number};
    const auto seen = seen_.lately(channel);
    const auto archived = thinner_.thins(channel) ? archived_.lately(channel) : seen;
    switch (guard_.turn(channel, archived, seen)) {
      case StorageGuard::Verdict::kAsBefore: break;
      case StorageGuard::Verdict::kHold:
        held_hidden_[channel] = thinner_.hidden(channel);
        apply(channel, now, turn.kept);
        turn.guarded.push_back({channel, true, archived, 0});
        break;
      case StorageGuard::Verdict::kRelease: {
        const auto hidden = thinner_.hidden(channel) - held_hidden_[channel];
        held_hidden_.erase(channel);
        apply(channel, now, turn.kept);
        turn.guarded.push_back({channel, false, seen, hidden});
        break;
      }
    }
  }
  count_kept(turn.kept);
  return turn;
}

std::vector<ChannelId> Archiving::held() const {
  std::vector<ChannelId> channels;
  for (const auto& [channel, hidden] : held_hidden_) channels.push_back(channel);
  return channels;
}

api::ChannelRate Archiving::rate_of(ChannelId channel) const {
  api::ChannelRate rate;
  rate.channel = channel;
  rate.seen = seen_.usually(channel);
  rate.archived = thinner_.thins(channel) ? archived_.usually(channel) : rate.seen;
  if (const auto* rule = rule_of(channel)) rate.policy = rule->policy;
  rate.guarded = guard_.holds(channel);
  return rate;
}

api::Rates Archiving::rates(const api::RatesQuery& query) const {
  api::Rates rates;
  rates.measured = measured_;
  auto& all = rates.channels;
  for (std::uint32_t number = 1; number < seen_.size(); ++number) {
    auto each = rate_of(ChannelId{number});
    if (each.seen.updates_per_s <= 0) continue;
    ++rates.channel_count;
    rates.seen += each.seen;
    rates.archived += each.archived;
    if (query.channels.empty()) all.push_back(std::move(each));
  }
  for (const auto channel : query.channels) all.push_back(rate_of(channel));
  if (!query.channels.empty()) return rates;
  const auto count = std::min<std::size_t>({all.size(), query.limit, kRatesMax});
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count), all.end(),
                    [](const auto& a, const auto& b) {
                      if (a.archived.bytes_per_s != b.archived.bytes_per_s) {
                        return a.archived.bytes_per_s > b.archived.bytes_per_s;
                      }
                      return a.channel < b.channel;
                    });
  all.resize(count);
  return rates;
}

Result<api::Forecast> Archiving::forecast(const api::ForecastQuery& query,
                                          const std::function<bool(ChannelId)>& is_array) const {
  std::unordered_map<ChannelId, Thinning> before;
  std::unordered_map<ChannelId, Thinning> after;
  for (const auto& row : query.rows) {
    if (row.before >= query.thinnings.size() || row.after >= query.thinnings.size()) {
      return Error{Code::kInvalidArgument, "a row's thinning is not in the list"};
    }
    const auto& was = query.thinnings[row.before];
    const auto& will_be = query.thinnings[row.after];
    if (has_deadband(was)) before.emplace(row.channel, was);
    if (has_deadband(will_be)) after.emplace(row.channel, will_be);
  }
  const auto passing_before = recent_.passing(before);
  const auto passing_after = recent_.passing(after);
  const auto part = [](const auto& passing, const Thinning& thinning, ChannelId channel) {
    const auto found = passing.find(channel);
    return found == passing.end() || !has_deadband(thinning) ? 1.0 : found->second;
  };
  api::Forecast forecast;
  forecast.measured = measured_;
  forecast.rows.reserve(query.rows.size());
  for (const auto& row : query.rows) {
    const auto seen = seen_.usually(row.channel);
    const bool array = is_array(row.channel);
    const auto& was = query.thinnings[row.before];
    const auto& will_be = query.thinnings[row.after];
    const auto guard = guard_.holds(row.channel) ? std::optional(guard_.budget()) : std::nullopt;
    forecast.rows.push_back(
        {seen, expected(seen, was, part(passing_before, was, row.channel), array, guard),
         expected(seen, will_be, part(passing_after, will_be, row.channel), array, guard)});
  }
  return forecast;
}

}  // namespace tidemark::model
