// model/api/policy.h
//
// Policies (model/policy.h) over the bus: the keeper keeps them, the monitor carries them out.
//
//   keeper.policy_list     Empty → PolicyList
//   keeper.policy_set      PolicySet → Empty              made, or put in the place of its namesake
//   keeper.policy_remove   PolicyRemove → Empty
//   keeper.policy_preview  PolicyPreviewQuery → PolicyPreview    changes nothing
//   keeper.policy_explain  PolicyQuestion → PolicyExplanation
//   monitor.forecast       ForecastQuery → Forecast
//   monitor.rates          RatesQuery → Rates
//
// A rate is of what came from IOCs over the last five minutes or so, or since the channel is there;
// its bytes are those of rows before they are compressed.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "base/time.h"
#include "model/policy.h"
#include "model/pv.h"

namespace tidemark::model::api {

struct Rate {
  double updates_per_s = 0;
  double bytes_per_s = 0;
  static auto fields(auto& s) { return std::tie(s.updates_per_s, s.bytes_per_s); }
  Rate& operator+=(const Rate& other) {
    updates_per_s += other.updates_per_s;
    bytes_per_s += other.bytes_per_s;
    return *this;
  }
  bool operator==(const Rate&) const = default;
};

/// The channels that one policy decides about: part of Channels.
struct ThinnedChannels {
  std::string policy;
  Thinning thinning;
  std::vector<ChannelId> channels;
  static auto fields(auto& s) { return std::tie(s.policy, s.thinning, s.channels); }
};

struct PolicyEntry {
  Policy policy;
  std::uint32_t channels = 0;  // that it decides about
  static auto fields(auto& s) { return std::tie(s.policy, s.channels); }
};

struct PolicyList {
  std::vector<PolicyEntry> policies;  // in the order in which they are asked
  static auto fields(auto& s) { return std::tie(s.policies); }
};

struct PolicySet {
  Policy policy;
  std::string user;
  static auto fields(auto& s) { return std::tie(s.policy, s.user); }
};

struct PolicyRemove {
  std::string name;
  std::string user;
  static auto fields(auto& s) { return std::tie(s.name, s.user); }
};

/// What would be if `policy` were set, or, with `remove`, if the policy of that name were not
/// there.
struct PolicyPreviewQuery {
  Policy policy;
  bool remove = false;
  std::uint32_t limit = 20;  // changes in the answer
  static auto fields(auto& s) { return std::tie(s.policy, s.remove, s.limit); }
};

struct PolicyEffect {
  std::string address;
  std::string policy_before;  // empty: none
  std::string policy_after;
  Rate seen;
  Rate before;  // archived
  Rate after;
  static auto fields(auto& s) {
    return std::tie(s.address, s.policy_before, s.policy_after, s.seen, s.before, s.after);
  }
};

struct PolicyPreview {
  std::optional<Policy> replaces;  // the one of that name as it is now
  std::uint32_t channels = 0;      // whose policy changes, or what it says
  Rate seen;                       // of all of these
  Rate before;
  Rate after;
  std::vector<PolicyEffect> largest;  // change in bytes/s first
  Duration measured{0};               // how long rates are known at most
  bool monitor_alive = true;          // false: nobody knows the rates, and they are 0
  static auto fields(auto& s) {
    return std::tie(s.replaces, s.channels, s.seen, s.before, s.after, s.largest, s.measured,
                    s.monitor_alive);
  }
};

struct PolicyQuestion {
  std::string address;
  static auto fields(auto& s) { return std::tie(s.address); }
};

struct PolicyReason {
  std::string policy;
  std::int32_t order = 0;
  std::string reason;  // why it decides, or why not
  static auto fields(auto& s) { return std::tie(s.policy, s.order, s.reason); }
};

struct PolicyExplanation {
  ChannelId channel{};
  std::string policy;  // that decides; empty: none does
  Thinning thinning;
  std::vector<PolicyReason> reasons;  // of each policy
  static auto fields(auto& s) { return std::tie(s.channel, s.policy, s.thinning, s.reasons); }
};

struct ForecastRow {
  ChannelId channel{};
  std::uint32_t before = 0;  // of ForecastQuery::thinnings
  std::uint32_t after = 0;
  static auto fields(auto& s) { return std::tie(s.channel, s.before, s.after); }
};

struct ForecastQuery {
  std::vector<Thinning> thinnings;
  std::vector<ForecastRow> rows;
  static auto fields(auto& s) { return std::tie(s.thinnings, s.rows); }
};

struct ForecastOf {
  Rate seen;
  Rate before;
  Rate after;
  static auto fields(auto& s) { return std::tie(s.seen, s.before, s.after); }
};

struct Forecast {
  std::vector<ForecastOf> rows;  // as asked
  Duration measured{0};
  static auto fields(auto& s) { return std::tie(s.rows, s.measured); }
};

struct RatesQuery {
  std::vector<ChannelId> channels;  // empty: the noisiest
  std::uint32_t limit = 20;
  static auto fields(auto& s) { return std::tie(s.channels, s.limit); }
};

struct ChannelRate {
  ChannelId channel{};
  std::string address;
  Rate seen;
  Rate archived;
  std::string policy;    // that decides
  bool guarded = false;  // the storage guard thins it
  static auto fields(auto& s) {
    return std::tie(s.channel, s.address, s.seen, s.archived, s.policy, s.guarded);
  }
};

struct Rates {
  std::vector<ChannelRate> channels;  // most archived bytes first, or as asked
  Rate seen;                          // of all channels of the monitor
  Rate archived;
  std::uint32_t channel_count = 0;
  Duration measured{0};
  static auto fields(auto& s) {
    return std::tie(s.channels, s.seen, s.archived, s.channel_count, s.measured);
  }
};

}  // namespace tidemark::model::api
