// journal/memory_store.h
//
// A Store that forgets at destruction. For tests, and for a look at what a file would hold.

#pragma once

#include <deque>
#include <functional>
#include <mutex>

#include "journal/store.h"
#include "journal/store_index.h"

namespace tidemark::journal {

class MemoryStore final : public Store {
 public:
  explicit MemoryStore(StoreLimits limits = {}, std::function<UtcTime()> clock = utc_now)
      : limits_(limits), clock_(std::move(clock)) {}

  Result<Appended> append(std::span<const InspectedSection> sections) override;
  Result<Unit> scan(Line from, const BlockFilter& filter,
                    const std::function<bool(Block&)>& visit) const override;
  Result<Unit> scan_back(Line from, const BlockFilter& filter,
                         const std::function<bool(Block&)>& visit) const override;
  Line last() const override { return index_.last(); }
  Result<Line> line_at(UtcTime time) const override;
  std::optional<OriginMark> mark_of(const Uuid& origin) const override {
    return index_.mark_of(origin);
  }
  std::size_t channel_count() const override { return index_.channel_count(); }
  std::vector<std::pair<model::ChannelId, std::string>> channels() const override {
    return index_.channels();
  }
  std::optional<std::string> address_of(model::ChannelId channel) const override {
    return index_.address_of(channel);
  }

 private:
  /// Position in blocks_ of the block that holds `line`, or of the end.
  std::size_t find(Line line) const;

  const StoreLimits limits_;
  const std::function<UtcTime()> clock_;
  StoreIndex index_;

  mutable std::mutex mutex_;
  // Guarded by mutex_. Blocks never change once they are in.
  std::deque<Block> blocks_;
};

}  // namespace tidemark::journal
