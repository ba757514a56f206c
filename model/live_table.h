// model/live_table.h
//
// The last that is known of every channel, dense by channel number. A plain value: who shares
// it between threads guards it. 50 000 channels take some 10 MiB.

#pragma once

#include <memory>
#include <vector>

#include "model/pv_update.h"

namespace tidemark::model {

/// Sent on the bus: never renumber.
enum class LiveState : std::uint8_t {
  kNeverConnected = 0,
  kConnected = 1,
  kDisconnected = 2,  // the value is the last one before
};
std::string_view to_string(LiveState state);  // "never connected", "connected", "disconnected"

struct LiveEntry {
  LiveState state = LiveState::kNeverConnected;
  Alarm alarm;
  std::uint32_t hidden = 0;            // updates that a full queue hid, in all
  UtcTime taken_at{};                  // IOC clock
  UtcTime received_at{};               // ours, of the last update or connection event
  PvValue value;                       // none until the first value
  std::shared_ptr<const PvMeta> meta;  // null until the first connection

  bool has_value() const { return value.index() != 0; }
};

class LiveTable {
 public:
  /// Channels from 1 to kChannelMax: what would need more memory is not a channel of ours.
  static constexpr std::uint32_t kChannelMax = 4'000'000;

  void apply(const PvUpdate& update, UtcTime received_at);
  /// Forgets everything.
  void reset();

  /// Null for a channel nobody said anything about.
  const LiveEntry* find(ChannelId channel) const;

  std::size_t connected() const { return connected_; }
  std::size_t with_value() const { return with_value_; }
  std::size_t size() const { return entries_.size(); }  // highest channel number + 1

  /// The whole table as updates, which applied to an empty table give this one again. In groups
  /// of at most `group_max` updates.
  std::vector<std::vector<PvUpdate>> as_updates(std::size_t group_max) const;

 private:
  std::vector<LiveEntry> entries_;  // by channel number; 0 is nobody
  std::size_t connected_ = 0;
  std::size_t with_value_ = 0;
};

}  // namespace tidemark::model
