// test/journal/golden_limits.h
//
// How the golden journal (journal_golden.cpp) is cut: small, so that it has all there is.

#pragma once

#include "journal/projections.h"

namespace tidemark::journal {

inline constexpr std::uint64_t kGoldenSegment = 32;

inline ProjectionLimits golden_limits() {
  ProjectionLimits limits;
  limits.segments.length = kGoldenSegment;
  limits.keyframe_lines_per_channel = 1;
  return limits;
}

}  // namespace tidemark::journal
