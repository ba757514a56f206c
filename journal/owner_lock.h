// journal/owner_lock.h
//
// One process per journal directory. The lock is the kernel's (flock), so it dies with its
// holder; the file tells the next one who that is.

#pragma once

#include <string>
#include <utility>

#include "base/result.h"

namespace tidemark::journal {

class OwnerLock {
 public:
  /// Errors: kConflict     another process holds it (named), or another Store of this process.
  ///         kUnavailable  the file cannot be made or written.
  static Result<OwnerLock> take(const std::string& directory);

  /// Keeps others from taking it, and changes nothing in the directory. Several may hold it so.
  /// Errors: kConflict, as above; kUnavailable.
  static Result<OwnerLock> look(const std::string& directory);

  OwnerLock(OwnerLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnerLock& operator=(OwnerLock&&) = delete;
  ~OwnerLock();

 private:
  explicit OwnerLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace tidemark::journal
