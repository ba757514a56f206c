#include "base/incarnation.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>

namespace tidemark {

Result<Unit> make_directories(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    return Error{Code::kUnavailable, "cannot make directory " + directory + ": " + error.message()};
  }
  return Unit{};
}

Result<std::uint32_t> next_incarnation(const std::string& directory) {
  const auto made = make_directories(directory);
  if (!made) return made.error();
  const auto file = directory + "/incarnation";
  std::uint32_t last = 0;
  std::ifstream(file) >> last;
  const auto next = std::max(last + 1, static_cast<std::uint32_t>(std::time(nullptr)));
  // Written aside, synced and renamed: a crash leaves the old number or the new one.
  const auto aside = file + ".new";
  const int fd = ::open(aside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  const auto text = std::to_string(next) + "\n";
  const bool written = fd >= 0 &&
                       ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  if (!written || ::rename(aside.c_str(), file.c_str()) != 0) {
    return Error{Code::kUnavailable, "cannot write " + file + ": " + std::strerror(errno)};
  }
  return next;
}

}  // namespace tidemark
