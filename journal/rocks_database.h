// journal/rocks_database.h
//
// The journal's RocksDB: its families and how they are kept, the ways to open it, and what is said
// when that fails. What lies in the families is not its business.

#pragma once

#include <rocksdb/db.h>
#include <rocksdb/env.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "journal/rocks_projection_table.h"
#include "journal/rocks_store.h"

namespace tidemark::journal {

/// A database and its families, closed together.
struct Database {
  std::unique_ptr<rocksdb::Env> env;  // its own; null: that of the options
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;

  Database() = default;
  Database(Database&& other) noexcept;
  Database& operator=(Database&&) = delete;
  ~Database();
  /// Null when it is not there: of a first open that was cut short.
  rocksdb::ColumnFamilyHandle* family(const std::string& name) const;
  TableFamilies table() const;
};

enum class Reading : std::uint8_t {
  kAlone,    // Nobody writes it. Damage is refused as when it is opened to write.
  kBeside,   // Somebody may write it meanwhile. What is seen is what was acknowledged before this
             // call, and maybe some more: always a beginning of the log, without a hole.
  kSalvage,  // Nobody writes it. As much as can be read: behind damage in the write-ahead log, and
             // without tables that are gone.
};

/// Without a trace on the disk. Empty when there is no database yet.
/// Errors: kCorruption   the database is damaged.
///         kUnavailable  it cannot be read; kBeside: it changed faster than it could be opened.
Result<std::optional<Database>> open_to_read(const RocksStoreOptions& options,
                                             Reading how = Reading::kAlone);

/// Makes what is not there. RocksDB changes files as it does: it drops the end of a write-ahead log
/// that it cannot read. With SyncMode::kInterval its write-ahead logs are ordered_logs.h.
/// Errors: as open_rocks_store().
Result<Database> open_to_write(const RocksStoreOptions& options);

/// Makes the list of tables anew, from the tables that are there. On a copy only: what contradicts
/// the rest may go.
/// Errors: kCorruption, kUnavailable.
Result<Unit> remake_manifest(const RocksStoreOptions& options);

/// What is in memory is written to tables first, so that projections, which go around the
/// write-ahead log, are in it.
rocksdb::Status make_checkpoint(rocksdb::DB& db, const std::string& path);

/// Whole files with nothing but keys from `begin` to before `end`, at once; with `rewrite` others
/// that have some of these keys are written anew, without what was removed.
rocksdb::Status drop_files(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family, const Bytes& begin,
                           const Bytes& end, bool rewrite);

std::string database_path(const RocksStoreOptions& options);

/// What to do about a damaged journal: the end of each message that says it is.
extern const char* const kCorruptionAdvice;
Error open_error(const std::string& directory, const rocksdb::Status& status);

}  // namespace tidemark::journal
