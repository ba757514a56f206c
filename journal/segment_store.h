// journal/segment_store.h
//
// A Store that can give up the blocks of a segment whose pieces are written. Who decides when is
// the Thinner; which pieces, the SegmentBuilder. RocksStore is one.

#pragma once

#include <memory>
#include <vector>

#include "journal/projection_table.h"
#include "journal/segment_header.h"
#include "journal/store.h"

namespace tidemark::journal {

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
  /// Of the last block of the log that ends with `last`.
  virtual Result<Digest> block_digest(Line last) const = 0;
};

}  // namespace tidemark::journal
