#include "journal/rocks_backup.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>

#include "base/files.h"

namespace tidemark::journal {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPartial = ".partial";
constexpr const char* kCheckpoint =
    "checkpoint";  // in the journal's directory: links need its disk

Error unavailable(const std::string& what, const std::error_code& why) {
  return Error{Code::kUnavailable, what + ": " + why.message()};
}

/// Goes with all that is in it, unless it was kept.
class Draft {
 public:
  explicit Draft(std::string path) : path_(std::move(path)) { remove(); }
  ~Draft() { remove(); }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  const std::string& path() const { return path_; }

 private:
  void remove() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const std::string path_;
};

/// The files below `directory`, but for the list of them.
Result<std::vector<BackupFile>> files_in(const std::string& directory) {
  std::vector<BackupFile> files;
  std::error_code failure;
  fs::recursive_directory_iterator at(directory, failure);
  for (; !failure && at != fs::recursive_directory_iterator(); at.increment(failure)) {
    struct stat status = {};
    if (::stat(at->path().c_str(), &status) != 0) {
      return Error{Code::kUnavailable, at->path().string() + ": " + std::strerror(errno)};
    }
    if (!S_ISREG(status.st_mode)) continue;
    BackupFile file;
    file.path = fs::relative(at->path(), directory, failure).string();
    if (file.path == kBackupManifest) continue;
    file.bytes = static_cast<std::uint64_t>(status.st_size);
    file.modified = status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec;
    files.push_back(std::move(file));
  }
  if (failure) return unavailable(directory, failure);
  std::sort(files.begin(), files.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

/// The newest complete backup in `to`, and its files by path.
struct Before {
  std::string directory;
  std::map<std::string, BackupFile> files;
};
Before newest_in(const std::string& to) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (fs::directory_iterator at(to, ignored), end; at != end; at.increment(ignored)) {
    if (at->is_directory(ignored) && at->path().filename().string().front() != '.') {
      names.push_back(at->path().string());
    }
  }
  std::sort(names.rbegin(), names.rend());
  for (const auto& name : names) {
    const auto manifest = read_backup_manifest(name);
    if (!manifest || !manifest.value()) continue;
    Before before{name, {}};
    for (const auto& file : manifest.value()->files) before.files[file.path] = file;
    return before;
  }
  return {};
}

class Copying {
 public:
  Copying(std::string from, std::string to, std::uint64_t total, const CopyProgress& progress)
      : from_(std::move(from)), to_(std::move(to)), total_(total), progress_(progress) {}

  /// Copies the file, and notes its checksum.
  Result<Unit> copy(BackupFile& file) {
    const auto made = make_folder(file);
    if (!made) return made;
    std::uint64_t bytes = 0;
    const auto crc =
        copy_file(from_ + "/" + file.path, to_ + "/" + file.path, [&](std::size_t piece) {
          bytes += piece;
          return told(piece);
        });
    if (!crc) return crc.error();
    file.crc = crc.value();
    file.bytes = bytes;
    copied_ += bytes;
    return Unit{};
  }
  /// False: it has to be copied.
  bool link(BackupFile& file, const Before& before) {
    const auto known = before.files.find(file.path);
    if (known == before.files.end() || !file.path.ends_with(".sst") ||
        known->second.bytes != file.bytes || known->second.modified != file.modified) {
      return false;
    }
    if (!make_folder(file)) return false;
    const auto old = before.directory + "/" + file.path;
    if (::link(old.c_str(), (to_ + "/" + file.path).c_str()) != 0) return false;
    file.crc = known->second.crc;
    linked_ += file.bytes;
    told(file.bytes);
    return true;
  }
  Result<Unit> sync() const {
    for (const auto& folder : {to_ + "/db", to_}) {
      const auto synced = sync_directory(folder);
      if (!synced) return synced;
    }
    return Unit{};
  }
  std::uint64_t copied() const { return copied_; }
  std::uint64_t linked() const { return linked_; }

 private:
  Result<Unit> make_folder(const BackupFile& file) const {
    std::error_code failure;
    fs::create_directories(fs::path(to_ + "/" + file.path).parent_path(), failure);
    if (failure) return unavailable(to_, failure);
    return Unit{};
  }
  bool told(std::uint64_t bytes) {
    done_ += bytes;
    return progress_(done_, total_);
  }

  const std::string from_;
  const std::string to_;
  const std::uint64_t total_;
  const CopyProgress& progress_;
  std::uint64_t done_ = 0;
  std::uint64_t copied_ = 0;
  std::uint64_t linked_ = 0;
};

std::uint64_t sum_of(const std::vector<BackupFile>& files) {
  std::uint64_t sum = 0;
  for (const auto& file : files) sum += file.bytes;
  return sum;
}

}  // namespace

std::string backup_name(UtcTime time) {
  auto name = to_iso(time, 3);
  std::replace(name.begin(), name.end(), ':', '-');
  return name;
}

Result<BackupReport> write_backup(const RocksJournal& journal, const std::string& directory,
                                  const std::string& to, UtcTime now, const CopyProgress& progress,
                                  const std::string& name) {
  std::error_code failure;
  fs::create_directories(to, failure);
  if (failure) return unavailable("cannot make " + to, failure);
  BackupReport report;
  report.directory = to + "/" + (name.empty() ? backup_name(now) : name);
  if (fs::exists(report.directory, failure)) {
    return Error{Code::kConflict, report.directory + " is there already"};
  }
  const Draft checkpoint(directory + "/" + kCheckpoint);
  const auto made = journal.checkpoint(checkpoint.path());
  if (!made) return made.error();
  auto files = files_in(checkpoint.path());
  if (!files) return files.error();

  report.manifest = {now, made.value().last, made.value().head, std::move(files).value()};
  const auto before = newest_in(to);
  const Draft draft(to + "/" + kPartial);
  Copying copying(checkpoint.path(), draft.path(), sum_of(report.manifest.files), progress);
  for (auto& file : report.manifest.files) {
    if (copying.link(file, before)) continue;
    const auto copied = copying.copy(file);
    if (!copied) return copied.error();
  }
  auto done = copying.sync();
  if (done) done = write_file(draft.path() + "/" + kBackupManifest, encode(report.manifest));
  if (!done) return done.error();
  fs::rename(draft.path(), report.directory, failure);
  if (failure) return unavailable("cannot rename " + draft.path(), failure);
  done = sync_directory(to);
  if (!done) return done.error();
  report.copied_bytes = copying.copied();
  report.linked_bytes = copying.linked();
  return report;
}

Result<std::optional<BackupManifest>> read_backup_manifest(const std::string& directory) {
  const auto text = read_file(directory + "/" + kBackupManifest, kManifestBytesMax);
  if (!text && text.error().code == Code::kNotFound) return std::optional<BackupManifest>{};
  if (!text) return text.error();
  auto manifest = decode_backup_manifest(text.value());
  if (!manifest) return Error{Code::kCorruption, directory + ": " + manifest.error().message};
  return std::optional<BackupManifest>(std::move(manifest).value());
}

Result<std::vector<std::string>> check_backup_files(const std::string& directory,
                                                    const BackupManifest& manifest,
                                                    const CopyProgress& progress) {
  std::vector<std::string> wrong;
  std::uint64_t done = 0;
  const auto total = manifest.bytes();
  for (const auto& file : manifest.files) {
    std::uint64_t bytes = 0;
    const auto crc = crc_of_file(directory + "/" + file.path, [&](std::size_t piece) {
      bytes += piece;
      done += piece;
      return progress(done, total);
    });
    if (!crc && crc.error().code == Code::kCancelled) return crc.error();
    if (!crc) {
      wrong.push_back(crc.error().message);
    } else if (bytes != file.bytes || crc.value() != file.crc) {
      wrong.push_back(file.path + " is not what was backed up");
    }
  }
  return wrong;
}

Result<BackupManifest> restore_backup(const std::string& from, const std::string& to,
                                      const CopyProgress& progress) {
  auto manifest = read_backup_manifest(from);
  if (!manifest) return manifest.error();
  if (!manifest.value()) return Error{Code::kNotFound, from + " is no backup of a journal"};
  const auto& wanted = *manifest.value();
  std::error_code failure;
  if (fs::exists(to, failure) && !fs::is_empty(to, failure)) {
    return Error{Code::kConflict, to + " is not empty"};
  }
  Copying copying(from, to, wanted.bytes(), progress);
  for (const auto& file : wanted.files) {
    auto copy = file;
    const auto copied = copying.copy(copy);
    if (!copied) return copied.error();
    if (copy.crc != file.crc || copy.bytes != file.bytes) {
      return Error{Code::kCorruption,
                   from + "/" + file.path + " is not what was backed up; " + to + " is of no use"};
    }
  }
  const auto synced = copying.sync();
  if (!synced) return synced.error();
  RocksStoreOptions options;
  options.directory = to;
  const auto opened = open_rocks_journal_to_read(options);
  if (!opened) return opened.error();
  if (opened.value().store->last() != wanted.last) {
    return Error{Code::kCorruption,
                 "the backup ends with line " + std::to_string(raw(opened.value().store->last())) +
                     ", and should with line " + std::to_string(raw(wanted.last))};
  }
  return wanted;
}

}  // namespace tidemark::journal
