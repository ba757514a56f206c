// journal/segment_check.h
//
// Whether closed segments are what was written: each header follows the one before it, and its
// pieces have the digests that it says. Checksums find a flipped bit; this finds a piece that is
// sound, and another one. Of what has expired only the digest is left, and nothing to compare.

#pragma once

#include "journal/check.h"
#include "journal/expired_runs.h"

namespace tidemark::journal {

/// `progress` gets the lines of the segments that are done.
/// Errors: kUnavailable the disk; kCancelled.
Result<std::vector<Damage>> check_segments(const ProjectionTable& table, const ExpiredRuns& runs,
                                           const CheckProgress& progress);

}  // namespace tidemark::journal
