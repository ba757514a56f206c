#include "catalog/backup.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/digest.h"
#include "base/files.h"

namespace tidemark::catalog {
namespace {

constexpr std::string_view kTitle = "TMCATLG1";
constexpr std::size_t kPieceBytes = 1u << 20;   // read at once, whatever a length says
constexpr std::size_t kGroupBytes = 16u << 20;  // of one commit

/// A file that has its name when it is whole, with the CRC-32 of what went into it.
class NewFile {
 public:
  explicit NewFile(std::string path)
      : path_(std::move(path)),
        draft_(path_ + ".partial"),
        fd_(::open(draft_.c_str(), kFlags, 0666)) {
    if (fd_ < 0) failed();
  }
  ~NewFile() {
    if (fd_ >= 0) ::close(fd_);
    if (!kept_) ::unlink(draft_.c_str());
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void add(BytesView bytes) {
    crc_ = crc32(bytes, crc_);
    bytes_ += bytes.size();
    while (!error_ && !bytes.empty()) {
      const auto written = ::write(fd_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return failed();
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  Result<Unit> keep() {
    if (!error_ && ::fsync(fd_) != 0) failed();
    if (!error_ && ::rename(draft_.c_str(), path_.c_str()) != 0) failed();
    if (error_) return *error_;
    kept_ = true;
    return sync_directory(std::filesystem::path(path_).parent_path().string());
  }
  std::uint32_t crc() const { return crc_; }
  std::uint64_t bytes() const { return bytes_; }
  bool ok() const { return !error_; }

 private:
  static constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;

  void failed() {
    error_ = Error{Code::kUnavailable, "cannot write " + path_ + ": " + std::strerror(errno)};
  }

  const std::string path_;
  const std::string draft_;
  const int fd_;
  std::uint32_t crc_ = 0;
  std::uint64_t bytes_ = 0;
  std::optional<Error> error_;
  bool kept_ = false;
};

/// Takes pieces from a stream, and their CRC-32.
class Reading {
 public:
  explicit Reading(std::istream& in) : in_(in) {}

  /// Empty: it ends before that.
  std::optional<Bytes> take(std::size_t count) {
    Bytes bytes;
    while (bytes.size() < count) {
      const auto begin = bytes.size();
      const auto piece = std::min(count - begin, kPieceBytes);
      bytes.resize(begin + piece);
      in_.read(bytes.data() + begin, static_cast<std::streamsize>(piece));
      if (static_cast<std::size_t>(in_.gcount()) != piece) return std::nullopt;
    }
    crc_ = crc32(bytes, crc_);
    bytes_ += count;
    return bytes;
  }
  template <class T>
  std::optional<T> take_number() {
    const auto bytes = take(sizeof(T));
    if (!bytes) return std::nullopt;
    return read_be<T>(*bytes, 0);
  }
  bool ended() { return in_.peek() == std::istream::traits_type::eof(); }
  std::uint32_t crc() const { return crc_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  std::istream& in_;
  std::uint32_t crc_ = 0;
  std::uint64_t bytes_ = 0;
};

Error damaged(const std::string& what) {
  return Error{Code::kCorruption, "the backup of the catalog " + what};
}

Result<BackupSize> read_end(Reading& reading, std::uint64_t entries) {
  const auto wanted = reading.take_number<std::uint64_t>();
  const auto crc = reading.crc();
  const auto wanted_crc = reading.take_number<std::uint32_t>();
  if (!wanted || !wanted_crc) return damaged("is cut");
  if (*wanted_crc != crc || *wanted != entries) return damaged("is not what was written");
  if (!reading.ended()) return damaged("goes on behind its end");
  return BackupSize{entries, reading.bytes()};
}

}  // namespace

Result<BackupSize> write_backup(const Store& store, const std::string& path) {
  std::error_code failure;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), failure);
  if (failure) return Error{Code::kUnavailable, "cannot make " + path + ": " + failure.message()};
  if (std::filesystem::exists(path, failure)) {
    return Error{Code::kConflict, path + " is there already"};
  }
  NewFile file(path);
  file.add(kTitle);
  BackupSize size;
  const auto scanned = store.scan("", [&](std::string_view key, BytesView value) {
    Bytes lengths;
    append_be(lengths, static_cast<std::uint32_t>(key.size()));
    append_be(lengths, static_cast<std::uint32_t>(value.size()));
    file.add(lengths);
    file.add(key);
    file.add(value);
    ++size.entries;
    return file.ok();
  });
  if (!scanned) return scanned.error();
  Bytes end;
  append_be(end, std::uint32_t{0});
  append_be(end, size.entries);
  file.add(end);
  Bytes crc;
  append_be(crc, file.crc());
  file.add(crc);
  const auto kept = file.keep();
  if (!kept) return kept.error();
  size.bytes = file.bytes();
  return size;
}

Result<BackupSize> read_backup(std::istream& in,
                               const std::function<Result<Unit>(Bytes key, Bytes value)>& take) {
  Reading reading(in);
  if (reading.take(kTitle.size()) != Bytes(kTitle)) return damaged("is none");
  for (std::uint64_t entries = 0;; ++entries) {
    const auto key_bytes = reading.take_number<std::uint32_t>();
    if (key_bytes && *key_bytes == 0) return read_end(reading, entries);
    const auto value_bytes = reading.take_number<std::uint32_t>();
    if (!key_bytes || !value_bytes) return damaged("is cut");
    if (*key_bytes > kKeyBytesMax || *value_bytes > kValueBytesMax) {
      return damaged("is not what was written");
    }
    auto key = reading.take(*key_bytes);
    auto value = reading.take(*value_bytes);
    if (!key || !value) return damaged("is cut");
    const auto taken = take(std::move(*key), std::move(*value));
    if (!taken) return taken.error();
  }
}

Result<BackupSize> restore_backup(const std::string& path, Store& into) {
  std::ifstream first(path, std::ios::binary);
  if (!first) return Error{Code::kNotFound, "cannot read " + path};
  const auto whole =
      read_backup(first, [](const Bytes&, const Bytes&) -> Result<Unit> { return Unit{}; });
  if (!whole) return whole;
  std::ifstream second(path, std::ios::binary);
  std::vector<Write> group;
  std::size_t bytes = 0;
  const auto commit = [&]() -> Result<Unit> {
    bytes = 0;
    return into.commit(std::exchange(group, {}));
  };
  auto read = read_backup(second, [&](Bytes key, Bytes value) -> Result<Unit> {
    bytes += key.size() + value.size();
    group.push_back({std::move(key), std::move(value)});
    return bytes < kGroupBytes ? Result<Unit>(Unit{}) : commit();
  });
  if (!read) return read;
  const auto committed = commit();
  if (!committed) return committed.error();
  return read;
}

}  // namespace tidemark::catalog
