// test/journal/faulty_disk.h
//
// RocksDB's file system, failing on command.

#pragma once

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <atomic>
#include <memory>
#include <utility>

#include "base/failpoint.h"

namespace tidemark::journal {

class FaultyDisk final : public rocksdb::FileSystemWrapper {
 public:
  FaultyDisk() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "FaultyDisk"; }

  std::atomic<bool> full = false;               // writes are refused
  std::atomic<bool> no_files = false;           // new files are refused: the disk has no inode left
  std::atomic<bool> half_full = false;          // writes get as far as their half, then are refused
  std::atomic<bool> sync_fails = false;         // an I/O error on flush
  std::atomic<long> syncs_before_failure = -1;  // then all of them fail; -1: none does

  bool fails_now() {
    if (sync_fails) return true;
    if (syncs_before_failure < 0) return false;
    if (syncs_before_failure == 0) return true;
    --syncs_before_failure;
    return false;
  }

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* context) override {
    if (no_files) return rocksdb::IOStatus::NoSpace("injected");
    std::unique_ptr<rocksdb::FSWritableFile> inner;
    auto status = target()->NewWritableFile(name, options, &inner, context);
    if (status.ok()) *file = std::make_unique<File>(std::move(inner), this);
    return status;
  }

 private:
  class File final : public rocksdb::FSWritableFileOwnerWrapper {
   public:
    File(std::unique_ptr<rocksdb::FSWritableFile> inner, FaultyDisk* disk)
        : FSWritableFileOwnerWrapper(std::move(inner)), disk_(disk) {}
    using FSWritableFileOwnerWrapper::Append;
    rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* context) override {
      if (disk_->full) return rocksdb::IOStatus::NoSpace("injected");
      if (disk_->half_full) {
        const rocksdb::Slice half(data.data(), data.size() / 2);
        const auto ignored = FSWritableFileOwnerWrapper::Append(half, options, context);
        ignored.PermitUncheckedError();
        return rocksdb::IOStatus::NoSpace("injected");
      }
      return FSWritableFileOwnerWrapper::Append(data, options, context);
    }
    rocksdb::IOStatus Sync(const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* context) override {
      if (disk_->fails_now()) return rocksdb::IOStatus::IOError("injected");
      failpoint("disk.sync.before");
      auto status = FSWritableFileOwnerWrapper::Sync(options, context);
      failpoint("disk.sync.done");
      return status;
    }
    rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options,
                            rocksdb::IODebugContext* context) override {
      if (disk_->fails_now()) return rocksdb::IOStatus::IOError("injected");
      return FSWritableFileOwnerWrapper::Fsync(options, context);
    }

   private:
    FaultyDisk* const disk_;
  };
};

}  // namespace tidemark::journal
