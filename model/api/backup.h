// model/api/backup.h
//
//   journal.backup   BackupRequest → progress: BackupProgress…, done: BackupReply

#pragma once

#include <cstdint>
#include <string>
#include <tuple>

#include "model/packing.h"

namespace tidemark::model::api {

struct BackupRequest {
  std::string directory;  // absolute, on the journal's host: where the backup gets one of its own
  static auto fields(auto& s) { return std::tie(s.directory); }
};

struct BackupProgress {
  std::uint64_t done = 0;  // bytes
  std::uint64_t total = 0;
  static auto fields(auto& s) { return std::tie(s.done, s.total); }
};

struct BackupReply {
  std::string directory;        // of this backup
  std::uint64_t last_line = 0;  // every line up to it is in the backup
  std::uint64_t copied_bytes = 0;
  std::uint64_t linked_bytes = 0;  // of files that the backup before has too
  static auto fields(auto& s) {
    return std::tie(s.directory, s.last_line, s.copied_bytes, s.linked_bytes);
  }
};

}  // namespace tidemark::model::api
