// base/handoff_queue.h
//
// Where a foreign thread meets ours: it pushes and leaves, one consumer is woken once per
// burst and takes everything at once.
//
//   many threads ── push() ──► at most `weight_max` waiting ── drain() ──► one consumer
//
// Nothing waits in here for room: a push that does not fit is refused, and the caller
// decides what to drop and counts it.

#pragma once

#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace tidemark {

template <class T>
class HandoffQueue {
 public:
  /// `weight_max`: sum of the weights that may wait (bytes, or items of weight 1).
  /// `wake` is called on the pushing thread, without the lock, each time the queue goes
  /// from empty to not empty. It must not block.
  HandoffQueue(std::size_t weight_max, std::function<void()> wake)
      : weight_max_(weight_max), wake_(std::move(wake)) {}

  /// False when there is no room; `item` is then untouched. Threads: any.
  bool push(T&& item, std::size_t weight = 1) {
    bool was_empty = false;
    {
      const std::lock_guard lock(mutex_);
      if (weight_ + weight > weight_max_ && !items_.empty()) return false;
      was_empty = items_.empty();
      items_.push_back(std::move(item));
      weight_ += weight;
    }
    if (was_empty) wake_();
    return true;
  }

  /// Takes all that waits, in order of arrival. Threads: any.
  std::vector<T> drain() {
    const std::lock_guard lock(mutex_);
    weight_ = 0;
    return std::exchange(items_, {});
  }

 private:
  const std::size_t weight_max_;
  const std::function<void()> wake_;

  std::mutex mutex_;
  // Guarded by mutex_.
  std::vector<T> items_;
  std::size_t weight_ = 0;
};

}  // namespace tidemark
