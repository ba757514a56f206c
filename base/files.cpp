#include "base/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include "base/digest.h"

namespace tidemark {
namespace {

constexpr std::size_t kPieceBytes = 1u << 20;

Error failed(const std::string& what, const std::string& path) {
  return Error{errno == ENOENT ? Code::kNotFound : Code::kUnavailable,
               what + " " + path + ": " + std::strerror(errno)};
}

class File {
 public:
  File(const std::string& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0644)) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  const int fd_;
};

/// Calls `take` with each piece.
Result<std::uint32_t> for_pieces(const std::string& path,
                                 const std::function<Result<Unit>(BytesView)>& take) {
  const File file(path, O_RDONLY);
  if (!file) return failed("cannot open", path);
  Bytes piece(kPieceBytes, '\0');
  std::uint32_t crc = 0;
  while (true) {
    const auto got = ::read(file.fd(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("cannot read", path);
    if (got == 0) return crc;
    const BytesView view(piece.data(), static_cast<std::size_t>(got));
    crc = crc32(view, crc);
    const auto taken = take(view);
    if (!taken) return taken.error();
  }
}

Result<Unit> write_all(const File& file, const std::string& path, BytesView bytes) {
  while (!bytes.empty()) {
    const auto put = ::write(file.fd(), bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return failed("cannot write", path);
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return Unit{};
}

Error stopped() { return Error{Code::kCancelled, "stopped before it was done"}; }

}  // namespace

Result<std::uint32_t> copy_file(const std::string& from, const std::string& to,
                                const OnPiece& on_piece) {
  const File out(to, O_WRONLY | O_CREAT | O_EXCL);
  if (!out) return failed("cannot make", to);
  auto crc = for_pieces(from, [&](BytesView piece) -> Result<Unit> {
    const auto written = write_all(out, to, piece);
    if (!written) return written;
    if (!on_piece(piece.size())) return stopped();
    return Unit{};
  });
  if (crc && ::fsync(out.fd()) != 0) return failed("cannot sync", to);
  return crc;
}

Result<std::uint32_t> crc_of_file(const std::string& path, const OnPiece& on_piece) {
  return for_pieces(path, [&](BytesView piece) -> Result<Unit> {
    if (!on_piece(piece.size())) return stopped();
    return Unit{};
  });
}

Result<Unit> write_file(const std::string& path, BytesView content) {
  const auto draft = path + ".draft";
  {
    const File out(draft, O_WRONLY | O_CREAT | O_TRUNC);
    if (!out) return failed("cannot make", draft);
    const auto written = write_all(out, draft, content);
    if (!written) return written;
    if (::fsync(out.fd()) != 0) return failed("cannot sync", draft);
  }
  if (::rename(draft.c_str(), path.c_str()) != 0) return failed("cannot rename", draft);
  return sync_directory(std::filesystem::path(path).parent_path().string());
}

Result<Bytes> read_file(const std::string& path, std::size_t bytes_max) {
  Bytes content;
  const auto crc = for_pieces(path, [&](BytesView piece) -> Result<Unit> {
    content += piece;
    if (content.size() > bytes_max) return Error{Code::kCorruption, path + " is too long"};
    return Unit{};
  });
  if (!crc) return crc.error();
  return content;
}

Result<Unit> make_durable_directories(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code failure;
  std::vector<fs::path> grown;  // directories that get a new name, from the bottom up
  for (fs::path at(path); !at.empty() && !fs::exists(at, failure); at = at.parent_path()) {
    grown.push_back(at.parent_path());
  }
  fs::create_directories(path, failure);
  if (failure) return Error{Code::kUnavailable, "cannot make " + path + ": " + failure.message()};
  for (const auto& each : grown) {
    const auto synced = sync_directory(each.string());
    if (!synced) return synced;
  }
  return Unit{};
}

Result<Unit> sync_directory(const std::string& path) {
  const File folder(path.empty() ? "." : path, O_RDONLY | O_DIRECTORY);
  if (!folder || ::fsync(folder.fd()) != 0) return failed("cannot sync", path);
  return Unit{};
}

}  // namespace tidemark
