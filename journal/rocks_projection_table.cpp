#include "journal/rocks_projection_table.h"

#include <rocksdb/convenience.h>
#include <spdlog/spdlog.h>

#include "journal/rocks_slice.h"
#include "journal/segment_header.h"

namespace tidemark::journal {
namespace {

Error error_of(const rocksdb::Status& status) {
  const auto code = status.IsCorruption() || status.IsPathNotFound() ? Code::kCorruption
                    : status.IsNoSpace() || status.IsBusy()          ? Code::kUnavailable
                                                                     : Code::kFailed;
  return Error{code, "beside the journal's log: " + status.ToString()};
}

}  // namespace

rocksdb::ColumnFamilyHandle* TableFamilies::of(BytesView key) const {
  switch (key.empty() ? '\0' : key[0]) {
    case 'a': return kept;
    case 'b': return log_messages;
    case 'c': return kv_events;
    case 'h': return history;
    case 'd':
    case 's':
    case 't':
    case 'u':
    case 'v':
    case 'x':
    case 'y': return segments;
    default: return projections;
  }
}

rocksdb::Status RocksProjectionTable::put(rocksdb::WriteBatch& batch, const KeyValue& put) const {
  return batch.Put(families_.of(put.first), slice(put.first), slice(put.second));
}

rocksdb::Status RocksProjectionTable::remove(rocksdb::WriteBatch& batch, BytesView key) const {
  return batch.Delete(families_.of(key), slice(key));
}

Result<Unit> RocksProjectionTable::write(const std::vector<KeyValue>& puts,
                                         const rocksdb::WriteOptions& how) {
  rocksdb::WriteBatch batch;
  for (const auto& each : puts) {
    const auto status = put(batch, each);
    if (!status.ok()) return error_of(status);
  }
  const auto status = db_->Write(how, &batch);
  if (!status.ok()) return error_of(status);
  return Unit{};
}

Result<Unit> RocksProjectionTable::write(const std::vector<KeyValue>& puts) {
  if (sync_log_) {
    const auto status = db_->SyncWAL();
    if (!status.ok()) return error_of(status);
  }
  rocksdb::WriteOptions how;
  how.disableWAL = true;
  return write(puts, how);
}

Result<Unit> RocksProjectionTable::write_synced(const std::vector<KeyValue>& puts) {
  rocksdb::WriteOptions how;
  how.sync = true;
  return write(puts, how);
}

void RocksProjectionTable::flush() {
  rocksdb::FlushOptions how;
  how.wait = false;
  how.allow_write_stall = true;
  const auto status = db_->Flush(how, families_.projections);
  if (!status.ok()) spdlog::warn("{}", error_of(status).message);
}

Result<Unit> RocksProjectionTable::flush_history() {
  rocksdb::FlushOptions how;
  how.wait = true;
  how.allow_write_stall = true;
  const auto status = db_->Flush(how, families_.history);
  if (!status.ok()) return error_of(status);
  return Unit{};
}

Result<Unit> RocksProjectionTable::clear() {
  const auto closed = last_header(*this);
  if (!closed) return closed.error();
  Bytes chunks = "h";
  if (closed.value()) {
    const Segments segments{closed.value()->length};
    chunks = segment_chunks_key(segments.of(closed.value()->last) + 1);
  }
  rocksdb::WriteOptions how;
  how.disableWAL = true;
  auto status = rocksdb::DeleteFilesInRange(db_, families_.projections, nullptr, nullptr);
  if (status.ok()) {
    status = db_->DeleteRange(how, families_.projections, slice(Bytes(1, '\0')), slice("\xff"));
  }
  if (status.ok()) status = db_->DeleteRange(how, families_.history, slice(chunks), slice("i"));
  if (!status.ok()) return error_of(status);
  return Unit{};
}

Result<Unit> RocksProjectionTable::scan(
    BytesView from, BytesView to,
    const std::function<bool(BytesView key, BytesView value)>& visit) const {
  auto* const family = families_.of(from);
  if (family == nullptr) return Unit{};
  rocksdb::ReadOptions options;
  const auto end = slice(to);
  options.iterate_upper_bound = &end;
  const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(options, family));
  for (at->Seek(slice(from)); at->Valid(); at->Next()) {
    if (!visit(view(at->key()), view(at->value()))) return Unit{};
  }
  if (!at->status().ok()) return error_of(at->status());
  return Unit{};
}

Result<std::optional<KeyValue>> RocksProjectionTable::last(BytesView from, BytesView to) const {
  auto* const family = families_.of(from);
  if (family == nullptr) return std::optional<KeyValue>{};
  const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator({}, family));
  // SeekForPrev gives the last key at or before `to`, which is not wanted itself.
  at->SeekForPrev(slice(to));
  if (at->Valid() && at->key() == slice(to)) at->Prev();
  if (!at->status().ok()) return error_of(at->status());
  if (!at->Valid() || view(at->key()) < from) return std::optional<KeyValue>{};
  return std::optional<KeyValue>(KeyValue{Bytes(view(at->key())), Bytes(view(at->value()))});
}

}  // namespace tidemark::journal
