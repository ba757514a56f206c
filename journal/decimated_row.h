// journal/decimated_row.h
//
// What is left of PV updates that expired: of a channel and a bin of time one row, with all that a
// bin of its history says. The rows of 64 channels and one bin are one value, by columns. Nobody
// can make them anew.
//
//   updates ──► row          row + row ──► row, in whatever order they come
//
// docs/journal-format.md has every byte.

#pragma once

#include <vector>

#include "journal/projection_table.h"
#include "journal/store.h"
#include "model/pv_update.h"

namespace tidemark::journal {

struct DecimatedRow {
  std::uint64_t samples = 0;  // updates, also connections made and lost; never 0
  Line first{};               // of them
  Line last{};
  UtcTime earliest{};  // of their times
  UtcTime latest{};
  model::Severity worst = model::Severity::kNone;
  bool disconnected = false;  // at some time

  /// Of the values that are numbers, and not NaN.
  struct Numbers {
    std::uint64_t count = 0;  // 0: none, and nothing else is said
    Line first_line{};
    Line last_line{};
    double first = 0;
    double last = 0;
    double min = 0;
    double max = 0;
    double sum = 0;
    double spread = 0;  // sum of the squared distances from their mean
  };
  Numbers numbers;
};

/// An update as a row of its own. `time`: that it counts under.
DecimatedRow row_of(Line line, const model::PvUpdate& update, UtcTime time);

/// `more` has no line that is in `into`. Sums are rounded in the order in which they are added; all
/// else does not depend on it.
void add(const DecimatedRow& more, DecimatedRow& into);

struct ChannelRow {
  model::ChannelId channel{};
  DecimatedRow row;
};

/// Channels n * kDecimatedChannels to (n + 1) * kDecimatedChannels - 1 are one shard: few, since
/// who reads one of them through a year unpacks all of its shard.
inline constexpr std::uint32_t kDecimatedChannels = 64;

/// Bins of `width` begin at its multiples since 1970.
std::int64_t bin_of(UtcTime time, Duration width);

/// `rows`: of one shard, at least one, by channel.
Bytes encode_rows(const std::vector<ChannelRow>& rows);
/// Errors: kCorruption.
Result<std::vector<ChannelRow>> decode_rows(BytesView stored, std::uint32_t shard);

}  // namespace tidemark::journal
