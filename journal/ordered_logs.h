// journal/ordered_logs.h
//
// A file system for RocksDB on which write-ahead logs reach the disk in the order in which they
// were written: when a new one begins, the one before it is flushed.
//
// For a journal that does not flush every append. RocksDB begins a new log with every table that it
// writes, and flushes the old one some time later. A power cut between the two may keep lines of
// the new log and lose older ones of the old log: a hole, which RocksDB opens with "OK".

#pragma once

#include <rocksdb/env.h>

#include <memory>

namespace tidemark::journal {

/// `below`: null for the default one; else it must outlive what is returned.
std::unique_ptr<rocksdb::Env> with_ordered_logs(rocksdb::Env* below);

}  // namespace tidemark::journal
