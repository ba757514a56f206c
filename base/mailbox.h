// base/mailbox.h
//
// From a loop thread to a thread that waits for it. Shared with callbacks, which may come after the
// waiting one has ended.

#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "base/handoff_queue.h"
#include "base/time.h"

namespace tidemark {

template <class T>
class Mailbox {
 public:
  /// `weight_max` as that of a HandoffQueue.
  explicit Mailbox(std::size_t weight_max)
      : queue_(weight_max, [this] {
          {
            const std::lock_guard lock(mutex_);
            woken_ = true;
          }
          changed_.notify_one();
        }) {}

  /// What does not fit is counted. Threads: any.
  void push(T item, std::size_t weight = 1) {
    if (!queue_.push(std::move(item), weight)) ++refused_;
  }

  /// What has arrived, waiting up to `wait` for something.
  std::vector<T> take(Duration wait) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, wait, [this] { return woken_; });
      woken_ = false;
    }
    return queue_.drain();
  }

  /// What did not fit since the last time that somebody asked.
  std::uint64_t take_refused() { return refused_.exchange(0); }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;  // guarded by mutex_
  HandoffQueue<T> queue_;
  std::atomic<std::uint64_t> refused_{0};
};

}  // namespace tidemark
