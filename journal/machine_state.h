// journal/machine_state.h
//
// What every channel was at one line: its last value, whether it was connected, and which lines
// say so. Dense by channel number. A plain value.

#pragma once

#include <memory>
#include <vector>

#include "journal/store.h"
#include "model/live_table.h"
#include "model/pv_update.h"

namespace tidemark::journal {

struct ChannelState {
  model::LiveState state = model::LiveState::kNeverConnected;
  model::Alarm alarm;
  UtcTime taken_at{};    // IOC clock, of the value
  model::PvValue value;  // none until the first value
  Line value_line{0};    // 0: none yet
  Line link_line{0};     // of the last connection or disconnection; 0: none yet
  std::shared_ptr<const model::PvMeta> meta;  // null until the first connection

  /// Nothing was ever said about it.
  bool empty() const { return value_line == Line{0} && link_line == Line{0}; }
  Line last_line() const { return std::max(value_line, link_line); }
};
/// NaN equals NaN; meta by content.
bool operator==(const ChannelState& a, const ChannelState& b);

class MachineState {
 public:
  void apply(Line line, const model::PvUpdate& update);
  /// A row of a keyframe.
  void set(model::ChannelId channel, ChannelState state);

  /// Null for a channel that nobody said anything about.
  const ChannelState* find(model::ChannelId channel) const {
    return raw(channel) < rows_.size() && !rows_[raw(channel)].empty() ? &rows_[raw(channel)]
                                                                       : nullptr;
  }
  /// Highest channel number + 1.
  std::uint32_t size() const { return static_cast<std::uint32_t>(rows_.size()); }
  void clear() { rows_.clear(); }

 private:
  std::vector<ChannelState> rows_;  // by channel number; 0 is nobody
};

/// Channels of it (`only`: sorted; null: all) as updates, which applied to an empty live table make
/// it what the machine was. In groups of at most `group_max` updates and some 4 MiB.
std::vector<std::vector<model::PvUpdate>> as_updates(const MachineState& state,
                                                     const std::vector<model::ChannelId>* only,
                                                     std::size_t group_max);

/// The rows of channels `begin` to `end - 1`, without meta, which changes too rarely to be
/// repeated. At most kShardChannels.
inline constexpr std::uint32_t kShardChannels = 4096;
Bytes encode_shard(const MachineState& state, std::uint32_t begin, std::uint32_t end);
/// Sets the rows. Errors: kCorruption.
Result<Unit> decode_shard(BytesView bytes, MachineState& state);

}  // namespace tidemark::journal
