// model/recent_updates.h
//
// The numbers that came last, of all channels, 16 bytes each: what a deadband would have hidden can
// be tried on them, where a rate alone says nothing. Arrays and strings are not kept.

#pragma once

#include <unordered_map>
#include <vector>

#include "model/policy.h"
#include "model/pv_update.h"

namespace tidemark::model {

class RecentUpdates {
 public:
  static constexpr std::size_t kMax = 1u << 18;  // 4 MiB: 13 s of 20 000 updates a second

  void add(const PvUpdate& update);

  /// Of each of `thinnings` (by channel; only the deadband counts) the part of the channel's
  /// updates that it lets pass: 1 when too few came to say.
  std::unordered_map<ChannelId, double> passing(
      const std::unordered_map<ChannelId, Thinning>& thinnings) const;

 private:
  struct Number {
    ChannelId channel{};
    std::uint8_t type = 0;  // index of PvValue
    Alarm alarm;
    double number = 0;
  };
  std::vector<Number> ring_;
  std::size_t next_ = 0;
};

}  // namespace tidemark::model
