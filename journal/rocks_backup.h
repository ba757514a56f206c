// journal/rocks_backup.h
//
// Backups of a journal, also while it is written. A backup is a journal's directory with a list of
// its files: it can be read, checked and started as it lies there.
//
//   node: checkpoint (hard links, milliseconds) ──► DEST/.partial ──► DEST/2026-11-27T17-30-00Z/
//
// Tables never change, so those that the newest backup in DEST has already are linked to it, not
// copied: each backup is whole, and costs what is new. Removing a backup is removing its directory.

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "journal/backup_manifest.h"
#include "journal/rocks_store.h"

namespace tidemark::journal {

/// Bytes done, and all of them. False: stop, with kCancelled.
using CopyProgress = std::function<bool(std::uint64_t done, std::uint64_t total)>;

struct BackupReport {
  std::string directory;
  BackupManifest manifest;
  std::uint64_t copied_bytes = 0;
  std::uint64_t linked_bytes = 0;  // of files that the backup before has too
};

/// "2026-11-27T17-30-00.000Z": sorts by time, and no system minds it.
std::string backup_name(UtcTime time);

/// All lines that were acknowledged before the call are in it. `checkpoint`: RocksJournal's; of the
/// journal in `directory`. `to` is made when it is not there. `name`: of its directory in `to`;
/// empty: backup_name(now).
///
/// Durability  on return the backup survives a power cut.
/// Threads     one at a time for a journal.
/// Errors      kUnavailable  the disk, or no room. What is there of the new one is removed.
///             kCorruption   the journal's own files are not what was written.
///             kCancelled
Result<BackupReport> write_backup(const RocksJournal& journal, const std::string& directory,
                                  const std::string& to, UtcTime now, const CopyProgress& progress,
                                  const std::string& name = {});

/// Empty when `directory` is no backup.
/// Errors: kCorruption  it is one, and its list of files cannot be read.
Result<std::optional<BackupManifest>> read_backup_manifest(const std::string& directory);

/// The files that are not what the list says, each with what is wrong.
/// Errors: kCancelled.
Result<std::vector<std::string>> check_backup_files(const std::string& directory,
                                                    const BackupManifest& manifest,
                                                    const CopyProgress& progress);

/// Copies a backup into `to`, which must not be there, or be empty; then it must open, and end with
/// the backup's last line.
/// Errors: kConflict, kCorruption, kUnavailable, kNotFound `from` is no backup; kCancelled.
Result<BackupManifest> restore_backup(const std::string& from, const std::string& to,
                                      const CopyProgress& progress);

}  // namespace tidemark::journal
