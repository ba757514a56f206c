// journal/bits.h
//
// Numbers of any width from 0 to 64 bits, one behind the other: the first in the lowest bits of the
// first byte.

#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/bytes.h"

namespace tidemark::journal {

constexpr std::uint64_t low_bits(unsigned count) {
  return count >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
}

class BitWriter {
 public:
  explicit BitWriter(Bytes& out) : out_(out) {}

  /// `value` has no more than `bits` bits, at most 64.
  void put(std::uint64_t value, unsigned bits) {
    pending_ |= value << used_;
    if (used_ + bits < 64) {
      used_ += bits;
      return;
    }
    append_le(out_, pending_);
    const auto taken = 64 - used_;
    pending_ = taken < 64 ? value >> taken : 0;
    used_ = bits - taken;
  }
  /// Fills up the last byte.
  void finish() {
    for (; used_ > 0; used_ -= std::min(used_, 8u)) {
      out_.push_back(static_cast<char>(pending_));
      pending_ >>= 8;
    }
  }

 private:
  Bytes& out_;
  std::uint64_t pending_ = 0;
  unsigned used_ = 0;  // bits of pending_, fewer than 64
};

/// Behind the end there are zeros, and ok() is false then.
class BitReader {
 public:
  explicit BitReader(BytesView bytes) : bytes_(bytes) {}

  /// The next 57 bits at least.
  std::uint64_t peek() const {
    const auto at = bit_ >> 3;
    std::uint64_t word = 0;
    if (at + sizeof(word) <= bytes_.size()) {
      std::memcpy(&word, bytes_.data() + at, sizeof(word));
    } else if (at < bytes_.size()) {
      std::memcpy(&word, bytes_.data() + at, bytes_.size() - at);
    }
    return word >> (bit_ & 7);
  }
  std::uint64_t take(unsigned bits) {
    if (bits > 32) {
      const auto low = take(32);
      return low | take(bits - 32) << 32;
    }
    const auto value = peek() & low_bits(bits);
    bit_ += bits;
    return value;
  }
  void skip(unsigned bits) { bit_ += bits; }
  bool ok() const { return bit_ <= bytes_.size() * 8; }
  /// That were begun.
  std::size_t bytes() const { return (bit_ + 7) / 8; }

 private:
  const BytesView bytes_;
  std::size_t bit_ = 0;
};

}  // namespace tidemark::journal
