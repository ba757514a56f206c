// test/journal/power_disk.h
//
// RocksDB's file system on a machine whose power goes. After so many steps it writes what a disk
// would have then into another directory, and ends the process:
//
//   files         to where they were flushed, and of the rest a beginning of random length
//   directories   as they were flushed, and of what was made, renamed and removed since, a
//   beginning the witness   as it is: each of its writes is flushed; of the next one, a beginning
//
// A write that is flushed waits for the cut or is in it: nobody is told of what the disk has not.

#pragma once

#include <fcntl.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/files.h"
#include "journal/witness.h"

namespace tidemark::journal {

class PowerDisk final : public rocksdb::FileSystemWrapper {
 public:
  struct Plan {
    std::string journal;    // the database is in db/, and nowhere else
    std::string after;      // what is left of it
    std::uint64_t steps{};  // the cut is in the last one
    bool at_log{};          // or some steps behind the next beginning of a write-ahead log
    std::uint64_t seed{};
  };
  /// `newest`: the last line that anybody was told. What of them was flushed before the cut is
  /// written to `after`/durable.
  PowerDisk(Plan plan, std::function<std::uint64_t()> newest)
      : FileSystemWrapper(rocksdb::FileSystem::Default()),
        plan_(std::move(plan)),
        newest_(std::move(newest)),
        random_(plan_.seed) {
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(plan_.journal + "/db", none)) {
      auto content = content_at(entry.path());
      content->written = content->flushed = entry.file_size();
      now_[entry.path()] = content;
    }
    durable_ = now_;
  }
  const char* Name() const override { return "PowerDisk"; }

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* context) override {
    const std::lock_guard lock(mutex_);
    step();
    std::unique_ptr<rocksdb::FSWritableFile> inner;
    auto status = target()->NewWritableFile(name, options, &inner, context);
    if (!status.ok()) return status;
    auto content = content_at(name);
    change([name, content](Names& names) { names[name] = content; });
    const bool log = name.ends_with(".log");
    if (log) newest_log_ = content.get();
    if (log && steps_ >= plan_.steps && steps_left_ == 0) steps_left_ = 1 + below(12);
    *file = std::make_unique<File>(std::move(inner), content, this);
    return status;
  }
  rocksdb::IOStatus DeleteFile(const std::string& name, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* context) override {
    const std::lock_guard lock(mutex_);
    step();
    auto status = target()->DeleteFile(name, options, context);
    if (status.ok()) change([name](Names& names) { names.erase(name); });
    return status;
  }
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                               const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* context) override {
    const std::lock_guard lock(mutex_);
    step();
    auto status = target()->RenameFile(from, to, options, context);
    if (!status.ok()) return status;
    change([from, to](Names& names) {
      const auto moved = names.extract(from);
      if (moved) names[to] = moved.mapped();
    });
    return status;
  }
  rocksdb::IOStatus NewDirectory(const std::string& name, const rocksdb::IOOptions& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* directory,
                                 rocksdb::IODebugContext* context) override {
    std::unique_ptr<rocksdb::FSDirectory> inner;
    auto status = target()->NewDirectory(name, options, &inner, context);
    if (status.ok()) *directory = std::make_unique<Directory>(std::move(inner), this);
    return status;
  }

 private:
  struct Content {
    explicit Content(int of) : fd(of) {}
    ~Content() { ::close(fd); }
    Content(const Content&) = delete;
    Content& operator=(const Content&) = delete;
    const int fd;  // also of a file that was removed
    std::uint64_t written = 0;
    std::uint64_t flushed = 0;
  };
  using Names = std::map<std::string, std::shared_ptr<Content>>;

  class File final : public rocksdb::FSWritableFileOwnerWrapper {
   public:
    File(std::unique_ptr<rocksdb::FSWritableFile> inner, std::shared_ptr<Content> content,
         PowerDisk* disk)
        : FSWritableFileOwnerWrapper(std::move(inner)), content_(std::move(content)), disk_(disk) {}
    rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* context) override {
      const std::lock_guard lock(disk_->mutex_);
      disk_->step();
      auto status = FSWritableFileOwnerWrapper::Append(data, options, context);
      if (status.ok()) content_->written += data.size();
      return status;
    }
    rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                             const rocksdb::DataVerificationInfo&,
                             rocksdb::IODebugContext* context) override {
      return Append(data, options, context);
    }
    rocksdb::IOStatus Sync(const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* context) override {
      return flush([&] { return FSWritableFileOwnerWrapper::Sync(options, context); });
    }
    rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options,
                            rocksdb::IODebugContext* context) override {
      return flush([&] { return FSWritableFileOwnerWrapper::Fsync(options, context); });
    }

   private:
    rocksdb::IOStatus flush(const std::function<rocksdb::IOStatus()>& inner) {
      std::uint64_t bytes = 0;
      std::uint64_t line = 0;
      {
        const std::lock_guard lock(disk_->mutex_);
        disk_->step();
        bytes = content_->written;
        // What is in the newest log was told after it was written there.
        if (disk_->newest_log_ == content_.get()) line = disk_->newest_();
      }
      auto status = inner();
      const std::lock_guard lock(disk_->mutex_);
      if (!status.ok()) return status;
      content_->flushed = std::max(content_->flushed, bytes);
      disk_->durable_line_ = std::max(disk_->durable_line_, line);
      return status;
    }

    const std::shared_ptr<Content> content_;
    PowerDisk* const disk_;
  };

  class Directory final : public rocksdb::FSDirectoryWrapper {
   public:
    Directory(std::unique_ptr<rocksdb::FSDirectory> inner, PowerDisk* disk)
        : FSDirectoryWrapper(std::move(inner)), disk_(disk) {}
    rocksdb::IOStatus Fsync(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
      const std::lock_guard lock(disk_->mutex_);
      disk_->step();
      disk_->durable_ = disk_->now_;
      disk_->changes_.clear();
      return rocksdb::IOStatus::OK();
    }
    rocksdb::IOStatus FsyncWithDirOptions(const rocksdb::IOOptions& options,
                                          rocksdb::IODebugContext* context,
                                          const rocksdb::DirFsyncOptions&) override {
      return Fsync(options, context);
    }

   private:
    PowerDisk* const disk_;
  };

  // All of it with mutex_.
  static std::shared_ptr<Content> content_at(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    TIDEMARK_CHECK(fd >= 0);
    return std::make_shared<Content>(fd);
  }
  void change(std::function<void(Names&)> how) {
    how(now_);
    changes_.push_back(std::move(how));
  }
  void step() {
    ++steps_;
    if (plan_.at_log ? steps_left_ > 0 && --steps_left_ == 0 : steps_ >= plan_.steps) cut();
  }
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

  [[noreturn]] void cut() {
    auto names = durable_;
    const auto lasting = below(changes_.size() + 1);
    for (std::size_t i = 0; i < lasting; ++i) changes_[i](names);
    std::filesystem::create_directories(plan_.after + "/db");
    for (const auto& [name, content] : names) {
      const auto unsure = content->written - content->flushed;
      const auto kept = below(3) == 0 ? unsure : below(unsure + 1);
      Bytes bytes(content->flushed + (below(4) == 0 ? 0 : kept), '\0');
      const auto got = ::pread(content->fd, bytes.data(), bytes.size(), 0);
      TIDEMARK_CHECK(got == static_cast<ssize_t>(bytes.size()));
      const auto file = std::filesystem::path(name).filename().string();
      std::ofstream(plan_.after + "/db/" + file, std::ios::binary) << bytes;
    }
    cut_witness();
    std::ofstream(plan_.after + "/durable") << durable_line_;
    ::_exit(0);
  }
  void cut_witness() {
    auto read = read_file(plan_.journal + "/witness", 2 * kWitnessSlotBytes);
    if (!read) return;  // not yet
    auto& bytes = read.value();
    const auto path = plan_.after + "/witness";
    std::ofstream(path, std::ios::binary) << bytes;
    const auto newest = read_witness(path);
    if (below(2) == 0 || !newest.ok() || !newest.value()) return;
    const auto slot = (newest.value()->writes + 1) % 2 * kWitnessSlotBytes;
    const auto torn = below(80);
    for (std::uint64_t i = 0; i < torn && slot + i < bytes.size(); ++i) {
      bytes[slot + i] = static_cast<char>(random_());
    }
    std::ofstream(path, std::ios::binary) << bytes;
  }

  const Plan plan_;
  const std::function<std::uint64_t()> newest_;
  std::mutex mutex_;
  // Guarded by mutex_.
  std::mt19937_64 random_;
  std::uint64_t steps_ = 0;
  std::uint64_t steps_left_ = 0;  // 0: not known yet
  Names now_;
  Names durable_;
  std::vector<std::function<void(Names&)>> changes_;  // what makes the one of the other
  const Content* newest_log_ = nullptr;
  std::uint64_t durable_line_ = 0;
};

}  // namespace tidemark::journal
