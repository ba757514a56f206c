#include "catalog/memory_store.h"

namespace tidemark::catalog {

Result<Unit> MemoryStore::commit(const std::vector<Write>& writes) {
  const std::lock_guard lock(mutex_);
  if (refusal_) return *refusal_;
  for (const auto& write : writes) {
    if (write.value) {
      entries_[write.key] = *write.value;
    } else {
      entries_.erase(write.key);
    }
  }
  ++commits_;
  return Unit{};
}

Result<std::optional<Bytes>> MemoryStore::get(std::string_view key) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end()) return std::optional<Bytes>{};
  return std::optional<Bytes>{found->second};
}

Result<Unit> MemoryStore::scan(
    std::string_view prefix,
    const std::function<bool(std::string_view key, BytesView value)>& visit) const {
  const std::lock_guard lock(mutex_);
  for (auto at = entries_.lower_bound(prefix); at != entries_.end(); ++at) {
    if (std::string_view(at->first).substr(0, prefix.size()) != prefix) break;
    if (!visit(at->first, at->second)) break;
  }
  return Unit{};
}

void MemoryStore::refuse_commits(std::optional<Error> error) {
  const std::lock_guard lock(mutex_);
  refusal_ = std::move(error);
}

std::size_t MemoryStore::commits() const {
  const std::lock_guard lock(mutex_);
  return commits_;
}

}  // namespace tidemark::catalog
