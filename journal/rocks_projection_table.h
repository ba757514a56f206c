// journal/rocks_projection_table.h
//
// The ProjectionTable in one column family, written without the write-ahead log: RocksDB keeps
// the order of writes within a family, so after a crash it holds a beginning of them.

#pragma once

#include <rocksdb/db.h>

#include <memory>

#include "journal/projection_table.h"

namespace tidemark::journal {

class RocksProjectionTable final : public ProjectionTable {
 public:
  /// `owner` keeps the database open.
  RocksProjectionTable(rocksdb::DB* db, rocksdb::ColumnFamilyHandle* family,
                       std::shared_ptr<const void> owner)
      : db_(db), family_(family), owner_(std::move(owner)) {}

  Result<Unit> write(const std::vector<KeyValue>& puts) override;
  void flush() override;
  Result<Unit> clear() override;
  Result<Unit> scan(
      BytesView from, BytesView to,
      const std::function<bool(BytesView key, BytesView value)>& visit) const override;
  Result<std::optional<KeyValue>> last(BytesView from, BytesView to) const override;

 private:
  rocksdb::DB* const db_;
  rocksdb::ColumnFamilyHandle* const family_;
  const std::shared_ptr<const void> owner_;
};

}  // namespace tidemark::journal
