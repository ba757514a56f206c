// journal/rocks_inspection.h
//
// Sizes, as RocksDB and the directory tell them.

#pragma once

#include <string>
#include <vector>

#include "journal/inspection.h"
#include "journal/rocks_database.h"

namespace tidemark::journal {

/// The families, the write-ahead log, what else is in the directory. Nothing is counted twice.
std::vector<PartSize> sizes_of(const Database& database, const std::string& directory);

}  // namespace tidemark::journal
