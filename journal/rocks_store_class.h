// journal/rocks_store_class.h
//
// The store over RocksDB: the journal's lines, its marks, the segments that were closed, and the
// witness beside them. Made by the functions of rocks_store.h, which see to it that what lies in
// the directory is whole.
//
// Threads: as of Store and SegmentStore.

#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "journal/expiry.h"
#include "journal/owner_lock.h"
#include "journal/rocks_database.h"
#include "journal/rocks_inspection.h"
#include "journal/rocks_log.h"
#include "journal/rocks_meta.h"
#include "journal/rocks_projection_table.h"
#include "journal/rocks_proof.h"
#include "journal/rocks_store.h"
#include "journal/segment_reader.h"
#include "journal/store_index.h"
#include "journal/witness_thread.h"

namespace tidemark::journal {

class RocksStore final : public Store,
                         public SegmentStore,
                         public std::enable_shared_from_this<RocksStore> {
 public:
  /// With neither lock nor witness: opened to read.
  RocksStore(RocksStoreOptions options, std::optional<OwnerLock> lock, Database database,
             std::unique_ptr<WitnessFile> witness)
      : options_(std::move(options)),
        lock_(std::move(lock)),
        database_(std::move(database)),
        log_(database_.db.get(), database_.family("log")),
        table_(database_.db.get(), database_.table(), nullptr),
        segments_(table_, &expired_, options_.rows),
        meta_(database_.db.get(), database_.family("meta")) {
    if (!witness) return;
    std::optional<Uuid> boot;
    if (options_.sync == SyncMode::kInterval) boot = options_.boot;
    witness_.emplace(
        std::move(witness), [this] { return sync_wal(); }, boot);
  }

  /// Errors: of what lies in the family `meta`; what could be read of it counts all the same.
  Result<Unit> load(const Tail& tail);
  /// To write: `before` is what the witness knew. Lines that were told, and that a power cut may
  /// have taken, are written off.
  Result<Unit> begin(const Tail& tail, const std::optional<Witnessed>& before);
  std::shared_ptr<ProjectionTable> projections() {
    return std::make_shared<RocksProjectionTable>(database_.db.get(), database_.table(),
                                                  shared_from_this(),
                                                  options_.sync == SyncMode::kInterval);
  }

  Inspection inspect() const {
    Inspection seen{sizes_of(database_, options_.directory), index_.marks(), std::nullopt};
    const auto witnessed = read_witness(options_.directory + "/witness");
    if (witnessed && witnessed.value()) seen.witnessed = witnessed.value()->last;
    return seen;
  }

  Result<Witnessed> checkpoint(const std::string& path) const;

  Result<Appended> append(std::span<const InspectedSection> sections) override;
  Result<Unit> scan(Line from, const BlockFilter& filter,
                    const std::function<bool(Block&)>& visit) const override;
  Result<Unit> scan_back(Line from, const BlockFilter& filter,
                         const std::function<bool(Block&)>& visit) const override;
  Line last() const override { return index_.last(); }
  Result<Line> line_at(UtcTime time) const override;
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

  const Store& store() const override { return *this; }
  const ProjectionTable& table() const override { return table_; }
  Result<Unit> flush_chunks() override;
  Result<Unit> put(const std::vector<KeyValue>& pieces) override {
    return table_.write_synced(pieces);
  }
  Result<Unit> close(const SegmentHeader& header) override;
  Result<Appended> expire(const Expiry& expiry) override;
  void reclaim(RecordClass of) override;
  std::shared_ptr<const ExpiredRuns> expired() const override { return expired_.get(); }
  Result<Digest> block_digest(Line last) const override { return log_.digest_of(last); }

 private:
  Result<Line> line_in_segments(UtcTime time, Line end) const;
  Line dropped_before(const SegmentHeader& header) const;
  /// `more` adds to the batch, which is synced then; null: nothing. With append_mutex_.
  Result<Appended> commit(std::span<const InspectedSection> sections, const StoreLimits& limits,
                          const std::function<void(rocksdb::WriteBatch&)>& more);
  void give_back(RecordClass of, const ExpiredRun& run, bool rewrite) const;
  Error disk_full(const rocksdb::Status& status);
  Error disk_failed(const rocksdb::Status& status);
  bool sync_wal();

  // Constant after construction.
  const RocksStoreOptions options_;
  const std::optional<OwnerLock> lock_;
  const Database database_;
  const RocksLog log_;
  RocksProjectionTable table_;
  ExpiredIndex expired_;
  const SegmentReader segments_;

  std::mutex append_mutex_;
  // Guarded by append_mutex_.
  RocksMeta meta_;
  Digest head_{};  // of the last block
  bool no_space_ = false;

  // Any thread.
  StoreIndex index_;
  std::atomic<bool> failed_ = false;

  // Last: it stops before anything that it uses is gone. Empty when opened to read.
  std::optional<WitnessThread> witness_;
};

}  // namespace tidemark::journal
