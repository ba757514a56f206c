// subsystem/executor.h
//
// The one thread on which a program's callbacks run, one at a time and in order. They may take
// their time; they may not wait for what only another callback can bring, so what blocks asks
// inside() first.

#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace tidemark::subsystem {

class Executor {
 public:
  /// Callbacks that may wait for their turn; more are refused.
  static constexpr std::size_t kWaitingMax = 100'000;

  Executor();
  /// stop(); a callback may be what ends us.
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  /// Drops the callbacks that wait, takes no more, and waits for the one that runs, unless it is
  /// that which asks. Threads: any.
  void stop();

  /// False when too many wait already, or it was stopped. Threads: any.
  bool post(std::function<void()> callback);
  /// The same for what must not be lost, and is bounded elsewhere: the end of a call. False only
  /// when it was stopped. Threads: any.
  bool post_owed(std::function<void()> callback);

  /// Whether this thread is running a callback of an executor.
  static bool inside();

 private:
  struct Queue {
    std::mutex mutex;
    std::condition_variable changed;
    // Guarded by mutex.
    std::deque<std::function<void()>> waiting;
    bool stopping = false;
  };
  static void run(const std::shared_ptr<Queue>& queue);
  bool post(std::function<void()> callback, std::size_t waiting_max);

  const std::shared_ptr<Queue> queue_ =
      std::make_shared<Queue>();  // outlives a thread that ends us
  std::mutex joining_;
  std::thread thread_;  // guarded by joining_
  const std::thread::id own_;
};

/// Calls `callback`; what it throws is logged as `what`, and hurts nobody else.
void run_guarded(const char* what, const std::function<void()>& callback);

}  // namespace tidemark::subsystem
