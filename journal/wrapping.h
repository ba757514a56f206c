// journal/wrapping.h
//
// Times, sums and differences as formats hold them: numbers of 64 bits that wrap, so that any two
// have a difference.

#pragma once

#include <cstdint>

#include "base/time.h"

namespace tidemark::journal {

constexpr std::int64_t ns(UtcTime time) { return time.time_since_epoch().count(); }

constexpr std::int64_t plus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
constexpr std::int64_t minus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}
constexpr std::int64_t times(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}

}  // namespace tidemark::journal
