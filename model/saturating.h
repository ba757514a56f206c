// model/saturating.h

#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

namespace tidemark::model {

/// A count that stays at the largest number rather than begin anew.
constexpr std::uint32_t add_saturating(std::uint32_t a, std::uint32_t b) {
  return a + std::min(b, std::numeric_limits<std::uint32_t>::max() - a);
}

}  // namespace tidemark::model
