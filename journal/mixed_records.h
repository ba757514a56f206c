// journal/mixed_records.h
//
// A section of records, class by class, and back.

#pragma once

#include <array>
#include <vector>

#include "journal/section.h"
#include "journal/skeleton.h"

namespace tidemark::journal {

struct SplitRecords {
  std::vector<ClassRun> runs;  // one: all are of one class. None: it cannot be taken apart
  std::array<Bytes, kFrameClasses> batches;  // of more than one run: the records of each class
};
/// Only where join_records() gives the same bytes again.
SplitRecords split_records(const Section& section);

/// Errors: kCorruption  the batches do not hold what the runs say.
Result<Bytes> join_records(const std::vector<ClassRun>& runs,
                           const std::array<Bytes, kFrameClasses>& batches);

}  // namespace tidemark::journal
