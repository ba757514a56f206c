// journal/rocks_log.h
//
// Reads the family `log`: finds blocks by line and by time, walks them in either direction, and
// says which lines are damaged or missing.

#pragma once

#include <rocksdb/db.h>

#include <functional>
#include <memory>
#include <optional>

#include "journal/block_codec.h"

namespace tidemark::journal {

/// The key of a block: its first line, big-endian.
Bytes line_key(Line first);

/// The end of the log.
struct Tail {
  Line last{0};
  UtcTime recorded_at{};
  Digest head{};  // of the last block; zero when there is none
};

/// Where the log begins, when what was before it is in closed segments.
struct ClosedEnd {
  Line last{0};
  Digest block{};  // of the block that ended with it
};

/// Owns nothing. Threads: any number at once.
class RocksLog {
 public:
  RocksLog(rocksdb::DB* db, rocksdb::ColumnFamilyHandle* family) : db_(db), family_(family) {}
  rocksdb::ColumnFamilyHandle* family() const { return family_; }

  /// Errors: kCorruption  the last block is damaged, or does not follow the one before it; or the
  ///                      first one does not follow the closed segments.
  Result<Tail> tail(const std::optional<ClosedEnd>& closed = {}) const;

  /// The last line that anything in the log tells of, sound or not.
  Line end() const;

  /// Of the block that ends with `last`.
  /// Errors: kCorruption  no block ends there, or it cannot be read.
  Result<Digest> digest_of(Line last) const;

  /// As Store::scan; `end` is the last line that is durable.
  Result<Unit> scan(Line from, Line end, const BlockFilter& filter,
                    const std::function<bool(Block&)>& visit) const;
  /// As Store::scan_back; `from` is durable.
  Result<Unit> scan_back(Line from, const BlockFilter& filter,
                         const std::function<bool(Block&)>& visit) const;
  /// As Store::line_at, of the lines after `begin` up to `end`, which are blocks; `begin` when
  /// they are all later.
  Result<Line> line_at(UtcTime time, Line begin, Line end) const;

 private:
  std::unique_ptr<rocksdb::Iterator> iterate() const;
  Result<Unit> follows_closed(const ClosedEnd& closed) const;
  /// `at` stopped because of an error, and the line looked for was `line`.
  Error unreadable(const rocksdb::Iterator& at, Line line, Line end) const;
  /// The last line before the first one behind `bad` that can be read; `end` when there is none.
  Line last_unreadable(Line bad, Line end) const;
  /// The header of the block at `at`, which must be valid.
  Result<BlockHeader> header_at(const rocksdb::Iterator& at) const;

  rocksdb::DB* db_;
  rocksdb::ColumnFamilyHandle* family_;
};

}  // namespace tidemark::journal
