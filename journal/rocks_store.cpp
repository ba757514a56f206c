#include <rocksdb/convenience.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "base/failpoint.h"
#include "journal/block_codec.h"
#include "journal/damage.h"
#include "journal/expired_runs.h"
#include "journal/lost_lines.h"
#include "journal/rocks_slice.h"
#include "journal/rocks_store_class.h"

namespace tidemark::journal {
namespace {

constexpr const char* kPowerCut =
    "the machine stopped before they were on the disk; who followed may have seen some of them "
    "(sync = \"interval\")";
constexpr int kSegmentsPerFile = 64;  // of the log, at most; more would only stay longer

/// What is beside the log does not know which lines it is of.
Error with_lines(const Error& error, const LineRange& lines) {
  return error.code != Code::kCorruption || lines_of(error) ? error : damaged(lines, error.message);
}

/// Not even with room again will RocksDB write: on a full disk it could not begin a new log.
bool is_final(const rocksdb::Status& status) {
  return status.severity() >= rocksdb::Status::Severity::kFatalError;
}

}  // namespace

Result<Unit> RocksStore::load(const Tail& tail) {
  index_.restore(tail.last, tail.recorded_at);
  head_ = tail.head;
  auto loaded = meta_.load(tail.last, options_.clock(), witness_.has_value(), index_);
  auto runs = load_runs(table_);
  if (runs) expired_.set(std::make_shared<ExpiredRuns>(std::move(runs).value()));
  if (!runs && loaded) loaded = runs.error();
  return loaded;
}

Result<Unit> RocksStore::begin(const Tail& tail, const std::optional<Witnessed>& before) {
  const LineRange lost{Line{raw(tail.last) + 1}, before ? before->told : Line{0}};
  const bool went_on = before && before->boot == options_.boot && !options_.boot.is_nil();
  if (lost.last < lost.first || went_on) {
    witness_->restore(tail.last, tail.head);
    return Unit{};
  }
  spdlog::error("journal: {}: {} are lost: {}", options_.directory, to_text(lost), kPowerCut);
  const std::lock_guard lock(append_mutex_);
  const auto written = commit(lost_sections(lost, kPowerCut, options_.clock()), kBlockLimits,
                              [](rocksdb::WriteBatch&) {});
  if (!written) return written.error();
  return Unit{};
}

Result<Witnessed> RocksStore::checkpoint(const std::string& path) const {
  std::error_code failure;
  std::filesystem::create_directories(path, failure);
  if (failure) return Error{Code::kUnavailable, "cannot make " + path + ": " + failure.message()};
  RocksStoreOptions copy;
  copy.directory = path;
  copy.env = options_.env;
  const auto status = make_checkpoint(*database_.db, database_path(copy));
  if (!status.ok()) {
    return Error{status.IsCorruption() ? Code::kCorruption : Code::kUnavailable,
                 "journal: no checkpoint in " + path + ": " + status.ToString()};
  }
  const auto database = open_to_read(copy);
  if (!database) return database.error();
  const auto tail = check_tail(*database.value(), std::nullopt);
  if (!tail) return tail.error();
  auto witness = WitnessFile::open(path + "/witness");
  if (!witness) return witness.error();
  const auto written = witness.value()->write(tail.value().last, tail.value().head);
  if (!written) return written.error();
  return Witnessed{tail.value().last, tail.value().head, 1};
}

Result<Appended> RocksStore::append(std::span<const InspectedSection> sections) {
  const std::lock_guard lock(append_mutex_);
  return commit(sections, options_.limits, nullptr);
}

Result<Appended> RocksStore::commit(std::span<const InspectedSection> sections,
                                    const StoreLimits& limits,
                                    const std::function<void(rocksdb::WriteBatch&)>& more) {
  if (!witness_) return Error{Code::kInvalidArgument, "journal: opened to read"};
  if (failed_) {
    return Error{Code::kFailed, "journal: the disk failed before; " + options_.directory +
                                    " must be opened again"};
  }
  auto plan = index_.plan(sections, limits, options_.clock());
  if (!plan) return plan.error();
  if (no_space_) {
    // RocksDB refuses writes after a full disk until it has written out what it holds in memory.
    // It tries that itself every five seconds, and then answers kBusy to this; otherwise it has
    // to be told.
    const auto resumed = database_.db->Resume();
    if (is_final(resumed)) return disk_failed(resumed);
    if (!resumed.ok() && !resumed.IsBusy()) return disk_full(resumed);
  }

  const Appended appended = plan.value().appended;
  const Bytes block = encode_block(appended.first, appended.recorded_at, head_, sections);
  rocksdb::WriteBatch batch(block.size() + 4096);
  auto status = batch.Put(log_.family(), slice(line_key(appended.first)), slice(block));
  TIDEMARK_CHECK(status.ok());  // A batch in memory has no reason to refuse.
  const auto put = meta_.put(plan.value(), index_, batch);
  if (!put) {
    failed_ = true;
    return Error{put.error().code, "journal: " + options_.directory + ": " + put.error().message};
  }

  if (more) more(batch);

  rocksdb::WriteOptions how;
  how.sync = more || options_.sync == SyncMode::kBatch;
  if (!how.sync) {
    const auto told = witness_->will_tell(appended.last);
    if (!told) return told.error();
  }
  failpoint("journal.append.before");
  status = database_.db->Write(how, &batch);
  if (status.IsNoSpace() && !is_final(status)) return disk_full(status);
  if (!status.ok()) return disk_failed(status);
  if (std::exchange(no_space_, false)) {
    spdlog::info("journal: {}: there is room again", options_.directory);
  }
  failpoint("journal.append.written");
  head_ = journal::block_digest(block);
  meta_.written();
  index_.apply(std::move(plan).value());
  failpoint("journal.append.announced");
  witness_->saw(appended.last, head_);
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
    if (!closed) return with_lines(closed.error(), {next, last()});
    wanted.last = end;
    if (closed.value() && !closed.value()->in_log) {
      const auto scanned = segments_.scan(*closed.value(), next, wanted, note);
      if (!scanned) return with_lines(scanned.error(), {next, closed.value()->last});
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
  failpoint("journal.drop.before");
  status = database_.db->Write(synced, &batch);
  if (!status.ok()) {
    return Error{status.IsNoSpace() ? Code::kUnavailable : Code::kFailed,
                 "journal: " + options_.directory + ": " + status.ToString()};
  }
  failpoint("journal.drop.written");
  if (header.in_log) return Unit{};
  // Whole files go at once; what is left of the lines goes when files are merged.
  const auto dropped = line_key(dropped_before(header));
  const auto from = slice(dropped);
  const auto to = slice(end);
  status = rocksdb::DeleteFilesInRange(database_.db.get(), log_.family(), &from, &to, false);
  if (!status.ok()) spdlog::warn("journal: {}: {}", options_.directory, status.ToString());
  return Unit{};
}

Result<Appended> RocksStore::expire(const Expiry& expiry) {
  const std::lock_guard lock(append_mutex_);
  const auto before = expired_.get();
  const auto runs = std::make_shared<ExpiredRuns>(*before);
  const auto joined = runs->add(expiry.of, expiry.run);

  const auto mark = index_.mark_of(retention_origin());
  const auto section = expired_section(expiry, mark ? mark->sequence + 1 : 1, options_.clock());

  // Before it is dropped: who misses a piece then knows why.
  expired_.set(runs);
  failpoint("journal.expire.before");
  const auto appended =
      commit(std::span(&section, 1), options_.limits, [&](rocksdb::WriteBatch& batch) {
        auto status = table_.put(batch, encode_run(expiry.of, joined));
        for (const auto& each : before->touching(expiry.of, joined.first, joined.last)) {
          if (each.first == joined.first || !status.ok()) continue;
          status = table_.remove(batch, expired_key(expiry.of, each.first));
        }
        for (const auto& key : expiry.drops) {
          if (status.ok()) status = table_.remove(batch, key);
        }
        for (const auto& each : expiry.puts) {
          if (status.ok()) status = table_.put(batch, each);
        }
        TIDEMARK_CHECK(status.ok());  // A batch in memory has no reason to refuse.
      });
  failpoint("journal.expire.written");
  if (!appended) {
    expired_.set(before);
    return appended;
  }
  give_back(expiry.of, joined, false);
  failpoint("journal.expire.dropped");
  return appended;
}

void RocksStore::reclaim(RecordClass of) {
  for (const auto& run : expired_.get()->all(of)) give_back(of, run, true);
}

void RocksStore::give_back(RecordClass of, const ExpiredRun& run, bool rewrite) const {
  const auto closed = segments_.last();
  if (!closed || !closed.value()) return;
  const auto [begin, end] = keys_of(of, run, Segments{closed.value()->length});
  const auto status = drop_files(*database_.db, table_.family_of(begin), begin, end, rewrite);
  if (!status.ok()) spdlog::warn("journal: {}: {}", options_.directory, status.ToString());
}

Error RocksStore::disk_full(const rocksdb::Status& status) {
  no_space_ = true;
  return {Code::kUnavailable,
          "journal: disk full: " + options_.directory + ": " + status.ToString()};
}

Error RocksStore::disk_failed(const rocksdb::Status& status) {
  failed_ = true;
  return {Code::kFailed, "journal: " + options_.directory + ": " + status.ToString()};
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

}  // namespace tidemark::journal
