// journal/packed_value.h
//
// A value of a sealed segment: packed by zstd where that helps, with a checksum of its own.
//
//   u8 codec (0 none, 1 zstd) · varint bytes unpacked · body · CRC-32 of all before

#pragma once

#include "base/bytes.h"
#include "base/result.h"

namespace tidemark::journal {

Bytes pack_value(BytesView body);
/// Errors: kCorruption, also when it would become longer than `bytes_max`.
Result<Bytes> unpack_value(BytesView value, std::size_t bytes_max);

/// The checksum alone, for what is packed already.
void append_crc(Bytes& value);
/// Without the checksum. Errors: kCorruption.
Result<BytesView> checked(BytesView value);
/// The same without a look at it: RocksDB has checksums too, and who reads a day of updates does
/// not pay twice. Empty when there is none.
BytesView unchecked(BytesView value);

}  // namespace tidemark::journal
