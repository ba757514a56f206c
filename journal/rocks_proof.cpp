#include "journal/rocks_proof.h"

#include "journal/damage.h"
#include "journal/rocks_meta.h"
#include "journal/segment_reader.h"
#include "journal/store_index.h"

namespace tidemark::journal {
namespace {

Error damage(const std::string& what) { return Error{Code::kCorruption, what}; }

Result<Unit> check_witness(const RocksLog& log, const SegmentReader& segments,
                           const Witnessed& witnessed) {
  const auto closed = segments.holding(witnessed.last);
  if (!closed) return damage(closed.error().message + ".");
  Digest head = witnessed.head;
  if (!closed.value() || closed.value()->in_log) {
    const auto found = log.digest_of(witnessed.last);
    if (!found) return damage(found.error().message + ".");
    head = found.value();
  } else if (closed.value()->last == witnessed.last) {
    head = closed.value()->block;
  }  // Other blocks of a closed segment have no digest: an old witness proves only the line.
  if (head == witnessed.head) return Unit{};
  return damage("the block that ends with line " + std::to_string(raw(witnessed.last)) +
                " is not the one that was acknowledged.");
}

}  // namespace

Error lost(const std::string& directory, const std::string& what) {
  return Error{Code::kCorruption, "journal: " + directory + ": " + what + " " + kCorruptionAdvice};
}

Error unusable(const std::string& directory, const Error& error) {
  if (error.code == Code::kCorruption) return lost(directory, error.message);
  return Error{error.code, "journal: " + directory + ": " + error.message};
}

Result<Tail> check_tail(const Database& database, const std::optional<Witnessed>& witnessed) {
  auto* family = database.family("log");
  const RocksLog log(database.db.get(), family);
  const RocksProjectionTable table(database.db.get(), database.table(), nullptr);
  const SegmentReader segments(table);
  Tail tail;
  if (family != nullptr) {
    const auto closed = segments.last();
    if (!closed) return damage(closed.error().message + ".");
    std::optional<ClosedEnd> end;
    if (closed.value()) end = ClosedEnd{closed.value()->last, closed.value()->block};
    const auto found = log.tail(end);
    if (!found) return damage(found.error().message + ".");
    tail = found.value();
  }
  if (!witnessed || witnessed->last == Line{0}) return tail;
  if (tail.last < witnessed->last) {
    const LineRange lines{Line{raw(tail.last) + 1}, witnessed->last};
    return damage(to_text(lines) + " were acknowledged and are missing (the witness knows them).");
  }
  const auto proven = check_witness(log, segments, *witnessed);
  if (!proven) return proven.error();
  return tail;
}

Result<Unit> check_marks(const RocksStoreOptions& options, const Database& database, Line last) {
  auto* family = database.family("meta");
  if (family == nullptr && last == Line{0}) return Unit{};
  if (family == nullptr) return damage("the marks of the log are gone.");
  StoreIndex scratch;
  return RocksMeta(database.db.get(), family).load(last, options.clock(), false, scratch);
}

}  // namespace tidemark::journal
