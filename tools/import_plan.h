// tools/import_plan.h
//
// Which lines are new to the journal, and as whose records they are appended. The journal keeps
// one number for each origin, up to which it has its records, so what comes in later and is older
// cannot be the same origin's any more: it is that of "<origin>/late 1", and so on. Pure.

#pragma once

#include <map>
#include <vector>

#include "model/api/journal.h"
#include "tools/import_line.h"

namespace tidemark::tools {

/// What the journal has of an origin of imports.
struct Known {
  std::uint64_t through = 0;
  std::vector<std::uint64_t> numbers;  // sorted
};
using KnownOrigins = std::map<Uuid, Known>;

/// The origin itself is level 0.
inline constexpr int kLateMax = 8;
Uuid origin_at(const Uuid& origin, int level);

/// Puts the lines in order, leaves out what is there twice, and moves apart what has one number.
/// Answers how many were there twice.
std::uint64_t put_in_order(std::vector<ImportedLine>& lines);

/// Leaves those that the journal lacks, each with the origin that will take it, and counts them
/// as known from now on. `lines` are in order. Errors: kConflict  older than what came in before,
/// too often: see kLateMax.
Result<std::uint64_t> leave_new(std::vector<ImportedLine>& lines, KnownOrigins& known);

/// As requests that the journal takes, in the order of the lines as far as origins allow.
std::vector<model::api::AppendRequest> requests_of(const std::vector<ImportedLine>& lines,
                                                   const std::map<Uuid, std::uint64_t>& after);

}  // namespace tidemark::tools
