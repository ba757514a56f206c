// journal/rocks_repair.h
//
// A damaged journal, written anew into another directory: all lines that are sound, each under its
// number, and for those that are lost as many lines that say so. The damaged one is only read.
//
//   damaged directory ── salvage, check ──► sound blocks ──► Store::append() ──► new directory
//                                       └─► lost lines ───►
//
// So what comes out was written by the same code as any journal: chain, marks and witness are right
// by construction, and nobody who reads it has to know of holes.

#pragma once

#include <string>
#include <vector>

#include "journal/check.h"
#include "journal/rocks_store.h"

namespace tidemark::journal {

/// Lines that may have been acknowledged behind the last one that anybody knows of: what a journal
/// appends between two writes of its witness. When the end is lost they are written off, so that no
/// number is used twice.
inline constexpr std::uint64_t kUnwitnessedLines = 65'536;

struct RepairReport {
  Line last{0};               // of the new journal
  std::uint64_t kept = 0;     // lines
  std::vector<Damage> lost;   // lines
  std::size_t addresses = 0;  // of channels whose definition was lost, and was found elsewhere
  std::vector<Error> findings;
};

/// `to` must not be there, or be empty. What is derived is made by its first start.
/// Errors: kConflict     a node holds `from`, or `to` is not empty.
///         kUnavailable  not enough room for all of it, said before anything is written; or the
///         disk. kCorruption   not one line can be read. kCancelled    `to` is not complete: remove
///         it.
Result<RepairReport> repair_journal(const std::string& from, const std::string& to,
                                    const CheckProgress& progress);

}  // namespace tidemark::journal
