// model/api/backup.h
//
//   journal.backup   BackupRequest → progress: BackupProgress…, done: BackupReply
//   keeper.backup    BackupRequest → done: BackupReply      the catalog, as one file

#pragma once

#include <cstdint>
#include <string>
#include <tuple>

#include "model/packing.h"

namespace tidemark::model::api {

struct BackupRequest {
  std::string directory;  // absolute, on the node's host: where the backup gets a place of its own
  std::string name{};     // of this backup; a journal without one takes the time
  static auto fields(auto& s) { return std::tie(s.directory, s.name); }
};

struct BackupProgress {
  std::uint64_t done = 0;  // bytes
  std::uint64_t total = 0;
  static auto fields(auto& s) { return std::tie(s.done, s.total); }
};

struct BackupReply {
  std::string directory;        // of this backup; of the catalog's, its file
  std::uint64_t last_line = 0;  // every line up to it is in the backup; of the catalog's: 0
  std::uint64_t copied_bytes = 0;
  std::uint64_t linked_bytes = 0;  // of files that the backup before has too
  static auto fields(auto& s) {
    return std::tie(s.directory, s.last_line, s.copied_bytes, s.linked_bytes);
  }
};

}  // namespace tidemark::model::api
