// catalog/store.h
//
// Where the keeper keeps what people defined and asked for: keys and values, written in
// atomic, durable groups. What the bytes mean is catalog/catalog.h's business.
//
//   Store (this file)      the contract
//   MemoryStore            the contract in RAM: tests
//   RocksStore             the contract on RocksDB

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace tidemark::catalog {

struct Write {
  std::string key;
  std::optional<Bytes> value;  // empty: delete
};

class Store {
 public:
  virtual ~Store() = default;

  /// All of `writes` or none of them.
  /// Durability  on return they survive power loss.
  /// Blocking    for one disk flush.
  /// Threads     any; one at a time.
  /// Errors      kUnavailable  disk full; nothing written, may be repeated.
  ///             kFailed       unknown what was kept; every later commit() answers kFailed.
  virtual Result<Unit> commit(const std::vector<Write>& writes) = 0;

  /// Empty when there is no such key. Errors: kCorruption.
  virtual Result<std::optional<Bytes>> get(std::string_view key) const = 0;

  /// Keys that begin with `prefix`, in byte order, until `visit` returns false: those of one
  /// moment, whatever is committed meanwhile. Threads: any. Errors: kCorruption.
  virtual Result<Unit> scan(
      std::string_view prefix,
      const std::function<bool(std::string_view key, BytesView value)>& visit) const = 0;
};

}  // namespace tidemark::catalog
