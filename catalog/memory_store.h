// catalog/memory_store.h
//
// The Store in RAM: what a test writes is gone with it. Its commits can be made to fail.

#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "catalog/store.h"

namespace tidemark::catalog {

class MemoryStore final : public Store {
 public:
  Result<Unit> commit(const std::vector<Write>& writes) override;
  Result<std::optional<Bytes>> get(std::string_view key) const override;
  Result<Unit> scan(
      std::string_view prefix,
      const std::function<bool(std::string_view key, BytesView value)>& visit) const override;

  /// From now on commit() answers this and writes nothing; empty: it works again.
  void refuse_commits(std::optional<Error> error);
  /// How many commits have written something.
  std::size_t commits() const;

 private:
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::map<std::string, Bytes, std::less<>> entries_;
  std::optional<Error> refusal_;
  std::size_t commits_ = 0;
};

}  // namespace tidemark::catalog
