// base/digest.h
//
// Checksums and digests, each from the library that is known for it.
//   crc32    zlib's CRC-32 (IEEE). Against accidents on wire and disk. CRC32C would be as good,
//            but this one is in the standard library of every language a peer may be written in.
//   digest   BLAKE2b-128 (libsodium). For the journal's hash chain, plan hashes, derived UUIDs.

#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"

namespace tidemark {

using Digest = std::array<std::uint8_t, 16>;

/// CRC-32 of `bytes`, continuing from `seed` (the CRC of what came before; 0 at the start).
std::uint32_t crc32(BytesView bytes, std::uint32_t seed = 0);

/// BLAKE2b with 16 bytes of output over `first` followed by `second`.
Digest digest(BytesView first, BytesView second = {});

}  // namespace tidemark
