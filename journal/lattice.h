// journal/lattice.h
//
// Readings come from converters: value = offset + slope * count. The counts are small, though all
// bits of such a double look random. A lattice finds offset and slope, and stores the counts; and
// for each value how many steps of the floating point it is off, mostly none. Lossless, for any
// values: what does not lie on the lattice is far off, and costs more.
//
// Reading is the same on every machine: IEEE 754 doubles, each operation rounded to nearest. The
// file is compiled without contraction to fused operations.

#pragma once

#include <cstdint>
#include <span>

#include "base/varint.h"

namespace tidemark::journal {

/// The bits of the values of one channel, in their order. False, and `out` is as it was, when they
/// lie on no lattice.
bool append_lattice(Bytes& out, std::span<const std::uint64_t> doubles);
bool append_lattice(Bytes& out, std::span<const std::uint32_t> floats);

/// As many as there is room for. False: that is not what append_lattice() writes.
[[nodiscard]] bool take_lattice(VarintReader& from, std::span<std::uint64_t> doubles);
[[nodiscard]] bool take_lattice(VarintReader& from, std::span<std::uint32_t> floats);

}  // namespace tidemark::journal
