#include "tools/browse/wake.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

namespace tidemark::tools::browse {

Result<std::shared_ptr<Wake>> Wake::make() {
  const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) {
    return Error{Code::kUnavailable,
                 std::string("cannot make an eventfd: ") + std::strerror(errno)};
  }
  return std::shared_ptr<Wake>(new Wake(fd));
}

Wake::~Wake() { ::close(fd_); }

void Wake::signal() const {
  const std::uint64_t one = 1;
  // A full counter is as readable as another one.
  [[maybe_unused]] const auto written = ::write(fd_, &one, sizeof one);
}

void Wake::clear() const {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(fd_, &count, sizeof count);
}

}  // namespace tidemark::tools::browse
