// journal/store_index.h
//
// What a Store knows without asking the disk: the last line, how far it has each origin, and
// what the channels are called. Also the rules of append(), which are the same for every Store:
//
//   plan()  what an append would do, or why not ─► the Store writes it ─► apply()
//
// Reads may overlap apply(); a read sees all of a plan or nothing of it.

#pragma once

#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "journal/store.h"

namespace tidemark::journal {

/// What one append() changes.
struct AppendPlan {
  Appended appended;
  std::unordered_map<Uuid, OriginMark> marks;              // those that move
  std::unordered_map<std::uint32_t, std::string> defined;  // channels that are new
};

class StoreIndex {
 public:
  /// Errors: as Store::append, kInvalidArgument and kConflict.
  /// Threads: the one that appends.
  Result<AppendPlan> plan(std::span<const InspectedSection> sections, const StoreLimits& limits,
                          UtcTime now) const;
  void apply(AppendPlan plan);

  /// While opening: as the disk has it.
  void restore(Line last, UtcTime recorded_at);
  void restore(const Uuid& origin, const OriginMark& mark) { marks_[origin] = mark; }
  void restore(model::ChannelId channel, std::string address) {
    addresses_[raw(channel)] = std::move(address);
  }

  Line last() const;
  std::optional<OriginMark> mark_of(const Uuid& origin) const;
  /// All of them, newest first.
  std::vector<std::pair<Uuid, OriginMark>> marks() const;
  std::size_t channel_count() const;
  std::vector<std::pair<model::ChannelId, std::string>> channels() const;
  std::optional<std::string> address_of(model::ChannelId channel) const;

 private:
  mutable std::shared_mutex mutex_;
  // Written under mutex_ by the thread that appends, which may read without it.
  Line last_{0};
  UtcTime recorded_at_{};
  std::unordered_map<Uuid, OriginMark> marks_;
  std::size_t short_lived_ = 0;  // that came since some were forgotten
  std::unordered_map<std::uint32_t, std::string> addresses_;
};

}  // namespace tidemark::journal
