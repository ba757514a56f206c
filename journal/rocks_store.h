// journal/rocks_store.h
//
// The Store on RocksDB: one key per block, a hash chain over the blocks, and a witness file
// beside the database that knows the last acknowledged line, because RocksDB alone opens with
// "OK" after losing synced data (docs/journal-format.md).

#pragma once

#include <functional>
#include <memory>
#include <string>

#include "journal/inspection.h"
#include "journal/projection_table.h"
#include "journal/segment_rows.h"
#include "journal/segment_store.h"
#include "journal/store.h"
#include "journal/witness.h"

namespace rocksdb {
class Env;
}

namespace tidemark::journal {

/// When an append is acknowledged.
enum class SyncMode : std::uint8_t {
  kBatch,     // after its own fdatasync: survives power loss
  kInterval,  // after the write; synced every 50 ms: survives the death of any process. A power cut
              // loses at most that interval, from the end. Numbers that lines may have had by then
              // are not used again: lost_lines.h
};

struct RocksStoreOptions {
  std::string directory;
  SyncMode sync = SyncMode::kBatch;
  StoreLimits limits{};
  SegmentRowsLimits rows{};  // of closed segments that are read
  std::function<UtcTime()> clock = utc_now;
  rocksdb::Env* env = nullptr;  // The default one. Tests inject the faults of a disk here.
  Uuid boot = this_boot();      // Tests start the machine anew here.
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
  std::shared_ptr<SegmentStore> segments;  // Empty when opened to read.
  std::function<Inspection()> inspect;     // Threads: any.
  /// Makes a directory with the whole journal as it is now, by hard links where the disk is the
  /// same, and a witness of its own. Its last line, and the digest there. Empty when opened to
  /// read. Threads: one at a time, while others append and read. Errors: kUnavailable the disk;
  /// kCorruption.
  std::function<Result<Witnessed>(const std::string& path)> checkpoint;
};
/// Errors: as open_rocks_store().
Result<RocksJournal> open_rocks_journal(RocksStoreOptions options);

/// Opens it without a trace on the disk, also while a node has it open and writes it. What is read
/// is the journal as it is now: all that was acknowledged before the call, and nothing that comes
/// later. append() answers kInvalidArgument. The projections are as the node last wrote them; what
/// they lack is read from the log.
/// Errors: kNotFound    there is no journal.
///         kCorruption  as open_rocks_store().
///         kUnavailable it cannot be read.
Result<RocksJournal> open_rocks_journal_to_read(RocksStoreOptions options);

/// What of a journal can be read although it is damaged, and what is wrong with it as a whole.
struct SalvagedJournal {
  RocksJournal journal;
  std::vector<Error> findings;  // empty: open_rocks_journal() would take it
};
/// As open_rocks_journal_to_read(), and damage keeps nothing from being read that is sound. last()
/// is the last line that anything in the directory knows of: it may be missing. What the marks of
/// origins and the addresses are worth the findings tell.
/// Errors: kNotFound    there is no journal.
///         kCorruption  RocksDB cannot open it in any way.
///         kUnavailable it cannot be read.
Result<SalvagedJournal> open_rocks_journal_to_salvage(RocksStoreOptions options);

}  // namespace tidemark::journal
