// base/files.h
//
// Files as wholes: copied with their checksum, written so that they survive a power cut.

#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace tidemark {

/// Called with the bytes of each piece. False: stop, with kCancelled.
using OnPiece = std::function<bool(std::size_t bytes)>;

/// Copies `from` to `to`, which must not be there. Returns the CRC-32 of what was read.
/// Durability  on return the content survives a power cut, and the name when its directory was
/// synced. Errors      kUnavailable, naming the file.
Result<std::uint32_t> copy_file(const std::string& from, const std::string& to,
                                const OnPiece& on_piece);

/// Errors: kUnavailable; kCancelled.
Result<std::uint32_t> crc_of_file(const std::string& path, const OnPiece& on_piece);

/// Whole or not at all, under that name.
Result<Unit> write_file(const std::string& path, BytesView content);

/// At most `bytes_max`. Errors: kNotFound; kUnavailable; kCorruption it is longer.
Result<Bytes> read_file(const std::string& path, std::size_t bytes_max);

/// As mkdir -p. Durability  on return what it made survives a power cut. Errors: kUnavailable.
Result<Unit> make_durable_directories(const std::string& path);

/// Names in it survive a power cut.
Result<Unit> sync_directory(const std::string& path);

}  // namespace tidemark
