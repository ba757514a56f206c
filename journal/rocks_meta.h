// journal/rocks_meta.h
//
// The family `meta`: how far the journal has each origin, what channels are called, and a proof
// that all of this is there.
//
// The proof is the sum of the digests of all entries, and the last line of the log. Each append
// carries it on with two digests per entry that changes. RocksDB opens with "OK" when the end of
// its MANIFEST is cut off, and with it an old table of this family: then an origin would begin
// again where it was long ago, and its records would be stored twice.

#pragma once

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <cstdint>

#include "journal/rocks_log.h"
#include "journal/store_index.h"

namespace tidemark::journal {

class RocksMeta {
 public:
  RocksMeta(rocksdb::DB* db, rocksdb::ColumnFamilyHandle* family) : db_(db), family_(family) {}

  /// Fills `index` with what is there. `writes`: the format of a new journal is written, and
  /// origins that may be forgotten are removed. Errors: kCorruption   it is not what was written
  /// with the last line.
  ///         kUnavailable  the disk.
  Result<Unit> load(Line last, UtcTime now, bool writes, StoreIndex& index);

  /// Adds to `batch` what the append changes. `index` is as it was before.
  /// Errors: kFailed  an old entry cannot be read; `batch` is of no use.
  Result<Unit> put(const AppendPlan& plan, const StoreIndex& index, rocksdb::WriteBatch& batch);
  /// The batch was written.
  void written() { proven_ = next_; }

 private:
  /// Order does not matter, and what was added can be taken out again.
  struct Sum {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    void add(BytesView key, BytesView value);
    void remove(BytesView key, BytesView value);
    bool operator==(const Sum&) const = default;
  };

  Result<Unit> load_entries(UtcTime now, StoreIndex& index, std::vector<Uuid>& forgotten);
  Result<Unit> check_proof(Line last) const;
  Result<Unit> forget(const std::vector<Uuid>& origins, Line last);
  Bytes proof(Line last, const Sum& sum) const;

  rocksdb::DB* const db_;
  rocksdb::ColumnFamilyHandle* const family_;
  Sum proven_;  // of what is stored
  Sum next_;    // of what put() made
};

}  // namespace tidemark::journal
