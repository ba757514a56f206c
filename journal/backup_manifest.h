// journal/backup_manifest.h
//
// What a backup of a journal holds: its files with their checksums, and the line that it ends with.
// A text file, so that it can be read when all else fails:
//
//   tidemark backup 1
//   made 2026-11-27T17:30:00.123456789Z
//   last 4711 5f3c…                          its line, and the digest of the block that ends there
//   file 9a3b44c1 1048576 1764264600000000000 db/000012.sst     CRC-32, bytes, mtime in ns, path
//   end 7c0d12ff                             CRC-32 of all before

#pragma once

#include <string>
#include <vector>

#include "base/digest.h"
#include "base/time.h"
#include "journal/store.h"

namespace tidemark::journal {

inline constexpr const char* kBackupManifest = "backup";
inline constexpr std::size_t kManifestBytesMax = 64u << 20;

struct BackupFile {
  std::string path;  // in the backup; no part of it is ".."
  std::uint64_t bytes = 0;
  std::uint32_t crc = 0;
  std::int64_t modified = 0;  // of the journal's own file: with path and bytes, that it is the same
  bool operator==(const BackupFile&) const = default;
};

struct BackupManifest {
  UtcTime made_at{};
  Line last{};
  Digest head{};  // of the block that ends with it; zeros in an empty journal
  std::vector<BackupFile> files;
  std::uint64_t bytes() const;
  bool operator==(const BackupManifest&) const = default;
};

Bytes encode(const BackupManifest& manifest);
/// Errors: kCorruption.
Result<BackupManifest> decode_backup_manifest(BytesView text);

}  // namespace tidemark::journal
