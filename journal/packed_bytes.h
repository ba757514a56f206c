// journal/packed_bytes.h
//
// A stretch of bytes inside something larger, packed by zstd when that makes it shorter: varint
// bytes as stored, 0 for "as they are" · the bytes. Its length, unpacked, the reader knows.

#pragma once

#include "base/varint.h"

namespace tidemark::journal {

void append_packed(Bytes& out, BytesView bytes);

/// `size` bytes; `room` holds them when they had to be unpacked. None: it is not what
/// append_packed() writes.
[[nodiscard]] std::optional<BytesView> take_packed(VarintReader& from, std::size_t size,
                                                   Bytes& room);

}  // namespace tidemark::journal
