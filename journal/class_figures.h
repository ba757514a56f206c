// journal/class_figures.h
//
// What closed segments have of each class, and what of it has expired: for people.

#pragma once

#include <array>
#include <cstdint>

#include "journal/expired_runs.h"

namespace tidemark::journal {

struct ClassFigures {
  std::uint64_t bytes = 0;          // in closed segments
  Line floor{0};                    // all lines up to this are without the class; 0: none is
  std::uint64_t expired_lines = 0;  // ever
  std::uint64_t expired_bytes = 0;
};
using Figures = std::array<ClassFigures, kRecordClasses>;

/// What is left of PV updates that expired, as rows of bins.
struct DecimatedFigures {
  std::uint64_t samples = 0;  // that are in them
  std::uint64_t bytes = 0;    // about
};
/// Errors: kCorruption, kUnavailable: the disk.
Result<DecimatedFigures> decimated_figures(const ProjectionTable& table);

/// All but the bytes.
ClassFigures figures_of(const ExpiredRuns& runs, RecordClass of);
/// Cost: a row for each segment. Errors: kCorruption, kUnavailable: the disk.
Result<Figures> figures_of(const ProjectionTable& table, const ExpiredRuns& runs);

}  // namespace tidemark::journal
