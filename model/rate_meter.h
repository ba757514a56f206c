// model/rate_meter.h
//
// How much comes of each channel: two moving averages, exponentially weighted, one of the last ten
// seconds or so to act on, one of the last five minutes to plan with. Counting is two additions;
// the rest happens once a second. 28 bytes a channel: 50 000 take 1.4 MB.

#pragma once

#include <vector>

#include "model/api/policy.h"
#include "model/pv.h"

namespace tidemark::model {

class RateMeter {
 public:
  static constexpr Duration kLately = std::chrono::seconds(10);
  static constexpr Duration kUsually = std::chrono::minutes(5);

  void count(ChannelId channel, std::size_t bytes);

  /// What was counted came within `elapsed`. Call it about once a second. 0: nobody knows how long
  /// it took, and it counts for nothing.
  void turn(Duration elapsed);

  /// Takes over what `other` knows of the channel.
  void copy(ChannelId channel, const RateMeter& other);

  /// Of the last ten seconds. Rises from 0: one large update is no rate.
  api::Rate lately(ChannelId channel) const;
  /// Of the last five minutes, or since the channel's first update.
  api::Rate usually(ChannelId channel) const;

  std::uint32_t size() const { return static_cast<std::uint32_t>(entries_.size()); }

 private:
  struct Entry {
    std::uint32_t updates = 0;  // since the last turn
    std::uint32_t bytes = 0;    // likewise; at most 4 GiB
    float updates_lately = 0;   // a second
    float bytes_lately = 0;
    float updates_usually = 0;
    float bytes_usually = 0;
    float age = 0;  // seconds, up to ten times kUsually
  };
  Entry* entry_of(ChannelId channel);

  std::vector<Entry> entries_;  // by channel number
};

}  // namespace tidemark::model
