// journal/segment_store.h
//
// A Store that can give up the blocks of a segment whose pieces are written, and later pieces of
// it. Who decides when is the Thinner, and the Retainer; which pieces, the SegmentBuilder, and
// expiry.h. RocksStore is one.

#pragma once

#include <memory>
#include <vector>

#include "journal/expired_runs.h"
#include "journal/projection_table.h"
#include "journal/segment_header.h"
#include "journal/store.h"

namespace tidemark::journal {

/// What closed segments have of a class, to be dropped.
struct Expiry {
  RecordClass of{};
  ExpiredRun run;              // from here on without them
  std::string reason;          // "age", "bytes", "watermark"
  std::vector<Bytes> drops;    // keys
  std::vector<KeyValue> puts;  // what must be there instead
};

/// Of the lines that say what expired.
inline Uuid retention_origin() { return Uuid::derive("tidemark journal retention"); }

class SegmentStore {
 public:
  virtual ~SegmentStore() = default;

  virtual const Store& store() const = 0;
  virtual const ProjectionTable& table() const = 0;

  /// Makes durable all chunks that were written until now.
  /// Errors: kUnavailable disk full, may be repeated; kFailed the disk.
  virtual Result<Unit> flush_chunks() = 0;
  /// Writes pieces of a segment that is not closed. Durable on return.
  virtual Result<Unit> put(const std::vector<KeyValue>& pieces) = 0;
  /// Writes the header and drops the blocks of its lines from the log, unless it says that they are
  /// there: all or nothing, and durable on return. From then on its pieces are the only copy.
  virtual Result<Unit> close(const SegmentHeader& header) = 0;
  /// Drops it, and appends a line that says so (model::Expired): all or nothing, and durable on
  /// return. From then on Store::expired() has it. Beside append(), which waits.
  /// Errors: as Store::append.
  virtual Result<Appended> expire(const Expiry& expiry) = 0;
  /// Gives back the room of what expired of a class, as far as the disk has it still.
  /// Blocking: it rewrites the files at the ends of the runs.
  virtual void reclaim(RecordClass of) = 0;
  /// Of the last block of the log that ends with `last`.
  virtual Result<Digest> block_digest(Line last) const = 0;
};

}  // namespace tidemark::journal
