#include "journal/rocks_meta.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>

#include "base/digest.h"
#include "journal/rocks_slice.h"

namespace tidemark::journal {
namespace {

constexpr const char* kFormatKey = "format";
constexpr const char* kFormat = "2";
constexpr const char* kFormatBefore = "1";  // without segments: becomes 2 by itself
constexpr const char* kProofKey = "proof";
constexpr std::size_t kProofBytes = 24;
constexpr std::size_t kMarkBytes = 28;

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

std::pair<std::uint64_t, std::uint64_t> digest_of(BytesView key, BytesView value) {
  const auto bytes = digest(key, value);
  const BytesView both(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return {read_le<std::uint64_t>(both, 0), read_le<std::uint64_t>(both, 8)};
}

Error damaged_meta(const std::string& what) { return Error{Code::kCorruption, what}; }

Error disk_error(const rocksdb::Status& status) {
  // A table that is gone is damage too.
  return Error{
      status.IsCorruption() || status.IsPathNotFound() ? Code::kCorruption : Code::kUnavailable,
      "the marks cannot be read or written: " + status.ToString()};
}

}  // namespace

void RocksMeta::Sum::add(BytesView key, BytesView value) {
  const auto [a, b] = digest_of(key, value);
  low += a;
  high += b;
}

void RocksMeta::Sum::remove(BytesView key, BytesView value) {
  const auto [a, b] = digest_of(key, value);
  low -= a;
  high -= b;
}

Bytes RocksMeta::proof(Line last, const Sum& sum) const {
  Bytes value;
  append_le(value, raw(last));
  append_le(value, sum.low);
  append_le(value, sum.high);
  return value;
}

Result<Unit> RocksMeta::load(Line last, UtcTime now, bool writes, StoreIndex& index) {
  std::string format;
  auto status = db_->Get({}, family_, kFormatKey, &format);
  if (status.IsNotFound()) {
    if (last != Line{0}) return damaged_meta("the marks of the log are gone.");
    if (!writes) return Unit{};
    format = kFormatBefore;
    status = {};
  }
  if (!status.ok()) return disk_error(status);
  if (format == kFormatBefore && writes) {
    rocksdb::WriteOptions synced;
    synced.sync = true;
    status = db_->Put(synced, family_, kFormatKey, kFormat);
    if (!status.ok()) return disk_error(status);
  } else if (format != kFormat && format != kFormatBefore) {
    return damaged_meta("format " + format + ", written by a later version.");
  }
  std::vector<Uuid> forgotten;
  const auto loaded = load_entries(now, index, forgotten);
  if (!loaded) return loaded;
  const auto proven = check_proof(last);
  if (!proven || !writes || forgotten.empty()) return proven;
  return forget(forgotten, last);
}

Result<Unit> RocksMeta::load_entries(UtcTime now, StoreIndex& index, std::vector<Uuid>& forgotten) {
  proven_ = {};
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator({}, family_));
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    const auto key = view(it->key());
    const auto value = view(it->value());
    if (key == kFormatKey || key == kProofKey) continue;
    proven_.add(key, value);
    if (key.starts_with("c/") && key.size() == 6) {
      index.restore(model::ChannelId{read_be<std::uint32_t>(key, 2)}, std::string(value));
    } else if (key.starts_with("o/") && key.size() == 18 && value.size() == kMarkBytes) {
      Uuid origin;
      std::copy_n(key.data() + 2, origin.bytes.size(),
                  reinterpret_cast<char*>(origin.bytes.data()));
      const OriginMark mark{read_le<std::uint32_t>(value, 0), read_le<std::uint64_t>(value, 4),
                            UtcTime{Duration{read_le<std::int64_t>(value, 12)}},
                            Line{read_le<std::uint64_t>(value, 20)}};
      if (is_forgotten(mark.incarnation, mark.recorded_at, now)) {
        forgotten.push_back(origin);
      } else {
        index.restore(origin, mark);
      }
    } else {
      return damaged_meta("an entry that nobody wrote among the marks.");
    }
  }
  if (!it->status().ok()) return disk_error(it->status());
  return Unit{};
}

Result<Unit> RocksMeta::check_proof(Line last) const {
  if (last == Line{0} && proven_ == Sum{}) return Unit{};
  std::string stored;
  const auto status = db_->Get({}, family_, kProofKey, &stored);
  if (status.IsNotFound()) {
    spdlog::warn("journal: marks without a proof, of an earlier version");
    return Unit{};
  }
  if (!status.ok()) return disk_error(status);
  if (stored == proof(last, proven_)) return Unit{};
  const auto of = stored.size() == kProofBytes ? read_le<std::uint64_t>(stored, 0) : 0;
  return damaged_meta("the marks are not those of line " + std::to_string(raw(last)) +
                      (of == raw(last) ? ": some are missing or old."
                                       : ", but of line " + std::to_string(of) + "."));
}

Result<Unit> RocksMeta::forget(const std::vector<Uuid>& origins, Line last) {
  rocksdb::WriteBatch batch;
  next_ = proven_;
  for (const auto& origin : origins) {
    const auto key = mark_key(origin);
    std::string value;
    auto status = db_->Get({}, family_, slice(key), &value);
    if (status.ok()) status = batch.Delete(family_, slice(key));
    if (!status.ok()) return disk_error(status);
    next_.remove(key, value);
  }
  auto status = batch.Put(family_, kProofKey, slice(proof(last, next_)));
  if (status.ok()) status = db_->Write({}, &batch);
  if (!status.ok()) return disk_error(status);
  written();
  return Unit{};
}

Result<Unit> RocksMeta::put(const AppendPlan& plan, const StoreIndex& index,
                            rocksdb::WriteBatch& batch) {
  next_ = proven_;
  const auto change = [&](const Bytes& key, const Bytes& value) {
    next_.add(key, value);
    return batch.Put(family_, slice(key), slice(value));
  };
  rocksdb::Status status;
  for (const auto& [origin, mark] : plan.marks) {
    const auto key = mark_key(origin);
    if (const auto before = index.mark_of(origin)) {
      next_.remove(key, mark_value(*before));
    } else {  // new, or one that the index has forgotten meanwhile
      std::string value;
      const auto found = db_->Get({}, family_, slice(key), &value);
      if (found.ok()) next_.remove(key, value);
      if (!found.ok() && !found.IsNotFound()) return Error{Code::kFailed, found.ToString()};
    }
    if (status.ok()) status = change(key, mark_value(mark));
  }
  for (const auto& [channel, address] : plan.defined) {
    if (status.ok()) status = change(channel_key(channel), address);
  }
  if (status.ok()) {
    status = batch.Put(family_, kProofKey, slice(proof(plan.appended.last, next_)));
  }
  TIDEMARK_CHECK(status.ok());  // A batch in memory has no reason to refuse.
  return Unit{};
}

}  // namespace tidemark::journal
