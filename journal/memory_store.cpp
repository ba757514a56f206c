#include "journal/memory_store.h"

#include <algorithm>

#include "journal/block_codec.h"

namespace tidemark::journal {

Result<Appended> MemoryStore::append(std::span<const InspectedSection> sections) {
  auto plan = index_.plan(sections, limits_, clock_());
  if (!plan) return plan.error();
  const Appended appended = plan.value().appended;
  Block block;
  block.first = appended.first;
  block.count = static_cast<std::uint32_t>(raw(appended.last) - raw(appended.first) + 1);
  block.recorded_at = appended.recorded_at;
  for (const auto& each : sections) {
    block.kinds |= each.kinds();
    block.level = std::max(block.level, each.level());
    block.sections.push_back(each.section());
  }
  {
    const std::lock_guard lock(mutex_);
    blocks_.push_back(std::move(block));
  }
  index_.apply(std::move(plan).value());
  return appended;
}

std::size_t MemoryStore::find(Line line) const {
  const auto at = std::upper_bound(
      blocks_.begin(), blocks_.end(), line,
      [](Line value, const Block& each) { return raw(value) < raw(each.first) + each.count; });
  return static_cast<std::size_t>(at - blocks_.begin());
}

Result<Unit> MemoryStore::scan(Line from, const BlockFilter& filter,
                               const std::function<bool(Block&)>& visit) const {
  const Line end = std::min(last(), filter.last);
  if (std::max(from, Line{1}) > end) return Unit{};
  std::unique_lock lock(mutex_);
  for (auto at = find(from); at < blocks_.size(); ++at) {
    const Block& each = blocks_[at];
    if (each.first > end) break;
    if (!passes(filter, each.kinds, each.level, each.recorded_at)) continue;
    Block copy = each;
    leave_out(filter, copy);
    lock.unlock();  // The visitor may append.
    if (!visit(copy)) return Unit{};
    lock.lock();
  }
  return Unit{};
}

Result<Unit> MemoryStore::scan_back(Line from, const BlockFilter& filter,
                                    const std::function<bool(Block&)>& visit) const {
  const Line newest = std::min(last(), from);
  if (newest < std::max(filter.first, Line{1})) return Unit{};
  std::unique_lock lock(mutex_);
  for (auto at = find(newest) + 1; at-- > 0;) {
    const Block& each = blocks_[at];
    if (raw(each.first) + each.count - 1 < raw(filter.first)) break;
    if (!passes(filter, each.kinds, each.level, each.recorded_at)) continue;
    Block copy = each;
    leave_out(filter, copy);
    lock.unlock();
    if (!visit(copy)) return Unit{};
    lock.lock();
  }
  return Unit{};
}

Result<Line> MemoryStore::line_at(UtcTime time) const {
  const Line newest = last();
  const std::lock_guard lock(mutex_);
  const auto after =
      std::upper_bound(blocks_.begin(), blocks_.end(), time,
                       [](UtcTime value, const Block& each) { return value < each.recorded_at; });
  if (after == blocks_.begin()) return Line{0};
  const Block& block = *std::prev(after);
  return std::min(newest, Line{raw(block.first) + block.count - 1});
}

}  // namespace tidemark::journal
