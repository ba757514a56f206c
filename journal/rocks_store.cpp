#include "journal/rocks_store.h"

#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <utility>

#include "journal/block_codec.h"
#include "journal/owner_lock.h"
#include "journal/rocks_database.h"
#include "journal/rocks_log.h"
#include "journal/rocks_projection_table.h"
#include "journal/segment_reader.h"
#include "journal/store_index.h"
#include "journal/witness_thread.h"

namespace tidemark::journal {
namespace {

constexpr const char* kFormatKey = "format";
constexpr const char* kFormat = "2";
constexpr const char* kFormatBefore = "1";  // without segments: becomes 2 by itself
constexpr std::size_t kMarkBytes = 28;
constexpr int kSegmentsPerFile = 64;  // of the log, at most; more would only stay longer

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

Error lost(const std::string& directory, const std::string& what) {
  return Error{Code::kCorruption, "journal: " + directory + ": " + what + " " + kAdvice};
}

Result<Unit> check_witness(const RocksStoreOptions& options, const RocksLog& log,
                           const SegmentReader& segments, const Witnessed& witnessed) {
  const auto closed = segments.holding(witnessed.last);
  if (!closed) return lost(options.directory, closed.error().message + ".");
  Digest head = witnessed.head;
  if (!closed.value() || closed.value()->in_log) {
    const auto found = log.digest_of(witnessed.last);
    if (!found) return lost(options.directory, found.error().message + ".");
    head = found.value();
  } else if (closed.value()->last == witnessed.last) {
    head = closed.value()->block;
  }  // Other blocks of a closed segment have no digest: an old witness proves only the line.
  if (head == witnessed.head) return Unit{};
  return lost(options.directory, "the block that ends with line " +
                                     std::to_string(raw(witnessed.last)) +
                                     " is not the one that was acknowledged.");
}

/// The database must hold what the witness saw, and end in a sound block that follows its
/// predecessor.
Result<Tail> check(const RocksStoreOptions& options, const Database& database,
                   const std::optional<Witnessed>& witnessed) {
  auto* family = database.family("log");
  const RocksLog log(database.db.get(), family);
  const RocksProjectionTable table(database.db.get(), database.table(), nullptr);
  const SegmentReader segments(table);
  Tail tail;
  if (family != nullptr) {
    const auto closed = segments.last();
    if (!closed) return lost(options.directory, closed.error().message + ".");
    std::optional<ClosedEnd> end;
    if (closed.value()) end = ClosedEnd{closed.value()->last, closed.value()->block};
    const auto found = log.tail(end);
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
  const auto proven = check_witness(options, log, segments, *witnessed);
  if (!proven) return proven.error();
  return tail;
}

class RocksStore final : public Store,
                         public SegmentStore,
                         public std::enable_shared_from_this<RocksStore> {
 public:
  RocksStore(RocksStoreOptions options, OwnerLock lock, Database database,
             std::unique_ptr<WitnessFile> witness)
      : options_(std::move(options)),
        lock_(std::move(lock)),
        database_(std::move(database)),
        meta_(database_.family("meta")),
        log_(database_.db.get(), database_.family("log")),
        table_(database_.db.get(), database_.table(), nullptr),
        segments_(table_),
        witness_(std::move(witness), [this] { return sync_wal(); }) {}

  Result<Unit> load(const Tail& tail);
  std::shared_ptr<ProjectionTable> projections() {
    return std::make_shared<RocksProjectionTable>(database_.db.get(), database_.table(),
                                                  shared_from_this());
  }

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
  Result<Digest> block_digest(Line last) const override { return log_.digest_of(last); }

 private:
  Result<Line> line_in_segments(UtcTime time, Line end) const;
  Line dropped_before(const SegmentHeader& header) const;
  Error disk_full(const rocksdb::Status& status);
  bool sync_wal();

  // Constant after construction.
  const RocksStoreOptions options_;
  const OwnerLock lock_;
  const Database database_;
  rocksdb::ColumnFamilyHandle* const meta_;
  const RocksLog log_;
  RocksProjectionTable table_;
  const SegmentReader segments_;

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
  if (status.IsNotFound() || format == kFormatBefore) {
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
  head_ = journal::block_digest(block);
  index_.apply(std::move(plan).value());
  witness_.saw(appended.last, head_);
  return appended;
}

// A closed segment is read from its pieces, all else from the log. Segments are closed meanwhile:
// when the log does not have a line any more, its segment does.

Result<Unit> RocksStore::scan(Line from, const BlockFilter& filter,
                              const std::function<bool(Block&)>& visit) const {
  const Line end = std::min(last(), filter.last);
  Line next = std::max(from, Line{1});
  bool more = true;
  const auto note = [&](Block& block) {
    next = Line{raw(block.first) + block.count};
    return more = visit(block);
  };
  BlockFilter wanted = filter;
  while (more && next <= end) {
    const auto closed = segments_.holding(next);
    if (!closed) return closed.error();
    wanted.last = end;
    if (closed.value() && !closed.value()->in_log) {
      const auto scanned = segments_.scan(*closed.value(), next, wanted, note);
      if (!scanned) return scanned.error();
      next = Line{raw(closed.value()->last) + 1};
      continue;
    }
    if (closed.value()) wanted.last = std::min(end, closed.value()->last);
    const auto scanned = log_.scan(next, wanted.last, wanted, note);
    if (scanned) {
      next = Line{raw(wanted.last) + 1};
      continue;
    }
    const auto now = segments_.holding(next);
    if (closed.value() || !now || !now.value()) return scanned;
  }
  return Unit{};
}

Result<Unit> RocksStore::scan_back(Line from, const BlockFilter& filter,
                                   const std::function<bool(Block&)>& visit) const {
  const Line stop = std::max(filter.first, Line{1});
  Line next = std::min(from, last());
  bool more = true;
  const auto note = [&](Block& block) {
    next = Line{raw(block.first) - 1};
    return more = visit(block);
  };
  BlockFilter wanted = filter;
  while (more && next >= stop) {
    const auto before = segments_.before(next);
    if (!before) return before.error();
    const auto& closed = before.value();
    const bool holds = closed && closed->last >= next;
    if (holds && !closed->in_log) {
      wanted.first = stop;
      const auto scanned = segments_.scan_back(*closed, next, wanted, note);
      if (!scanned) return scanned.error();
      next = Line{raw(closed->first) - 1};
      continue;
    }
    const Line bottom{holds ? raw(closed->first) : closed ? raw(closed->last) + 1 : 1};
    wanted.first = std::max(stop, bottom);
    const auto scanned = log_.scan_back(next, wanted, note);
    if (scanned) {
      next = Line{raw(wanted.first) - 1};
      continue;
    }
    const auto now = segments_.holding(next);
    if (holds || !now || !now.value()) return scanned;
  }
  return Unit{};
}

Result<Line> RocksStore::line_at(UtcTime time) const {
  while (true) {
    const auto closed = segments_.last();
    if (!closed) return closed.error();
    const auto end = closed.value() ? closed.value()->last : Line{0};
    if (closed.value() && time < closed.value()->latest) return line_in_segments(time, end);
    const auto found = log_.line_at(time, end, last());
    if (found) return found;
    const auto now = segments_.last();
    if (!now || !now.value() || now.value()->last == end) return found;
  }
}

/// The last line recorded at or before `time`, which is before the end of the last segment.
Result<Line> RocksStore::line_in_segments(UtcTime time, Line end) const {
  Line low{0};      // recorded at or before `time`, with all before it
  Line high = end;  // all behind it were recorded after `time`
  while (low < high) {
    const Line probe{raw(low) + (raw(high) - raw(low) + 1) / 2};
    const auto closed = segments_.before(probe);
    if (!closed) return closed.error();
    if (!closed.value()) {
      return Error{Code::kCorruption, "line " + std::to_string(raw(probe)) + " is in no segment"};
    }
    const auto& header = *closed.value();
    if (time >= header.latest) {
      low = header.last;
    } else if (time < header.earliest) {
      high = Line{raw(header.first) - 1};
    } else if (header.in_log) {
      return log_.line_at(time, Line{raw(header.first) - 1}, header.last);
    } else {
      return segments_.line_at(header, time);
    }
  }
  return low;
}

Result<Unit> RocksStore::flush_chunks() { return table_.flush_history(); }

/// The log has no line from the answer on up to the segment: files hold blocks of several.
Line RocksStore::dropped_before(const SegmentHeader& header) const {
  auto first = header.first;
  for (int i = 0; i < kSegmentsPerFile && first > Line{1}; ++i) {
    const auto before = segments_.before(Line{raw(first) - 1});
    if (!before || !before.value() || before.value()->in_log) break;
    first = before.value()->first;
  }
  return first;
}

Result<Unit> RocksStore::close(const SegmentHeader& header) {
  const auto begin = line_key(header.first);
  const auto end = line_key(Line{raw(header.last) + 1});
  rocksdb::WriteBatch batch;
  auto status = table_.put(batch, {header_key(header.first), encode_header(header)});
  if (status.ok() && !header.in_log) {
    status = batch.DeleteRange(log_.family(), slice(begin), slice(end));
  }
  TIDEMARK_CHECK(status.ok());  // A batch in memory has no reason to refuse.
  rocksdb::WriteOptions synced;
  synced.sync = true;
  status = database_.db->Write(synced, &batch);
  if (!status.ok()) {
    return Error{status.IsNoSpace() ? Code::kUnavailable : Code::kFailed,
                 "journal: " + options_.directory + ": " + status.ToString()};
  }
  if (header.in_log) return Unit{};
  // Whole files go at once; what is left of the lines goes when files are merged.
  const auto dropped = line_key(dropped_before(header));
  const auto from = slice(dropped);
  const auto to = slice(end);
  status = rocksdb::DeleteFilesInRange(database_.db.get(), log_.family(), &from, &to, false);
  if (!status.ok()) spdlog::warn("journal: {}: {}", options_.directory, status.ToString());
  return Unit{};
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
  return RocksJournal{store, store->projections(), store};
}

}  // namespace tidemark::journal
