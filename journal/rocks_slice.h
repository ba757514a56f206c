// journal/rocks_slice.h
//
// Bytes of ours as RocksDB takes them, and its as we do. Neither owns any.

#pragma once

#include <rocksdb/slice.h>

#include "base/bytes.h"

namespace tidemark::journal {

inline rocksdb::Slice slice(BytesView bytes) { return {bytes.data(), bytes.size()}; }
inline BytesView view(const rocksdb::Slice& bytes) { return {bytes.data(), bytes.size()}; }

}  // namespace tidemark::journal
