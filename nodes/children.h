// nodes/children.h
//
// Processes that this one starts and watches. One thread forks, waits and signals, so the death
// signal that ties a child to us (PR_SET_PDEATHSIG) is tied to a thread that lives as long.

#pragma once

#include <csignal>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace tidemark::nodes {

struct ChildSpec {
  std::string name;
  std::string executable;
  std::vector<std::string> arguments;  // without argv[0]
  std::string log_file;                // its standard output and error are appended to it
};

struct ChildEnd {
  std::string what;                     // "stopped", "exited with 1", "killed by signal 9"
  int signal = 0;                       // 0: none
  std::vector<std::string> last_words;  // of its log file; none when it just stopped
};

class Children {
 public:
  /// `on_exit`: name, pid and how it ended; on the watching thread.
  explicit Children(std::function<void(std::string, int, ChildEnd)> on_exit);
  /// Kills what is left.
  ~Children();

  /// The pid. Errors: kUnavailable  no process could be made, or the file cannot be run.
  Result<int> start(ChildSpec spec);
  /// Ignored for a pid that has ended: pids are not reused while they are watched.
  void signal(int pid, int number);
  std::size_t running() const;

 private:
  class Watcher;
  std::unique_ptr<Watcher> watcher_;
};

}  // namespace tidemark::nodes
