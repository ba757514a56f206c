// test/journal/stress_child.h
//
// The program journal_stress, as a child that can be killed and whose acknowledgements are read.

#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"

namespace tidemark::journal {

using Environment = std::vector<std::pair<std::string, std::string>>;

/// The program journal_stress, as a child.
class Stress {
 public:
  Stress(const std::string& directory, const char* mode, const Environment& environment = {}) {
    int ends[2];
    TIDEMARK_CHECK(::pipe2(ends, O_CLOEXEC) == 0);
    pid_ = ::fork();
    TIDEMARK_CHECK(pid_ >= 0);
    if (pid_ == 0) {
      for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
      ::dup2(ends[1], STDOUT_FILENO);
      ::execl(TIDEMARK_JOURNAL_STRESS, "journal_stress", directory.c_str(), mode, nullptr);
      ::_exit(103);
    }
    ::close(ends[1]);
    out_ = ends[0];
  }
  ~Stress() {
    if (pid_ > 0) kill_and_wait();
    ::close(out_);
  }
  Stress(const Stress&) = delete;
  Stress& operator=(const Stress&) = delete;

  pid_t pid() const { return pid_; }
  /// The next acknowledged line; empty when the child is gone.
  std::optional<std::uint64_t> next() {
    std::uint64_t line = 0;
    std::size_t got = 0;
    while (got < sizeof line) {
      const auto bytes = ::read(out_, reinterpret_cast<char*>(&line) + got, sizeof line - got);
      if (bytes <= 0) return std::nullopt;
      got += static_cast<std::size_t>(bytes);
    }
    return line;
  }
  /// The exit code; 128 + n when signal n ended it.
  int wait() {
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  /// What wait() says, should it have ended by itself before.
  int kill_and_wait() {
    ::kill(pid_, SIGKILL);
    return wait();
  }

 private:
  pid_t pid_ = -1;
  int out_ = -1;
};

inline constexpr int kKilled = 128 + SIGKILL;

inline std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace tidemark::journal
