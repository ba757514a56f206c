// base/bytes.h
//
// Bytes are std::string, views of bytes are std::string_view: what ZeroMQ, RocksDB,
// msgpack and zlib take as they are. Integers are little-endian unless a name ends in _be;
// big-endian is for keys and prefixes, where byte order must be numeric order.

#pragma once

#include <concepts>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace tidemark {

using Bytes = std::string;
using BytesView = std::string_view;

/// Appends `value`, least significant byte first.
template <std::integral T>
void append_le(Bytes& out, T value) {
  static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
  char raw[sizeof(T)];
  std::memcpy(raw, &value, sizeof(T));
  out.append(raw, sizeof(T));
}

/// Reads at `offset`; the caller has checked that `offset + sizeof(T)` fits.
template <std::integral T>
T read_le(BytesView bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

/// Appends `value`, most significant byte first.
template <std::unsigned_integral T>
void append_be(Bytes& out, T value) {
  for (int shift = (static_cast<int>(sizeof(T)) - 1) * 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(static_cast<unsigned char>(value >> shift)));
  }
}

/// Reads at `offset`; the caller has checked that `offset + sizeof(T)` fits.
template <std::unsigned_integral T>
T read_be(BytesView bytes, std::size_t offset) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>((value << 8) | static_cast<unsigned char>(bytes[offset + i]));
  }
  return value;
}

}  // namespace tidemark
