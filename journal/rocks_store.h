// journal/rocks_store.h
//
// The Store on RocksDB: one key per block, a hash chain over the blocks, and a witness file
// beside the database that knows the last acknowledged line, because RocksDB alone opens with
// "OK" after losing synced data (docs/journal-format.md).

#pragma once

#include <functional>
#include <memory>
#include <string>

#include "journal/projection_table.h"
#include "journal/segment_store.h"
#include "journal/store.h"

namespace rocksdb {
class Env;
}

namespace tidemark::journal {

/// When an append is acknowledged.
enum class SyncMode : std::uint8_t {
  kBatch,     // after its own fdatasync: survives power loss
  kInterval,  // after the write; synced every 50 ms: survives the death of any process, and a power
              // cut loses at most that interval
};

struct RocksStoreOptions {
  std::string directory;
  SyncMode sync = SyncMode::kBatch;
  StoreLimits limits{};
  std::function<UtcTime()> clock = utc_now;
  rocksdb::Env* env = nullptr;  // The default one. Tests inject the faults of a disk here.
};

/// Makes the directory when it is not there. The files in it: docs/journal-format.md.
/// Errors: kConflict    another process holds the directory (named in the message).
///         kCorruption  acknowledged lines are missing or damaged; the message says which, and
///                      what to do. Nothing was changed.
///         kUnavailable the directory cannot be made or written (disk full, no permission).
Result<std::unique_ptr<Store>> open_rocks_store(RocksStoreOptions options);

/// The Store, the part of its database for what stands beside the log, and the Store once more as
/// who closes segments.
struct RocksJournal {
  std::shared_ptr<Store> store;
  std::shared_ptr<ProjectionTable> projections;
  std::shared_ptr<SegmentStore> segments;
};
/// Errors: as open_rocks_store().
Result<RocksJournal> open_rocks_journal(RocksStoreOptions options);

}  // namespace tidemark::journal
