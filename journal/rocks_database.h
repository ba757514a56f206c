// journal/rocks_database.h
//
// The journal's RocksDB: its families, and how it is opened.

#pragma once

#include <rocksdb/db.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "journal/rocks_projection_table.h"
#include "journal/rocks_store.h"

namespace tidemark::journal {

/// A database and its families, closed together.
struct Database {
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;

  Database() = default;
  Database(Database&& other) noexcept
      : db(std::move(other.db)), handles(std::exchange(other.handles, {})) {}
  Database& operator=(Database&&) = delete;
  ~Database() {
    for (auto* handle : handles) db->DestroyColumnFamilyHandle(handle);
  }
  rocksdb::ColumnFamilyHandle* family(const std::string& name) const {
    const auto at = std::find_if(handles.begin(), handles.end(),
                                 [&](auto* handle) { return handle->GetName() == name; });
    return at == handles.end() ? nullptr : *at;
  }
  TableFamilies table() const {
    return {family("projections"), family("history"),      family("segments"),
            family("kept"),        family("log_messages"), family("kv_events")};
  }
};

/// What to do about a directory that cannot be used.
inline constexpr const char* kAdvice =
    "Nothing was changed. Keep a copy of the directory; then put a backup in its place, or move it "
    "away to go on with an empty journal.";

Error open_error(const std::string& directory, const rocksdb::Status& status);

/// Without a trace on the disk; empty when there is no database yet.
Result<std::optional<Database>> open_to_read(const RocksStoreOptions& options,
                                             const std::string& path);
Result<Database> open_to_write(const RocksStoreOptions& options, const std::string& path);

}  // namespace tidemark::journal
