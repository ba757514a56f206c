#include "journal/rocks_projection_table.h"

#include <rocksdb/convenience.h>
#include <spdlog/spdlog.h>

namespace tidemark::journal {
namespace {

rocksdb::Slice slice(BytesView bytes) { return {bytes.data(), bytes.size()}; }
BytesView view(const rocksdb::Slice& bytes) { return {bytes.data(), bytes.size()}; }

Error error_of(const rocksdb::Status& status) {
  const auto code = status.IsCorruption()                   ? Code::kCorruption
                    : status.IsNoSpace() || status.IsBusy() ? Code::kUnavailable
                                                            : Code::kFailed;
  return Error{code, "the journal's projections: " + status.ToString()};
}

}  // namespace

Result<Unit> RocksProjectionTable::write(const std::vector<KeyValue>& puts) {
  rocksdb::WriteBatch batch;
  for (const auto& [key, value] : puts) {
    const auto status = batch.Put(family_, slice(key), slice(value));
    if (!status.ok()) return error_of(status);
  }
  rocksdb::WriteOptions how;
  how.disableWAL = true;
  const auto status = db_->Write(how, &batch);
  if (!status.ok()) return error_of(status);
  return Unit{};
}

void RocksProjectionTable::flush() {
  rocksdb::FlushOptions how;
  how.wait = false;
  how.allow_write_stall = true;
  const auto status = db_->Flush(how, family_);
  if (!status.ok()) spdlog::warn("{}", error_of(status).message);
}

Result<Unit> RocksProjectionTable::clear() {
  rocksdb::WriteOptions how;
  how.disableWAL = true;
  auto status = rocksdb::DeleteFilesInRange(db_, family_, nullptr, nullptr);
  if (status.ok()) status = db_->DeleteRange(how, family_, slice(Bytes(1, '\0')), slice("\xff"));
  if (!status.ok()) return error_of(status);
  return Unit{};
}

Result<Unit> RocksProjectionTable::scan(
    BytesView from, BytesView to,
    const std::function<bool(BytesView key, BytesView value)>& visit) const {
  rocksdb::ReadOptions options;
  const auto end = slice(to);
  options.iterate_upper_bound = &end;
  const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(options, family_));
  for (at->Seek(slice(from)); at->Valid(); at->Next()) {
    if (!visit(view(at->key()), view(at->value()))) return Unit{};
  }
  if (!at->status().ok()) return error_of(at->status());
  return Unit{};
}

Result<std::optional<KeyValue>> RocksProjectionTable::last(BytesView from, BytesView to) const {
  const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator({}, family_));
  // SeekForPrev gives the last key at or before `to`, which is not wanted itself.
  at->SeekForPrev(slice(to));
  if (at->Valid() && at->key() == slice(to)) at->Prev();
  if (!at->status().ok()) return error_of(at->status());
  if (!at->Valid() || view(at->key()) < from) return std::optional<KeyValue>{};
  return std::optional<KeyValue>(KeyValue{Bytes(view(at->key())), Bytes(view(at->value()))});
}

}  // namespace tidemark::journal
