// journal/decimated_check.h
//
// Whether the decimated rows are those that were written: their checksums, and that no update is
// missing in them, since each run says how many there are.

#pragma once

#include <string>
#include <vector>

#include "journal/expired_runs.h"
#include "journal/projection_table.h"

namespace tidemark::journal {

struct DecimatedReport {
  std::uint64_t rows = 0;
  std::uint64_t samples = 0;  // in them
  std::vector<std::string> faults;
};

/// Errors: kUnavailable: the disk.
Result<DecimatedReport> check_decimated(const ProjectionTable& table, const ExpiredRuns& expired);

}  // namespace tidemark::journal
