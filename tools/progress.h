// tools/progress.h
//
// How far a job is, on standard error: a bar on a terminal, else a line every ten seconds, so a
// log of a script stays short.

#pragma once

#include <iosfwd>
#include <string>

#include "base/time.h"
#include "model/job.h"

namespace tidemark::tools {

class Progress {
 public:
  Progress(std::ostream& err, bool terminal, std::size_t columns);
  /// Clears the bar.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(const model::Job& job, SteadyTime now);

 private:
  std::ostream& err_;
  const bool terminal_;
  const std::size_t columns_;
  SteadyTime next_line_;
  bool drawn_ = false;
};

/// "[██████····] 60 %  600 of 1000  writing"
std::string progress_bar(const model::Job& job, std::size_t columns);

}  // namespace tidemark::tools
