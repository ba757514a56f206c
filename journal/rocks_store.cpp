#include "journal/rocks_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/table.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <cstdarg>
#include <filesystem>
#include <utility>

#include "journal/block_codec.h"
#include "journal/owner_lock.h"
#include "journal/rocks_log.h"
#include "journal/rocks_projection_table.h"
#include "journal/store_index.h"
#include "journal/witness_thread.h"

namespace tidemark::journal {
namespace {

constexpr const char* kFormatKey = "format";
constexpr const char* kFormat = "1";
constexpr std::size_t kMarkBytes = 28;

rocksdb::Slice slice(BytesView bytes) { return {bytes.data(), bytes.size()}; }
BytesView view(const rocksdb::Slice& bytes) { return {bytes.data(), bytes.size()}; }

Bytes mark_key(const Uuid& origin) {
  Bytes key = "o/";
  key.append(reinterpret_cast<const char*>(origin.bytes.data()), origin.bytes.size());
  return key;
}

Bytes mark_value(const OriginMark& mark) {
  Bytes value;
  append_le(value, mark.incarnation);
  append_le(value, mark.sequence);
  append_le(value, static_cast<std::int64_t>(mark.recorded_at.time_since_epoch().count()));
  append_le(value, raw(mark.line));
  return value;
}

Bytes channel_key(std::uint32_t channel) {
  Bytes key = "c/";
  append_be(key, channel);
  return key;
}

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

/// Read again and again, a key at a time, unlike the log.
rocksdb::ColumnFamilyOptions projection_options(const std::shared_ptr<rocksdb::Cache>& cache) {
  auto family = family_options(32u << 20, cache);
  family.compaction_pri = rocksdb::kOldestLargestSeqFirst;  // segments are written in order
  return family;
}

std::vector<rocksdb::ColumnFamilyDescriptor> families() {
  const auto cache = rocksdb::NewLRUCache(32u << 20);
  return {{rocksdb::kDefaultColumnFamilyName, family_options(1u << 20, cache)},
          {"log", family_options(64u << 20, cache)},
          {"meta", family_options(4u << 20, cache)},
          {"projections", projection_options(cache)}};
}

class SilentLogger final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

/// A database and its families, closed together.
struct Database {
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;

  Database() = default;
  Database(Database&& other) noexcept
      : db(std::move(other.db)), handles(std::exchange(other.handles, {})) {}
  Database& operator=(Database&&) = delete;
  ~Database() {
    for (auto* handle : handles) db->DestroyColumnFamilyHandle(handle);
  }
  rocksdb::ColumnFamilyHandle* family(const std::string& name) const {
    const auto at = std::find_if(handles.begin(), handles.end(),
                                 [&](auto* handle) { return handle->GetName() == name; });
    return at == handles.end() ? nullptr : *at;
  }
};

constexpr const char* kAdvice =
    "Nothing was changed. Keep a copy of the directory; then put a backup in its place, or move it "
    "away to go on with an empty journal.";

Error open_error(const std::string& directory, const rocksdb::Status& status) {
  const std::string text = "journal: cannot open " + directory + ": " + status.ToString();
  if (status.IsIOError() && !status.IsNoSpace() &&
      text.find("lock") != std::string::npos) {  // RocksDB has no code for it.
    return Error{Code::kConflict, text};
  }
  if (status.IsIOError()) return Error{Code::kUnavailable, text};
  return Error{Code::kCorruption, text + ". " + kAdvice};
}

/// Without a trace on the disk; empty when there is no database yet.
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

Error lost(const std::string& directory, const std::string& what) {
  return Error{Code::kCorruption, "journal: " + directory + ": " + what + " " + kAdvice};
}

/// The database must hold what the witness saw, and end in a sound block that follows its
/// predecessor.
Result<Tail> check(const RocksStoreOptions& options, const Database& database,
                   const std::optional<Witnessed>& witnessed) {
  auto* family = database.family("log");
  Tail tail;
  if (family != nullptr) {
    const auto found = RocksLog(database.db.get(), family).tail();
    if (!found) return lost(options.directory, found.error().message + ".");
    tail = found.value();
  }
  if (!witnessed || witnessed->last == Line{0}) return tail;
  if (tail.last < witnessed->last) {
    return lost(options.directory,
                "lines " + std::to_string(raw(tail.last) + 1) + " to " +
                    std::to_string(raw(witnessed->last)) +
                    " were acknowledged and are missing (the witness knows them).");
  }
  const auto head = RocksLog(database.db.get(), family).digest_of(witnessed->last);
  if (!head) return lost(options.directory, head.error().message + ".");
  if (head.value() != witnessed->head) {
    return lost(options.directory, "the block that ends with line " +
                                       std::to_string(raw(witnessed->last)) +
                                       " is not the one that was acknowledged.");
  }
  return tail;
}

class RocksStore final : public Store, public std::enable_shared_from_this<RocksStore> {
 public:
  RocksStore(RocksStoreOptions options, OwnerLock lock, Database database,
             std::unique_ptr<WitnessFile> witness)
      : options_(std::move(options)),
        lock_(std::move(lock)),
        database_(std::move(database)),
        meta_(database_.family("meta")),
        log_(database_.db.get(), database_.family("log")),
        witness_(std::move(witness), [this] { return sync_wal(); }) {}

  Result<Unit> load(const Tail& tail);
  std::shared_ptr<ProjectionTable> projections() {
    return std::make_shared<RocksProjectionTable>(
        database_.db.get(), database_.family("projections"), shared_from_this());
  }

  Result<Appended> append(std::span<const InspectedSection> sections) override;
  Result<Unit> scan(Line from, const BlockFilter& filter,
                    const std::function<bool(Block&)>& visit) const override {
    return log_.scan(from, last(), filter, visit);
  }
  Result<Unit> scan_back(Line from, const BlockFilter& filter,
                         const std::function<bool(Block&)>& visit) const override {
    return log_.scan_back(std::min(from, last()), filter, visit);
  }
  Line last() const override { return index_.last(); }
  Result<Line> line_at(UtcTime time) const override { return log_.line_at(time, last()); }
  std::optional<OriginMark> mark_of(const Uuid& origin) const override {
    return index_.mark_of(origin);
  }
  std::size_t channel_count() const override { return index_.channel_count(); }
  std::vector<std::pair<model::ChannelId, std::string>> channels() const override {
    return index_.channels();
  }
  std::optional<std::string> address_of(model::ChannelId channel) const override {
    return index_.address_of(channel);
  }

 private:
  Error disk_full(const rocksdb::Status& status);
  bool sync_wal();

  // Constant after construction.
  const RocksStoreOptions options_;
  const OwnerLock lock_;
  const Database database_;
  rocksdb::ColumnFamilyHandle* const meta_;
  const RocksLog log_;

  // Only in append().
  Digest head_{};  // of the last block
  bool no_space_ = false;

  // Any thread.
  StoreIndex index_;
  std::atomic<bool> failed_ = false;

  WitnessThread witness_;  // Last: it stops before anything that it uses is gone.
};

Result<Unit> RocksStore::load(const Tail& tail) {
  index_.restore(tail.last, tail.recorded_at);
  head_ = tail.head;
  witness_.restore(tail.last, tail.head);
  std::string format;
  auto status = database_.db->Get({}, meta_, kFormatKey, &format);
  if (status.IsNotFound()) {
    rocksdb::WriteOptions synced;
    synced.sync = true;
    status = database_.db->Put(synced, meta_, kFormatKey, kFormat);
    if (!status.ok()) return open_error(options_.directory, status);
  } else if (!status.ok()) {
    return open_error(options_.directory, status);
  } else if (format != kFormat) {
    return lost(options_.directory, "format " + format + ", written by a later version.");
  }
  std::vector<Uuid> forgotten;
  const std::unique_ptr<rocksdb::Iterator> it(database_.db->NewIterator({}, meta_));
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    const auto key = view(it->key());
    const auto value = view(it->value());
    if (key.starts_with("c/") && key.size() == 6) {
      index_.restore(model::ChannelId{read_be<std::uint32_t>(key, 2)}, std::string(value));
    } else if (key.starts_with("o/") && key.size() == 18 && value.size() == kMarkBytes) {
      Uuid origin;
      std::copy_n(key.data() + 2, origin.bytes.size(),
                  reinterpret_cast<char*>(origin.bytes.data()));
      const OriginMark mark{read_le<std::uint32_t>(value, 0), read_le<std::uint64_t>(value, 4),
                            UtcTime{Duration{read_le<std::int64_t>(value, 12)}},
                            Line{read_le<std::uint64_t>(value, 20)}};
      if (is_forgotten(mark.incarnation, mark.recorded_at, options_.clock())) {
        forgotten.push_back(origin);
      } else {
        index_.restore(origin, mark);
      }
    } else if (key != kFormatKey) {
      return lost(options_.directory, "an entry that nobody wrote among the marks.");
    }
  }
  if (!it->status().ok()) return open_error(options_.directory, it->status());
  for (const auto& origin : forgotten) {
    status = database_.db->Delete({}, meta_, slice(mark_key(origin)));
    if (!status.ok()) return open_error(options_.directory, status);
  }
  return Unit{};
}

Result<Appended> RocksStore::append(std::span<const InspectedSection> sections) {
  if (failed_) {
    return Error{Code::kFailed, "journal: the disk failed before; " + options_.directory +
                                    " must be opened again"};
  }
  auto plan = index_.plan(sections, options_.limits, options_.clock());
  if (!plan) return plan.error();
  if (no_space_) {
    // RocksDB refuses writes after a full disk until it has written out what it holds in memory.
    // It tries that itself every five seconds, and then answers kBusy to this; otherwise it has
    // to be told.
    const auto resumed = database_.db->Resume();
    if (!resumed.ok() && !resumed.IsBusy()) return disk_full(resumed);
  }

  const Appended appended = plan.value().appended;
  const Bytes block = encode_block(appended.first, appended.recorded_at, head_, sections);
  rocksdb::WriteBatch batch(block.size() + 4096);
  auto status = batch.Put(log_.family(), slice(line_key(appended.first)), slice(block));
  for (const auto& [origin, mark] : plan.value().marks) {
    if (status.ok()) status = batch.Put(meta_, slice(mark_key(origin)), slice(mark_value(mark)));
  }
  for (const auto& [channel, address] : plan.value().defined) {
    if (status.ok()) status = batch.Put(meta_, slice(channel_key(channel)), slice(address));
  }
  TIDEMARK_CHECK(status.ok());  // A batch in memory has no reason to refuse.

  rocksdb::WriteOptions how;
  how.sync = options_.sync == SyncMode::kBatch;
  status = database_.db->Write(how, &batch);
  if (status.IsNoSpace()) return disk_full(status);
  if (!status.ok()) {
    failed_ = true;
    return Error{Code::kFailed, "journal: " + options_.directory + ": " + status.ToString()};
  }
  if (std::exchange(no_space_, false)) {
    spdlog::info("journal: {}: there is room again", options_.directory);
  }
  head_ = block_digest(block);
  index_.apply(std::move(plan).value());
  witness_.saw(appended.last, head_);
  return appended;
}

Error RocksStore::disk_full(const rocksdb::Status& status) {
  no_space_ = true;
  return {Code::kUnavailable,
          "journal: disk full: " + options_.directory + ": " + status.ToString()};
}

/// On the witness's thread. False: the witness must not say that the lines are durable.
bool RocksStore::sync_wal() {
  if (options_.sync == SyncMode::kBatch) return true;
  const auto status = database_.db->SyncWAL();
  if (status.ok()) return true;
  if (status.IsNoSpace()) return false;  // What waits is in memory too, and written when there is.
  if (!failed_.exchange(true)) {
    spdlog::error("journal: {}: {}", options_.directory, status.ToString());
  }
  return false;
}

}  // namespace

namespace {

Result<std::unique_ptr<RocksStore>> open_store(RocksStoreOptions options) {
  const auto& limits = options.limits;
  if (limits.block_sections_max > kBlockSectionsMax ||
      std::uint64_t{limits.block_bytes_max} +
              std::uint64_t{limits.block_sections_max} * kSectionHeaderBytes >
          kBlockRawBytesMax) {
    return Error{Code::kInvalidArgument, "journal: limits above what a block can hold"};
  }
  const auto path = options.directory + "/db";
  std::error_code failure;
  std::filesystem::create_directories(path, failure);
  if (failure) {
    return Error{Code::kUnavailable,
                 "journal: cannot make " + options.directory + ": " + failure.message()};
  }
  auto lock = OwnerLock::take(options.directory);
  if (!lock) return lock.error();

  // RocksDB changes files as it opens them to write: it drops the tail of a log that it could
  // not read. So what is there is looked at first, without a trace.
  const auto witness_path = options.directory + "/witness";
  const auto witnessed = read_witness(witness_path);
  if (!witnessed) return witnessed.error();
  {
    const auto before = open_to_read(options, path);
    if (!before) return before.error();
    const Database none;
    const auto& database = before.value() ? *before.value() : none;
    const auto checked = check(options, database, witnessed.value());
    if (!checked) return checked.error();
    if (!witnessed.value() && checked.value().last != Line{0}) {
      spdlog::warn(
          "journal: {}: no witness; that all acknowledged lines up to {} are here is not "
          "proven",
          options.directory, raw(checked.value().last));
    }
  }
  auto database = open_to_write(options, path);
  if (!database) return database.error();
  const auto tail = check(options, database.value(), witnessed.value());
  if (!tail) return tail.error();
  auto witness = WitnessFile::open(witness_path);
  if (!witness) return witness.error();

  auto store =
      std::make_unique<RocksStore>(std::move(options), std::move(lock).value(),
                                   std::move(database).value(), std::move(witness).value());
  const auto loaded = store->load(tail.value());
  if (!loaded) return loaded.error();
  return store;
}

}  // namespace

Result<std::unique_ptr<Store>> open_rocks_store(RocksStoreOptions options) {
  auto store = open_store(std::move(options));
  if (!store) return store.error();
  return std::unique_ptr<Store>(std::move(store).value());
}

Result<RocksJournal> open_rocks_journal(RocksStoreOptions options) {
  auto opened = open_store(std::move(options));
  if (!opened) return opened.error();
  const std::shared_ptr<RocksStore> store = std::move(opened).value();
  return RocksJournal{store, store->projections()};
}

}  // namespace tidemark::journal
