#include "journal/ordered_logs.h"

#include <rocksdb/file_system.h>

#include <mutex>
#include <string>
#include <utility>

namespace tidemark::journal {
namespace {

/// The log that is written, as long as its file is open. Outlives the files.
class NewestLog {
 public:
  rocksdb::IOStatus sync() {
    const std::lock_guard lock(mutex_);
    return file_ == nullptr ? rocksdb::IOStatus::OK() : file_->Sync({}, nullptr);
  }
  void set(rocksdb::FSWritableFile* file) {
    const std::lock_guard lock(mutex_);
    file_ = file;
  }
  void forget(const rocksdb::FSWritableFile* file) {
    const std::lock_guard lock(mutex_);
    if (file_ == file) file_ = nullptr;
  }

 private:
  std::mutex mutex_;
  rocksdb::FSWritableFile* file_ = nullptr;  // guarded by mutex_
};

class LogFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  LogFile(std::unique_ptr<rocksdb::FSWritableFile> file, std::shared_ptr<NewestLog> newest)
      : FSWritableFileOwnerWrapper(std::move(file)), newest_(std::move(newest)) {
    newest_->set(target());
  }
  ~LogFile() override { newest_->forget(target()); }
  rocksdb::IOStatus Close(const rocksdb::IOOptions& options,
                          rocksdb::IODebugContext* context) override {
    newest_->forget(target());
    return FSWritableFileOwnerWrapper::Close(options, context);
  }

 private:
  const std::shared_ptr<NewestLog> newest_;
};

class OrderedLogs final : public rocksdb::FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;
  const char* Name() const override { return "TidemarkOrderedLogs"; }

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* context) override {
    if (!name.ends_with(".log")) return target()->NewWritableFile(name, options, file, context);
    // Nobody writes it meanwhile: who begins a new log is the only one to write.
    auto status = newest_->sync();
    if (!status.ok()) return status;
    std::unique_ptr<rocksdb::FSWritableFile> inner;
    status = target()->NewWritableFile(name, options, &inner, context);
    if (status.ok()) *file = std::make_unique<LogFile>(std::move(inner), newest_);
    return status;
  }

 private:
  const std::shared_ptr<NewestLog> newest_ = std::make_shared<NewestLog>();
};

}  // namespace

std::unique_ptr<rocksdb::Env> with_ordered_logs(rocksdb::Env* below) {
  return rocksdb::NewCompositeEnv(std::make_shared<OrderedLogs>(
      below == nullptr ? rocksdb::FileSystem::Default() : below->GetFileSystem()));
}

}  // namespace tidemark::journal
