#include "catalog/rocks_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <filesystem>
#include <mutex>

namespace tidemark::catalog {
namespace {

constexpr std::size_t kBlockCacheBytes = 8u << 20;    // the Catalog has it all in memory
constexpr std::size_t kWriteBufferBytes = 16u << 20;  // a snapshot of 40 000 PVs is some 10 MB
constexpr std::uint64_t kBlobBytesMin = 64u << 10;    // above: snapshots
constexpr std::uintmax_t kSpareBytes = 64u << 20;     // that must stay free after a commit

rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }

rocksdb::Options options() {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(kBlockCacheBytes);
  rocksdb::Options options;
  options.create_if_missing = true;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.write_buffer_size = kWriteBufferBytes;
  options.compression = rocksdb::kZSTD;
  options.enable_blob_files = true;
  options.min_blob_size = kBlobBytesMin;
  options.blob_compression_type = rocksdb::kZSTD;
  options.enable_blob_garbage_collection = true;
  options.max_background_jobs = 2;
  options.max_open_files = 64;
  options.max_total_wal_size = 4 * kWriteBufferBytes;
  options.info_log_level = rocksdb::WARN_LEVEL;
  options.keep_log_file_num = 2;
  options.max_log_file_size = 1u << 20;
  return options;
}

Error reading_failed(const rocksdb::Status& status, std::string_view what) {
  return Error{Code::kCorruption,
               "catalog: reading " + std::string(what) + ": " + status.ToString()};
}

class RocksStore final : public Store {
 public:
  RocksStore(std::string directory, std::unique_ptr<rocksdb::DB> db)
      : directory_(std::move(directory)), db_(std::move(db)) {}

  Result<Unit> commit(const std::vector<Write>& writes) override {
    const std::lock_guard lock(mutex_);
    if (failed_) return broken();
    rocksdb::WriteBatch batch;
    for (const auto& write : writes) {
      if (write.value) {
        batch.Put(slice(write.key), slice(*write.value));
      } else {
        batch.Delete(slice(write.key));
      }
    }
    // A write that runs into a full disk may leave a part of itself behind, and then nobody knows
    // what a later open() finds. So look first.
    std::error_code unknown;
    const auto space = std::filesystem::space(directory_, unknown);
    if (!unknown && space.available < kSpareBytes + 2 * batch.GetDataSize()) {
      return Error{Code::kUnavailable, "catalog: the disk of '" + directory_ + "' is full: " +
                                           std::to_string(space.available >> 20) + " MiB are left"};
    }
    rocksdb::WriteOptions options;
    options.sync = true;
    const auto status = db_->Write(options, &batch);
    if (!status.ok()) {
      failed_ = status.ToString();
      return broken();
    }
    return Unit{};
  }

  Result<std::optional<Bytes>> get(std::string_view key) const override {
    std::string value;
    const auto status = db_->Get(rocksdb::ReadOptions(), slice(key), &value);
    if (status.IsNotFound()) return std::optional<Bytes>{};
    if (!status.ok()) return reading_failed(status, key.substr(0, 2));
    return std::optional<Bytes>{std::move(value)};
  }

  Result<Unit> scan(
      std::string_view prefix,
      const std::function<bool(std::string_view key, BytesView value)>& visit) const override {
    rocksdb::ReadOptions options;
    options.fill_cache = false;
    const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(options));
    for (at->Seek(slice(prefix)); at->Valid() && at->key().starts_with(slice(prefix)); at->Next()) {
      if (!visit(at->key().ToStringView(), at->value().ToStringView())) break;
    }
    if (!at->status().ok()) return reading_failed(at->status(), prefix);
    return Unit{};
  }

 private:
  Error broken() const {
    return Error{Code::kFailed, "catalog: writing in '" + directory_ + "': " + *failed_};
  }

  // Constant after construction.
  const std::string directory_;
  const std::unique_ptr<rocksdb::DB> db_;

  std::mutex mutex_;
  // Guarded by mutex_.
  std::optional<std::string> failed_;
};

Error opening_failed(const rocksdb::Status& status, const std::string& directory) {
  const auto what = status.ToString();
  // RocksDB has no code of its own for it. Both of its messages, for a holder in this process
  // and for one in another, have the word.
  const bool held = status.IsIOError() && (what.find("lock hold by") != std::string::npos ||
                                           what.find("While lock file") != std::string::npos);
  if (held) {
    return {Code::kConflict, "catalog: somebody holds '" + directory + "' already"};
  }
  const bool corrupt =
      status.IsCorruption() || status.IsNotSupported() || status.IsInvalidArgument();
  return {corrupt ? Code::kCorruption : Code::kUnavailable,
          "catalog: opening '" + directory + "': " + what};
}

}  // namespace

Result<std::unique_ptr<Store>> open_rocks_store(const std::string& directory) {
  std::error_code failure;
  std::filesystem::create_directories(directory, failure);
  if (failure) {
    return Error{Code::kUnavailable, "catalog: making '" + directory + "': " + failure.message()};
  }
  rocksdb::DB* opened = nullptr;
  const auto status = rocksdb::DB::Open(options(), directory, &opened);
  if (!status.ok()) return opening_failed(status, directory);
  return std::unique_ptr<Store>(
      std::make_unique<RocksStore>(directory, std::unique_ptr<rocksdb::DB>(opened)));
}

}  // namespace tidemark::catalog
