// journal/int_column.h
//
// A column of 64-bit integers in as few bits as they need: lines, times, steps of a lattice. Each
// column picks for itself what is stored (the values, their steps, the steps' changes, or the
// distances from a straight line) and how (one for all, packed at one width, Rice, or only those
// that differ). Arithmetic wraps, so any integers come back.
//
// docs/journal-format.md has the bytes.

#pragma once

#include <cstdint>
#include <span>

#include "base/varint.h"

namespace tidemark::journal {

/// What may be stored instead of the values. Fewer to try, faster to write.
inline constexpr unsigned kAsValues = 1;
inline constexpr unsigned kAsSteps = 2;
inline constexpr unsigned kAsBends = 4;  // changes of the steps
inline constexpr unsigned kAsSlope = 8;  // distances from a straight line
inline constexpr unsigned kAsAny = 15;

void append_column(Bytes& out, std::span<const std::int64_t> values, unsigned tries = kAsAny);

/// As many as `values` has room for. False: that is not what append_column() writes.
[[nodiscard]] bool take_column(VarintReader& from, std::span<std::int64_t> values);

}  // namespace tidemark::journal
