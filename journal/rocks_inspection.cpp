#include "journal/rocks_inspection.h"

#include <filesystem>

namespace tidemark::journal {

std::vector<PartSize> sizes_of(const Database& database, const std::string& directory) {
  namespace fs = std::filesystem;
  std::vector<PartSize> parts;
  for (auto* family : database.handles) {
    PartSize part;
    part.name = family->GetName();
    database.db->GetIntProperty(family, rocksdb::DB::Properties::kEstimateNumKeys, &part.entries);
    database.db->GetIntProperty(family, rocksdb::DB::Properties::kLiveSstFilesSize, &part.bytes);
    // RocksDB wants the default one; we do not.
    if (part.name == rocksdb::kDefaultColumnFamilyName && part.entries == 0) continue;
    parts.push_back(std::move(part));
  }
  PartSize wal{"write-ahead log", 0, 0};
  PartSize rest{"other files", 0, 0};
  std::error_code failure;
  // Files come and go beside a running node: what is gone when it is looked at has no size.
  for (fs::recursive_directory_iterator at(directory, failure), end; at != end && !failure;
       at.increment(failure)) {
    if (!at->is_regular_file(failure) || at->path().extension() == ".sst") continue;
    const auto bytes = at->file_size(failure);
    if (failure) continue;
    (at->path().extension() == ".log" ? wal : rest).bytes += bytes;
  }
  parts.push_back(std::move(wal));
  parts.push_back(std::move(rest));
  return parts;
}

}  // namespace tidemark::journal
