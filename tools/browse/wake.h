// tools/browse/wake.h
//
// A file descriptor that becomes readable when somebody signals, so that one poll() waits for keys,
// answers and signals alike.

#pragma once

#include <memory>

#include "base/result.h"

namespace tidemark::tools::browse {

class Wake {
 public:
  /// Errors: kUnavailable  no file descriptor is left.
  static Result<std::shared_ptr<Wake>> make();
  ~Wake();
  Wake(const Wake&) = delete;
  Wake& operator=(const Wake&) = delete;

  /// Threads: any; signal handlers too.
  void signal() const;
  /// Forgets what was signalled so far.
  void clear() const;
  int fd() const { return fd_; }

 private:
  explicit Wake(int fd) : fd_(fd) {}
  const int fd_;
};

}  // namespace tidemark::tools::browse
