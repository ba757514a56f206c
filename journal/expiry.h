// journal/expiry.h
//
// What has to go, and what has to be put in its place, for closed segments to be without a class.
//
//   records      their frames
//   PV updates   chunks, and the keyframes between ──► a base (base_state.h) behind them, and rows
//                                                      of what they were (decimator.h), if wanted
//
// It only reads; SegmentStore::expire() does it.

#pragma once

#include "journal/archive.h"
#include "journal/segment_store.h"

namespace tidemark::journal {

/// The lines that lose their records of `of` with that segment: those of the segment, or of its
/// chunks.
std::pair<Line, Line> lines_of(RecordClass of, const SegmentHeader& header);

/// `headers`: closed segments that follow each other, at least one, none of them in the log, whose
/// records of `of` are there. `decimate`: of PV updates there will be rows of bins of that width;
/// not of those of which some are damaged, since nobody could say what is missing. 0: of none.
/// Cost: of PV updates, the state of the machine once; and that of decimate().
/// Errors: kCorruption, kUnavailable: the disk.
Result<Expiry> prepare_expiry(const SegmentStore& store, const Archive& archive, RecordClass of,
                              const std::vector<SegmentHeader>& headers, std::string reason,
                              Duration decimate = Duration{0});

/// The pieces of a run are those from the first of these keys to before the second.
std::pair<Bytes, Bytes> keys_of(RecordClass of, const ExpiredRun& run, const Segments& segments);

/// The line that says so.
InspectedSection expired_section(const Expiry& expiry, std::uint64_t sequence, UtcTime now);

}  // namespace tidemark::journal
