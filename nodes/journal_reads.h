// nodes/journal_reads.h
//
// What a journal answers without writing: its lines, the past, marks. Inside of the journal node,
// and of a command that reads a directory (offline_journal.h): the same answers.

#pragma once

#include <caf/actor_system.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "actors/archivist.h"
#include "actors/journal.h"
#include "journal/projections.h"

namespace tidemark::nodes {

/// What origins are called: from the directory, filled on one thread and read on another.
class NodeNames {
 public:
  /// Knows the names that nodes of a site usually have.
  explicit NodeNames(const std::string& site);
  void learn(const bus::Directory& directory);
  std::string name_of(const Uuid& uuid) const;

 private:
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::map<Uuid, std::string> names_;
};

class JournalReads {
 public:
  /// Serves on `link`, which goes before `system` does.
  JournalReads(caf::actor_system& system, bus::Link& link, const std::string& site,
               const std::shared_ptr<journal::Store>& store,
               std::shared_ptr<const journal::Projections> projections);
  ~JournalReads();
  JournalReads(const JournalReads&) = delete;
  JournalReads& operator=(const JournalReads&) = delete;

  /// The reader that new lines are told to.
  const actors::JournalReader& followers() const { return followers_; }
  const std::shared_ptr<NodeNames>& names() const { return names_; }

 private:
  const std::shared_ptr<NodeNames> names_;
  actors::Archivist archivist_;
  // A search may take a while; nobody who waits for the next line waits behind it.
  actors::JournalReader followers_;
  actors::JournalReader searches_;
};

}  // namespace tidemark::nodes
