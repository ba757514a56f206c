// actors/backup.h
//
// Answers journal.backup, and keeper.backup: one at a time, on a thread of its own, while the node
// goes on. What writes the files it does not know.

#pragma once

#include <atomic>

#include "actors/messages.h"
#include "model/api/backup.h"

namespace tidemark::actors {

/// False: nobody wants it any more.
using BackupProgress = std::function<bool(std::uint64_t done, std::uint64_t total)>;
using WriteBackup = std::function<Result<model::api::BackupReply>(
    const model::api::BackupRequest& request, const BackupProgress& progress)>;

using BackupWriter = caf::typed_actor<
    /// BackupRequest → progress: BackupProgress, at most ten a second; done: BackupReply.
    /// Errors: kInvalidArgument  no absolute path, or a name that is more than one
    ///         kCancelled        the caller gave up, or the node stops; nothing stays
    ///         and those of what writes
    caf::reacts_to<start_atom, bus::Call>>;

struct BackupWriterState {
  static inline const char* name = "backup";
  WriteBackup write;
};

/// It blocks: spawn it with caf::detached. `stop`: a backup that runs ends with its next piece.
BackupWriter::behavior_type backup_actor(BackupWriter::stateful_pointer<BackupWriterState> self,
                                         WriteBackup write,
                                         std::shared_ptr<const std::atomic<bool>> stop);

}  // namespace tidemark::actors
