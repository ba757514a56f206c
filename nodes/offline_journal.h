// nodes/offline_journal.h
//
// A journal directory as if its site were up: a registry and a journal on a bus inside of this
// process, for commands that read the past without a running system, or beside one.
//
//   directory, opened to read ─► JournalReads ─► MemoryBus ─► Link of the command

#pragma once

#include <memory>
#include <string>

#include "bus/link.h"

namespace tidemark::nodes {

class OfflineJournal {
 public:
  /// `site`: its name, from which follows what its nodes are called; may be empty.
  /// Errors: as journal::open_rocks_journal_to_read().
  static Result<std::unique_ptr<OfflineJournal>> open(const std::string& directory,
                                                      const std::string& site);
  virtual ~OfflineJournal() = default;

  /// A link of somebody who asks. It goes before this does.
  virtual std::unique_ptr<bus::Link> link() = 0;
  /// Where its directory is asked for.
  virtual bus::NodeInfo registry() const = 0;
};

}  // namespace tidemark::nodes
