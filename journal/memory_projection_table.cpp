#include <mutex>

#include "journal/projection_table.h"

namespace tidemark::journal {

Result<Unit> MemoryProjectionTable::write(const std::vector<KeyValue>& puts) {
  const std::unique_lock lock(mutex_);
  for (const auto& [key, value] : puts) entries_.insert_or_assign(key, value);
  return Unit{};
}

Result<Unit> MemoryProjectionTable::clear() {
  const std::unique_lock lock(mutex_);
  entries_.clear();
  return Unit{};
}

Result<Unit> MemoryProjectionTable::scan(
    BytesView from, BytesView to,
    const std::function<bool(BytesView key, BytesView value)>& visit) const {
  const std::shared_lock lock(mutex_);
  for (auto at = entries_.lower_bound(from); at != entries_.end() && at->first < to; ++at) {
    if (!visit(at->first, at->second)) break;
  }
  return Unit{};
}

Result<std::optional<KeyValue>> MemoryProjectionTable::last(BytesView from, BytesView to) const {
  const std::shared_lock lock(mutex_);
  auto at = entries_.lower_bound(to);
  if (at == entries_.begin()) return std::optional<KeyValue>{};
  --at;
  if (at->first < from) return std::optional<KeyValue>{};
  return std::optional<KeyValue>(*at);
}

}  // namespace tidemark::journal
