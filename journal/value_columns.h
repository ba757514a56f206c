// journal/value_columns.h
//
// The values of a chunk: which types follow each other, then all values of each type together:
//
//   floating point   a lattice per channel, where that is shorter; what is left: each XOR the one
//                    before of its channel, all first bytes, then all second bytes, …
//   integers, enums  a column of integers
//   all else         one PV batch, packed
//
// docs/journal-format.md has the bytes.

#pragma once

#include "base/varint.h"
#include "journal/chunk_columns.h"

namespace tidemark::journal {

/// Of columns.values, bits and others; the lengths of columns.channels say where one ends.
void append_values(Bytes& out, const ChunkColumns& columns);

/// Fills those three; columns.channels and the number of lines are there.
/// False: it is not what append_values() writes.
[[nodiscard]] bool take_values(VarintReader& from, ChunkColumns& columns);

}  // namespace tidemark::journal
