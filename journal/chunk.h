// journal/chunk.h
//
// Updates of one busy channel, or of some quiet ones, packed by columns: what is read for plots and
// statistics, and what a channel's past is made of. Lossless: each update comes back exactly, with
// its line.
//
//   header: count, lines, times, worst alarm, minimum, maximum, sum     read without the rest
//   body:   channels · lines · times · alarms · hidden · values         each packed as suits it
//
// docs/journal-format.md has every byte.

#pragma once

#include <optional>
#include <vector>

#include "journal/chunk_columns.h"

namespace tidemark::journal {

/// What a chunk says of itself.
struct ChunkHeader {
  std::uint32_t count = 0;
  Line first{};
  Line last{};
  UtcTime earliest{};  // of taken_at, which need not be sorted
  UtcTime latest{};
  model::Severity worst = model::Severity::kNone;
  /// Of the values that are numbers; none when there are none, the chunk is too small to say, or it
  /// is of several channels.
  struct Numbers {
    std::uint32_t count = 0;  // NaN does not count
    double first = 0;
    double last = 0;
    double min = 0;
    double max = 0;
    double sum = 0;
    double spread = 0;  // sum of the squared distances from their mean
  };
  std::optional<Numbers> numbers;
};

inline constexpr std::uint32_t kChunkSamplesMax = 65'536;
/// Of strings and arrays. One value may be larger, and is then a chunk of its own.
inline constexpr std::size_t kChunkContentMax = 1u << 20;

/// What the bytes of a chunk went into.
struct ChunkSizes {
  std::size_t head = 0;
  std::size_t channels = 0;
  std::size_t lines = 0;
  std::size_t times = 0;
  std::size_t alarms = 0;  // and what was hidden
  std::size_t values = 0;
};

/// `samples`: 1 to kChunkSamplesMax, within kChunkContentMax, sorted by channel and then line.
/// Adds to `sizes`, if any.
Bytes encode_chunk(const std::vector<Sample>& samples, ChunkSizes* sizes = nullptr);

/// Errors: kCorruption.
Result<ChunkHeader> decode_chunk_header(BytesView chunk);
/// Errors: kCorruption; `columns` may have got some.
Result<Unit> decode_chunk(BytesView chunk, ChunkColumns& columns);
/// Appends to `out`, in the same order. Errors: kCorruption; `out` may have got some.
Result<Unit> decode_chunk(BytesView chunk, std::vector<Sample>& out);

}  // namespace tidemark::journal
