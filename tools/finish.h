// tools/finish.h
//
// How a command that listens ends: another thread says that it is enough, its time is over, or
// somebody presses Ctrl-C.

#pragma once

#include <condition_variable>
#include <mutex>

#include "base/time.h"

namespace tidemark::tools {

class Finish {
 public:
  enum class Why { kEnough, kTimeOver, kInterrupted };

  /// It is enough. Threads: any.
  void enough();
  bool is_enough() const;

  /// Blocks. Notices Ctrl-C when an Interrupt lives.
  Why wait(SteadyTime until = SteadyTime::max());
  /// The same after a Ctrl-C: only for so long.
  void wait_for_last_words(Duration patience);

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool enough_ = false;  // guarded by mutex_
};

}  // namespace tidemark::tools
