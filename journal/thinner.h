// journal/thinner.h
//
// Lets the log give up what sealed segments have, so that there is one copy of it:
//
//   blocks ──► skeleton, frames ──► read back ──► equal?  yes: header, and the blocks go
//   chunks ────── flushed ─────────────┘                  no: header that says so; they stay
//
// Killed between any two steps it begins the segment again; until the header is written, all that
// reads goes to the log.
//
// Threads: step() from one; counters() from any.

#pragma once

#include <atomic>
#include <memory>
#include <set>

#include "journal/projections.h"
#include "journal/segment_builder.h"
#include "journal/segment_reader.h"
#include "journal/segment_store.h"

namespace tidemark::journal {

struct ThinnerLimits {
  /// Segments behind the last line that stay as they came: what is read and followed most.
  std::uint64_t raw_segments_kept = 2;
  /// So many are done in a row, after one flush: each flush is a file.
  std::uint64_t segments_at_once = 4;
};

struct ThinnerCounters {
  std::uint64_t closed = 0;  // since the process began
  std::uint64_t in_log = 0;  // of these: did not read back equal, so their blocks were kept
};

class Thinner {
 public:
  Thinner(std::shared_ptr<SegmentStore> store, std::shared_ptr<const Projections> projections,
          ThinnerLimits limits = {});

  /// Closes one segment when one is due. Whether it did.
  /// Errors: as Store::scan and SegmentStore. May be called again.
  Result<bool> step();
  ThinnerCounters counters() const { return {closed_, in_log_}; }

 private:
  Result<bool> is_due(Line first);
  Result<bool> close(SegmentHeader header);
  Result<Unit> build(SegmentHeader& header, SegmentBuilder& builder);
  /// Sections of updates that do not come back as they were; empty `why`: all else does.
  struct Differences {
    std::set<Line> updates;
    std::string why;
  };
  Result<Differences> compare(const SegmentHeader& header);

  const std::shared_ptr<SegmentStore> store_;
  const std::shared_ptr<const Projections> projections_;
  const ThinnerLimits limits_;
  Line flushed_{0};  // chunks of lines up to this are durable
  Line needed_{0};   // so far they must be for the segment that comes next
  std::atomic<std::uint64_t> closed_ = 0;
  std::atomic<std::uint64_t> in_log_ = 0;
};

/// Over the values of the chunks that belong to the segment, one after the other.
Result<Digest> digest_of_chunks(const ProjectionTable& table, const SegmentHeader& header);

}  // namespace tidemark::journal
