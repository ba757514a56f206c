// catalog/backup.h
//
// The whole catalog as one file, taken while it is used: every key of one moment, with its value.
// Made of the Store's contract alone, so that it can be read whatever the store will be.
//
//   "TMCATLG1" · entries · end
//   entry   bytes of the key u32, 1 to kKeyBytesMax · bytes of the value u32 · key · value
//   end     0 u32 · entries u64 · CRC-32 of all before u32            numbers are big-endian

#pragma once

#include <functional>
#include <istream>
#include <string>

#include "catalog/store.h"

namespace tidemark::catalog {

inline constexpr std::size_t kKeyBytesMax = 4096;
inline constexpr std::size_t kValueBytesMax = 256u << 20;  // a snapshot of a million PVs

struct BackupSize {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;  // of the file
  bool operator==(const BackupSize&) const = default;
};

/// Writes what `store` has at this moment into a new file.
///
/// Durability  on return it survives a power cut; before, there is no file of that name.
/// Errors      kConflict it is there already; kUnavailable the disk; kCorruption what the store
/// has.
Result<BackupSize> write_backup(const Store& store, const std::string& path);

/// Calls `take` with each entry, then knows whether all were what was written. `take` may refuse.
/// Errors: kCorruption; what `take` answers.
Result<BackupSize> read_backup(std::istream& in,
                               const std::function<Result<Unit>(Bytes key, Bytes value)>& take);

/// Reads all of it before it writes any of it. `into` should be empty.
/// Errors: kNotFound no such file; kCorruption it is not what was written, and nothing was written;
///         as Store::commit(): `into` is of no use.
Result<BackupSize> restore_backup(const std::string& path, Store& into);

}  // namespace tidemark::catalog
