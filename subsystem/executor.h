// subsystem/executor.h
//
// The one thread on which a program's callbacks run, one at a time and in order. They may take
// their time; they may not wait for what only another callback can bring, so what blocks asks
// inside() first.

#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace tidemark::subsystem {

class Executor {
 public:
  /// Callbacks that may wait for their turn; more are refused.
  static constexpr std::size_t kWaitingMax = 100'000;

  Executor();
  /// Waits for the callback that runs; those that wait are dropped.
  ~Executor();

  /// False when too many wait already. Threads: any.
  bool post(std::function<void()> callback);

  /// Whether this thread is running a callback of an executor.
  static bool inside();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  std::deque<std::function<void()>> waiting_;
  bool stopping_ = false;

  std::thread thread_;
};

/// Calls `callback`; what it throws is logged as `what`, and hurts nobody else.
void run_guarded(const char* what, const std::function<void()>& callback);

}  // namespace tidemark::subsystem
