// base/varint.h
//
// Integers in as few bytes as they need: seven bits a byte, least significant first, the top bit
// set while more follow. Signed ones are zigzag: small in either direction is short.

#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace tidemark {

inline void append_varint(Bytes& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

constexpr std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

/// Takes values off the front of bytes. After a take that did not fit, ok() is false and all
/// later takes give 0, so a decoder may check once at the end of each column.
class VarintReader {
 public:
  explicit VarintReader(BytesView bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  std::uint64_t take() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (at_ == end_) return fail();
      const auto byte = static_cast<unsigned char>(*at_++);
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return fail();
  }
  std::int64_t take_signed() { return unzigzag(take()); }
  std::uint8_t take_byte() {
    if (at_ == end_) return static_cast<std::uint8_t>(fail());
    return static_cast<std::uint8_t>(*at_++);
  }
  /// Empty when there are not that many.
  BytesView take_bytes(std::size_t count) {
    if (count > left()) {
      fail();
      return {};
    }
    const BytesView taken(at_, count);
    at_ += count;
    return taken;
  }
  /// What was not taken yet.
  BytesView rest() const { return BytesView(at_, left()); }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  bool ok() const { return ok_; }

 private:
  std::uint64_t fail() {
    ok_ = false;
    at_ = end_;
    return 0;
  }

  const char* at_;
  const char* end_;
  bool ok_ = true;
};

}  // namespace tidemark
