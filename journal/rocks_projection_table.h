// journal/rocks_projection_table.h
//
// The ProjectionTable in the journal's column families: the first byte of a key says which
// (projection_keys.h). What is written while lines come goes around the write-ahead log: RocksDB
// keeps the order of writes within a family, so after a crash each holds a beginning of them. What
// closes a segment goes through it.

#pragma once

#include <rocksdb/db.h>

#include <memory>

#include "journal/projection_table.h"

namespace tidemark::journal {

/// One for what is derived, one for each class of records, and one for what holds these together.
/// Any may be null, in a database that was never opened to write: then it is empty.
struct TableFamilies {
  rocksdb::ColumnFamilyHandle* projections = nullptr;
  rocksdb::ColumnFamilyHandle* history = nullptr;
  rocksdb::ColumnFamilyHandle* segments = nullptr;
  rocksdb::ColumnFamilyHandle* kept = nullptr;
  rocksdb::ColumnFamilyHandle* log_messages = nullptr;
  rocksdb::ColumnFamilyHandle* kv_events = nullptr;

  rocksdb::ColumnFamilyHandle* of(BytesView key) const;
};

class RocksProjectionTable final : public ProjectionTable {
 public:
  /// `owner` keeps the database open. `sync_log`: lines may be read before they are durable, and
  /// what is derived of them must not be on the disk before they are.
  RocksProjectionTable(rocksdb::DB* db, TableFamilies families, std::shared_ptr<const void> owner,
                       bool sync_log = false)
      : db_(db), families_(families), owner_(std::move(owner)), sync_log_(sync_log) {}

  Result<Unit> write(const std::vector<KeyValue>& puts) override;
  /// Of what is derived. Chunks are flushed by flush_history(), some segments at a time.
  void flush() override;
  /// What is derived, and chunks of segments that are not closed.
  Result<Unit> clear() override;
  Result<Unit> scan(
      BytesView from, BytesView to,
      const std::function<bool(BytesView key, BytesView value)>& visit) const override;
  Result<std::optional<KeyValue>> last(BytesView from, BytesView to) const override;

  /// Durable on return.
  Result<Unit> write_synced(const std::vector<KeyValue>& puts);
  Result<Unit> flush_history();
  rocksdb::Status put(rocksdb::WriteBatch& batch, const KeyValue& put) const;
  rocksdb::Status remove(rocksdb::WriteBatch& batch, BytesView key) const;
  rocksdb::ColumnFamilyHandle* family_of(BytesView key) const { return families_.of(key); }

 private:
  Result<Unit> write(const std::vector<KeyValue>& puts, const rocksdb::WriteOptions& how);

  rocksdb::DB* const db_;
  const TableFamilies families_;
  const std::shared_ptr<const void> owner_;
  const bool sync_log_;
};

}  // namespace tidemark::journal
