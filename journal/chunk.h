// journal/chunk.h
//
// Some updates of one channel, packed by columns: what is read for plots and statistics, and what
// a channel's past is made of. Lossless: each update comes back exactly, with its line.
//
//   header: count, lines, times, worst alarm, minimum, maximum, sum     read without the rest
//   body:   lines · times · types · alarms · hidden · values            packed by zstd
//
// docs/journal-format.md has every byte.

#pragma once

#include <optional>
#include <vector>

#include "journal/store.h"
#include "model/pv_update.h"

namespace tidemark::journal {

/// One update of a channel, and where it stands in the journal.
struct Sample {
  Line line{};
  model::PvUpdate update;
};

/// What a chunk says of itself.
struct ChunkHeader {
  std::uint32_t count = 0;
  Line first{};
  Line last{};
  UtcTime earliest{};  // of taken_at, which need not be sorted
  UtcTime latest{};
  model::Severity worst = model::Severity::kNone;
  /// Of the values that are numbers; none when there are none, or the chunk is too small to say.
  struct Numbers {
    std::uint32_t count = 0;  // NaN does not count
    double first = 0;
    double last = 0;
    double min = 0;
    double max = 0;
    double sum = 0;
    double squares = 0;  // sum of them
  };
  std::optional<Numbers> numbers;
};

inline constexpr std::uint32_t kChunkSamplesMax = 8192;
/// Of strings and arrays. One value may be larger, and is then a chunk of its own.
inline constexpr std::size_t kChunkContentMax = 1u << 20;

/// `samples`: of one channel, 1 to kChunkSamplesMax, within kChunkContentMax, lines strictly
/// growing.
Bytes encode_chunk(const std::vector<Sample>& samples);

/// Errors: kCorruption.
Result<ChunkHeader> decode_chunk_header(BytesView chunk);
/// Appends to `out`. Errors: kCorruption; `out` may have got some.
Result<Unit> decode_chunk(BytesView chunk, model::ChannelId channel, std::vector<Sample>& out);

}  // namespace tidemark::journal
