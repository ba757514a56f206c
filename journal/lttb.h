// journal/lttb.h
//
// Which of many samples draw nearly the same line: largest triangle three buckets (S. Steinarsson,
// "Downsampling Time Series for Visual Representation", University of Iceland, 2013). Samples go
// into buckets of equally many; of each bucket stays the one that spans the largest triangle with
// the one kept before and the mean of the next bucket. The first and the last stay. Unlike bins it
// gives real samples; an extremum in a bucket with a larger one beside it may go.

#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tidemark::journal {

struct PlotPoint {
  std::int64_t time = 0;  // ns
  double value = 0;       // finite
};

/// The positions of those that stay, ascending: `count` of them (two at least), or all when there
/// are no more.
std::vector<std::size_t> lttb(std::span<const PlotPoint> points, std::size_t count);

}  // namespace tidemark::journal
