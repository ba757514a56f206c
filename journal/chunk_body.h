// journal/chunk_body.h
//
// A chunk that was opened: its header, and its body still packed. Only for chunk.cpp and what reads
// bodies of older formats.

#pragma once

#include "journal/chunk.h"

namespace tidemark::journal {

struct ChunkParts {
  std::uint8_t format = 0;
  ChunkHeader header;
  std::int64_t first_time = 0;
  bool any_hidden = false;
  bool is_packed = false;  // format 1
  BytesView body;          // format 1: its length first
};

/// Appends to `out`. Errors: kCorruption; `out` may have got some.
Result<Unit> decode_body_format1(const ChunkParts& chunk, std::vector<Sample>& out);

}  // namespace tidemark::journal
