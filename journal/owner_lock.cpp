#include "journal/owner_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tidemark::journal {
namespace {

std::string read_owner(int fd) {
  char text[256];
  const auto bytes = ::pread(fd, text, sizeof text, 0);
  std::string owner(text, bytes > 0 ? static_cast<std::size_t>(bytes) : 0);
  while (!owner.empty() && owner.back() == '\n') owner.pop_back();
  return owner.empty() ? "another process" : owner;
}

std::string write_owner() {
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  return "process " + std::to_string(::getpid()) + " on " + host + '\n';
}

}  // namespace

Result<OwnerLock> OwnerLock::take(const std::string& directory) {
  const auto path = directory + "/owner";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) {
    return Error{Code::kUnavailable,
                 "journal: cannot write in " + directory + ": " + std::strerror(errno)};
  }
  OwnerLock lock(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return Error{Code::kConflict, "journal: " + directory + " is held by " + read_owner(fd)};
    }
    return Error{Code::kUnavailable, "journal: cannot lock " + path + ": " + std::strerror(errno)};
  }
  // Only a help for whoever is refused; the lock holds without it, on a full disk too.
  const auto owner = write_owner();
  if (::ftruncate(fd, 0) == 0) {
    [[maybe_unused]] const auto written = ::pwrite(fd, owner.data(), owner.size(), 0);
  }
  return lock;
}

Result<OwnerLock> OwnerLock::look(const std::string& directory) {
  const auto path = directory + "/owner";
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  OwnerLock lock(fd);
  if (fd < 0 && errno == ENOENT) return lock;  // Of a journal that nobody has opened here.
  if (fd >= 0 && ::flock(fd, LOCK_SH | LOCK_NB) == 0) return lock;
  if (fd >= 0 && errno == EWOULDBLOCK) {
    return Error{Code::kConflict, "journal: " + directory + " is held by " + read_owner(fd)};
  }
  return Error{Code::kUnavailable, "journal: cannot lock " + path + ": " + std::strerror(errno)};
}

OwnerLock::~OwnerLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace tidemark::journal
