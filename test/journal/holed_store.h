// test/journal/holed_store.h
//
// A store in RAM that cannot read some of its lines.

#pragma once

#include <utility>
#include <vector>

#include "journal/damage.h"
#include "journal/memory_store.h"

namespace tidemark::journal {

class HoledStore final : public Store {
 public:
  explicit HoledStore(std::vector<LineRange> holes) : holes_(std::move(holes)) {}

  Result<Appended> append(std::span<const InspectedSection> sections) override {
    return inner_.append(sections);
  }
  Result<Unit> scan(Line from, const BlockFilter& filter,
                    const std::function<bool(Block&)>& visit) const override {
    Result<Unit> result = Unit{};
    const auto scanned = inner_.scan(from, filter, [&](Block& block) {
      for (const auto& hole : holes_) {
        if (block.first < hole.first || block.first > hole.last) continue;
        result = damaged(hole, "a hole");
        return false;
      }
      return visit(block);
    });
    return scanned ? result : scanned;
  }
  Result<Unit> scan_back(Line from, const BlockFilter& filter,
                         const std::function<bool(Block&)>& visit) const override {
    return inner_.scan_back(from, filter, visit);
  }
  Line last() const override { return inner_.last(); }
  Result<Line> line_at(UtcTime time) const override { return inner_.line_at(time); }
  std::optional<OriginMark> mark_of(const Uuid& origin) const override {
    return inner_.mark_of(origin);
  }
  std::size_t channel_count() const override { return inner_.channel_count(); }
  std::vector<std::pair<model::ChannelId, std::string>> channels() const override {
    return inner_.channels();
  }
  std::optional<std::string> address_of(model::ChannelId channel) const override {
    return inner_.address_of(channel);
  }

 private:
  MemoryStore inner_;
  const std::vector<LineRange> holes_;
};

}  // namespace tidemark::journal
