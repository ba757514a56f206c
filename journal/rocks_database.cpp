#include "journal/rocks_database.h"

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "journal/ordered_logs.h"

namespace tidemark::journal {

const char* const kCorruptionAdvice =
    "Nothing was changed. `tidemark journal check` says what is damaged, and `tidemark journal "
    "repair` saves the rest of it into a copy. Or put a backup in its place, or move it away to go "
    "on with an empty journal.";

namespace {

/// Between two looks at the files a node wrote a table: rare, unless it is very busy.
constexpr int kOpensMax = 50;

class SilentLogger final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

/// What goes wrong in RocksDB, in our log. Its own file LOG is not written: when there is no room
/// for a line of it, RocksDB 7.8 as Debian builds it ends the process with an assertion.
class ErrorsLogger final : public rocksdb::Logger {
 public:
  explicit ErrorsLogger(std::string directory)
      : Logger(rocksdb::InfoLogLevel::ERROR_LEVEL), directory_(std::move(directory)) {}
  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    char text[512];
    std::vsnprintf(text, sizeof text, format, arguments);
    spdlog::warn("journal: {}: RocksDB: {}", directory_, text);
  }

 private:
  const std::string directory_;
};

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
  db.info_log = std::make_shared<ErrorsLogger>(options.directory);
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

/// Tables stay open as long as the database, so that it can be read when they are deleted: by
/// default a process may have 1024 files open, which is not much more than 60 GB of journal.
void allow_many_files() {
  struct rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

/// Changes whenever the set of live tables does. Only after that may files go.
std::string version_of(const std::string& path) {
  std::ifstream current(path + "/CURRENT");
  std::string manifest;
  std::getline(current, manifest);
  std::error_code failure;
  const auto bytes = std::filesystem::file_size(path + "/" + manifest, failure);
  return manifest + " " + (failure ? "" : std::to_string(bytes));
}

rocksdb::Status open_read_only(const rocksdb::DBOptions& options, const std::string& path,
                               Database& database) {
  std::vector<std::string> names;
  auto status = rocksdb::DB::ListColumnFamilies(options, path, &names);
  if (!status.ok()) return status;
  // A first open that was cut short leaves a database without all of its families.
  auto wanted = families();
  std::erase_if(wanted, [&](const auto& family) {
    return std::find(names.begin(), names.end(), family.name) == names.end();
  });
  rocksdb::DB* db = nullptr;
  status = rocksdb::DB::OpenForReadOnly(options, path, wanted, &database.handles, &db);
  database.db.reset(db);
  return status;
}

}  // namespace

Database::Database(Database&& other) noexcept
    : env(std::move(other.env)),
      db(std::move(other.db)),
      handles(std::exchange(other.handles, {})) {}

Database::~Database() {
  for (auto* handle : handles) db->DestroyColumnFamilyHandle(handle);
}

rocksdb::ColumnFamilyHandle* Database::family(const std::string& name) const {
  const auto at = std::find_if(handles.begin(), handles.end(),
                               [&](auto* handle) { return handle->GetName() == name; });
  return at == handles.end() ? nullptr : *at;
}

TableFamilies Database::table() const {
  return {family("projections"), family("history"),      family("segments"),
          family("kept"),        family("log_messages"), family("kv_events")};
}

std::string database_path(const RocksStoreOptions& options) { return options.directory + "/db"; }

Error open_error(const std::string& directory, const rocksdb::Status& status) {
  const std::string text = "journal: cannot open " + directory + ": " + status.ToString();
  if (status.IsIOError() && !status.IsNoSpace() &&
      text.find("lock") != std::string::npos) {  // RocksDB has no code for it.
    return Error{Code::kConflict, text};
  }
  if (status.IsIOError()) return Error{Code::kUnavailable, text};
  return Error{Code::kCorruption, text + ". " + kCorruptionAdvice};
}

Result<std::optional<Database>> open_to_read(const RocksStoreOptions& options, Reading how) {
  const auto path = database_path(options);
  std::error_code ignored;
  if (!std::filesystem::exists(path + "/CURRENT", ignored)) return std::optional<Database>{};
  auto db_options = database_options(options);
  db_options.create_if_missing = false;
  db_options.create_missing_column_families = false;
  db_options.info_log = std::make_shared<SilentLogger>();
  if (how == Reading::kSalvage) {
    db_options.paranoid_checks = false;
    db_options.wal_recovery_mode = rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords;
  }
  if (how == Reading::kBeside) {
    allow_many_files();
    db_options.max_open_files = -1;  // all of them now, and for good
  }
  for (int opens = 1;; ++opens) {
    // A write-ahead log goes when its lines are in a table. Between looking for tables and looking
    // for logs that would be a hole, so what was read counts when no table came meanwhile.
    const auto before = version_of(path);
    Database database;
    const auto status = open_read_only(db_options, path, database);
    const bool same = how != Reading::kBeside || version_of(path) == before;
    if (status.ok() && same) return std::optional<Database>(std::move(database));
    if (same) return open_error(options.directory, status);
    // Nor is it damaged when a table that came meanwhile took the place of another.
    if (opens == kOpensMax) {
      return Error{Code::kUnavailable, "journal: " + options.directory +
                                           " is written faster than it can be opened to read" +
                                           (status.ok() ? "" : ": " + status.ToString())};
    }
  }
}

Result<Database> open_to_write(const RocksStoreOptions& options) {
  Database database;
  auto db_options = database_options(options);
  if (options.sync == SyncMode::kInterval) {
    database.env = with_ordered_logs(options.env);
    db_options.env = database.env.get();
  }
  rocksdb::DB* db = nullptr;
  const auto status =
      rocksdb::DB::Open(db_options, database_path(options), families(), &database.handles, &db);
  if (!status.ok()) return open_error(options.directory, status);
  database.db.reset(db);
  return database;
}

Result<Unit> remake_manifest(const RocksStoreOptions& options) {
  auto db_options = database_options(options);
  db_options.info_log = std::make_shared<SilentLogger>();
  const auto status = rocksdb::RepairDB(database_path(options), db_options, families());
  if (!status.ok()) return open_error(options.directory, status);
  return Unit{};
}

rocksdb::Status drop_files(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family, const Bytes& begin,
                           const Bytes& end, bool rewrite) {
  const rocksdb::Slice from(begin);
  const rocksdb::Slice to(end);
  const auto status = rocksdb::DeleteFilesInRange(&db, family, &from, &to, false);
  if (!status.ok() || !rewrite) return status;
  rocksdb::CompactRangeOptions how;
  how.exclusive_manual_compaction = false;
  return db.CompactRange(how, family, &from, &to);
}

rocksdb::Status make_checkpoint(rocksdb::DB& db, const std::string& path) {
  rocksdb::Checkpoint* made = nullptr;
  auto status = rocksdb::Checkpoint::Create(&db, &made);
  if (!status.ok()) return status;
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  return checkpoint->CreateCheckpoint(path, 0);
}

}  // namespace tidemark::journal
