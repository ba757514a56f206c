// journal/decimator.h
//
// Makes decimated rows of the chunks that are about to go, and finds those of a channel again.
//
//   chunks of closed segments ──► rows by channel and bin ──┐
//                                 rows that are there ──────┴──► rows, in their place
//
// A row does not depend on the order in which segments expire: a bin that reaches over several of
// them has one row in the end. It only reads; who writes is SegmentStore::expire().

#pragma once

#include <functional>
#include <vector>

#include "journal/decimated_row.h"
#include "journal/decimated_runs.h"
#include "journal/expired_runs.h"
#include "journal/projection_keys.h"
#include "journal/segment_header.h"

namespace tidemark::journal {

/// A source's clock is trusted so far around the time when its segment was recorded. What was taken
/// earlier or later counts as taken when the segment began: many sources say 1990 until they know.
inline constexpr Duration kTakenAround = std::chrono::hours(24);

/// What is to be written, and dropped, beside the chunks.
struct Decimation {
  std::uint64_t samples = 0;
  std::vector<Bytes> drops;
  std::vector<KeyValue> puts;
};

/// `headers`: closed segments that follow each other, whose chunks are lines `run`.
/// Cost: unpacks their chunks, but for those that lie in one bin; and the rows of these bins.
/// Errors: kCorruption, also of rows that are there; kUnavailable: the disk.
Result<Decimation> decimate(const ProjectionTable& table, const std::vector<SegmentHeader>& headers,
                            const ExpiredRun& run, Duration width);

/// Calls `visit` with the channel's rows that reach into lines `from` to `to`, whole; not by line.
/// `runs`: those that touch these lines.
/// Errors: kCorruption, kUnavailable: the disk.
Result<Unit> visit_decimated(const ProjectionTable& table, const Segments& segments,
                             const std::vector<DecimatedRun>& runs, model::ChannelId channel,
                             Line from, Line to,
                             const std::function<void(const DecimatedRow&)>& visit);

}  // namespace tidemark::journal
