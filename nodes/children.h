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

class Children {
 public:
  /// `on_exit`: name, pid and what happened ("stopped", "exited with 1", "killed by signal 9"); on
  /// the watching thread.
  explicit Children(std::function<void(std::string, int, std::string)> on_exit);
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
