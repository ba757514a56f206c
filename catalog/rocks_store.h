// catalog/rocks_store.h
//
// The Store on RocksDB: a directory of its own, which one process holds at a time. Large values
// (snapshots) lie in blob files, so that merging the small ones does not copy them again.

#pragma once

#include <memory>
#include <string>

#include "catalog/store.h"

namespace tidemark::catalog {

/// Opens the Store in `directory`, which is made when it is not there.
/// Errors: kConflict     somebody holds it already, named by the directory.
///         kCorruption   what lies there is not what was written.
///         kUnavailable  it cannot be made, read or written.
Result<std::unique_ptr<Store>> open_rocks_store(const std::string& directory);

}  // namespace tidemark::catalog
