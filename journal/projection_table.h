// journal/projection_table.h
//
// Where derived things are kept: an ordered map from bytes to bytes. What is in it can be made
// again from the log, so it need not be durable at once; but what survives a crash is all that
// was written up to some moment, in order, and nothing of what came after.
//
//   MemoryProjectionTable   in RAM: tests
//   RocksProjectionTable    one column family of the journal's database
//
// Threads: one writes; any number read meanwhile.

#pragma once

#include <functional>
#include <map>
#include <optional>
#include <shared_mutex>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace tidemark::journal {

using KeyValue = std::pair<Bytes, Bytes>;

class ProjectionTable {
 public:
  virtual ~ProjectionTable() = default;

  /// All or nothing. Errors: kUnavailable disk full, may be repeated; kFailed the disk.
  virtual Result<Unit> write(const std::vector<KeyValue>& puts) = 0;
  /// What was written becomes durable soon.
  virtual void flush() = 0;
  /// Removes everything.
  virtual Result<Unit> clear() = 0;

  /// Calls `visit` for the keys in [from, to), in order, until it returns false.
  /// Errors: kCorruption, kUnavailable: the disk.
  virtual Result<Unit> scan(
      BytesView from, BytesView to,
      const std::function<bool(BytesView key, BytesView value)>& visit) const = 0;
  /// The last key in [from, to), with its value.
  virtual Result<std::optional<KeyValue>> last(BytesView from, BytesView to) const = 0;
};

class MemoryProjectionTable final : public ProjectionTable {
 public:
  Result<Unit> write(const std::vector<KeyValue>& puts) override;
  void flush() override {}
  Result<Unit> clear() override;
  Result<Unit> scan(
      BytesView from, BytesView to,
      const std::function<bool(BytesView key, BytesView value)>& visit) const override;
  Result<std::optional<KeyValue>> last(BytesView from, BytesView to) const override;

 private:
  mutable std::shared_mutex mutex_;
  std::map<Bytes, Bytes, std::less<>> entries_;  // guarded by mutex_
};

}  // namespace tidemark::journal
