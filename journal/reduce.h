// journal/reduce.h
//
// A channel's past in bins of equal length: what a plot of so many pixels needs. No extremum and
// no alarm is lost. Chunks that fall into one bin are not unpacked. Where updates have expired
// their decimated rows are taken, each as a whole: one that is longer than a bin is in that where
// it begins, and nowhere else.

#pragma once

#include "journal/archive.h"
#include "model/api/past.h"

namespace tidemark::journal {

struct Reduction {
  Line from{};  // lines, both included
  Line to{};
  UtcTime begin{};  // of the first bin
  UtcTime end{};    // of the last one
  std::uint32_t bins = 1000;
  bool median = false;  // unpacks every chunk, and holds every number: see kNumbersMax
  bool outside = true;  // what lies outside goes into the first or last bin; else nowhere
  /// 64 MiB of numbers.
  static constexpr std::size_t kNumbersMax = 8u << 20;
};

struct Reduced {
  std::vector<model::api::Bin> bins;    // those with samples, by time
  std::vector<DecimatedRun> decimated;  // lines among those asked for, of which there are only rows
};

/// Samples are put where their IOC's time says, after `begin` and up to `end`. Rows that only reach
/// into the lines and times count as a whole.
/// Errors: kInvalidArgument no bins, begin not before end, or more numbers than kNumbersMax and
/// their median wanted; as Archive::samples.
Result<Reduced> reduce(const Archive& archive, model::ChannelId channel, const Reduction& wanted);

/// The length of a bin.
Duration bin_width(const Reduction& wanted);

}  // namespace tidemark::journal
