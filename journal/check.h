// journal/check.h
//
// Whether a journal is what was written: every block with its checksums, the chain of digests from
// the first to the last, and what is derived against the same made anew from the log.
//
//   Store ── check_lines() ──► damaged and missing lines, exactly
//         └─ check_projections() ──► rows that are wrong, missing, or nobody's
//
// It reads everything, and changes nothing.

#pragma once

#include <functional>
#include <string>
#include <vector>

#include "journal/damage.h"
#include "journal/projections.h"

namespace tidemark::journal {

/// Called now and then with how many lines are done. False: stop, with kCancelled.
using CheckProgress = std::function<bool(std::uint64_t lines)>;

struct Damage {
  LineRange lines;
  std::string why;
};

struct LinesReport {
  std::uint64_t lines = 0;    // that are sound
  std::uint64_t expired = 0;  // of them: what they said was not to be kept any longer
  std::uint64_t blocks = 0;   // of them
  std::vector<Damage> damage;
};

/// Reads all lines, also behind damage.
/// Errors: kUnavailable the disk; kCancelled.
Result<LinesReport> check_lines(const Store& store, const CheckProgress& progress);

struct ProjectionsReport {
  Line through{0};  // what was compared: all lines up to this
  std::uint64_t rows = 0;
  std::uint64_t wrong = 0;    // not what the log says
  std::uint64_t missing = 0;  // the log says them
  std::uint64_t surplus = 0;  // the log does not
  std::string unusable;       // why nothing could be compared; the next start makes them anew
  bool sound() const { return wrong + missing + surplus == 0 && unusable.empty(); }
};

/// Errors: as Store::scan, when lines that it needs cannot be read; kCancelled.
/// Memory: a segment, as in a running journal.
Result<ProjectionsReport> check_projections(std::shared_ptr<const Store> store,
                                            std::shared_ptr<const ProjectionTable> table,
                                            const CheckProgress& progress,
                                            ProjectionLimits limits = {});

/// Throws away what is derived and makes it anew. The table must be one that can be written.
/// Errors: as Projections::advance(); kCancelled: the rest is made by the next start.
Result<Unit> rebuild_projections(std::shared_ptr<const Store> store,
                                 std::shared_ptr<ProjectionTable> table,
                                 const CheckProgress& progress, ProjectionLimits limits = {});

}  // namespace tidemark::journal
