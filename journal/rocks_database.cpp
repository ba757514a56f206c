#include "journal/rocks_database.h"

#include <rocksdb/cache.h>
#include <rocksdb/table.h>

#include <cstdarg>
#include <filesystem>

namespace tidemark::journal {
namespace {

rocksdb::DBOptions database_options(const RocksStoreOptions& options) {
  rocksdb::DBOptions db;
  if (options.env != nullptr) db.env = options.env;
  db.create_if_missing = true;
  db.create_missing_column_families = true;
  // The default mode opens with "OK" after a flipped bit and drops what came behind it.
  db.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  db.paranoid_checks = true;
  db.max_background_jobs = 2;
  db.max_total_wal_size = 128u << 20;  // bounds the time to open after a crash
  db.max_open_files = 256;             // 64 MiB each; more only cost memory
  db.bytes_per_sync = 1u << 20;        // write-back in small steps, so that a commit never waits
  db.wal_bytes_per_sync = 512u << 10;  // behind a large one
  db.keep_log_file_num = 4;
  db.max_log_file_size = 4u << 20;
  return db;
}

rocksdb::ColumnFamilyOptions family_options(std::size_t write_buffer_bytes,
                                            const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_size = 32u << 10;
  table.block_cache = cache;
  table.cache_index_and_filter_blocks = true;  // inside the cache's bound, not beside it
  rocksdb::ColumnFamilyOptions family;
  family.write_buffer_size = write_buffer_bytes;
  family.max_write_buffer_number = 2;
  family.compression = rocksdb::kNoCompression;  // blocks are packed already
  // Nothing is ever overwritten in the log: rewriting old files would be work for nothing.
  family.ttl = 0;
  family.periodic_compaction_seconds = 0;
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return family;
}

/// Closed segments are dropped from it soon, so merging two files leaves less than one.
rocksdb::ColumnFamilyOptions log_options(const std::shared_ptr<rocksdb::Cache>& cache) {
  auto family = family_options(64u << 20, cache);
  family.level0_file_num_compaction_trigger = 2;
  return family;
}

/// Read again and again, a key at a time, unlike the log.
rocksdb::ColumnFamilyOptions projection_options(const std::shared_ptr<rocksdb::Cache>& cache) {
  auto family = family_options(32u << 20, cache);
  family.compaction_pri = rocksdb::kOldestLargestSeqFirst;  // segments are written in order
  return family;
}

std::vector<rocksdb::ColumnFamilyDescriptor> families() {
  const auto cache = rocksdb::NewLRUCache(32u << 20);
  return {{rocksdb::kDefaultColumnFamilyName, family_options(1u << 20, cache)},
          {"log", log_options(cache)},
          {"meta", family_options(4u << 20, cache)},
          {"projections", projection_options(cache)},
          {"history", projection_options(cache)},
          {"segments", family_options(8u << 20, cache)},
          {"kept", family_options(8u << 20, cache)},
          {"log_messages", family_options(8u << 20, cache)},
          {"kv_events", family_options(8u << 20, cache)}};
}

class SilentLogger final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

}  // namespace

Error open_error(const std::string& directory, const rocksdb::Status& status) {
  const std::string text = "journal: cannot open " + directory + ": " + status.ToString();
  if (status.IsIOError() && !status.IsNoSpace() &&
      text.find("lock") != std::string::npos) {  // RocksDB has no code for it.
    return Error{Code::kConflict, text};
  }
  if (status.IsIOError()) return Error{Code::kUnavailable, text};
  return Error{Code::kCorruption, text + ". " + kAdvice};
}

Result<std::optional<Database>> open_to_read(const RocksStoreOptions& options,
                                             const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path + "/CURRENT", ignored)) return std::optional<Database>{};
  auto db_options = database_options(options);
  db_options.create_if_missing = false;
  db_options.create_missing_column_families = false;
  db_options.info_log = std::make_shared<SilentLogger>();
  std::vector<std::string> names;
  auto status = rocksdb::DB::ListColumnFamilies(db_options, path, &names);
  if (!status.ok()) return open_error(options.directory, status);
  // A first open that was cut short leaves a database without all of its families.
  auto wanted = families();
  std::erase_if(wanted, [&](const auto& family) {
    return std::find(names.begin(), names.end(), family.name) == names.end();
  });
  Database database;
  rocksdb::DB* db = nullptr;
  status = rocksdb::DB::OpenForReadOnly(db_options, path, wanted, &database.handles, &db);
  if (!status.ok()) return open_error(options.directory, status);
  database.db.reset(db);
  return std::optional<Database>(std::move(database));
}

Result<Database> open_to_write(const RocksStoreOptions& options, const std::string& path) {
  Database database;
  rocksdb::DB* db = nullptr;
  const auto status =
      rocksdb::DB::Open(database_options(options), path, families(), &database.handles, &db);
  if (!status.ok()) return open_error(options.directory, status);
  database.db.reset(db);
  return database;
}

}  // namespace tidemark::journal
