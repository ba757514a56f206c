// bus/outbox.h
//
// Where other threads leave work for a link's loop. The last Call of a link may be answered
// after the link has gone, so the outbox is shared and outlives it; work that comes too late is
// dropped.

#pragma once

#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

#include "base/handoff_queue.h"

namespace tidemark::bus {

class Engine;

class Outbox {
 public:
  using Job = std::function<void(Engine&)>;  // run by the loop, in order

  /// What may wait for a loop that stands still: twice the largest envelope.
  static constexpr std::size_t kBytesMax = 128u << 20;

  explicit Outbox(std::function<void()> wake) : jobs_(kBytesMax, std::move(wake)) {}

  /// False when there is no room; `job` is then untouched. Threads: any.
  bool push(Job&& job, std::size_t bytes) { return jobs_.push(std::move(job), bytes); }
  /// For what must not be lost and is small. Threads: any.
  void push(Job&& job) { jobs_.push(std::move(job), 0); }

  std::vector<Job> drain() { return jobs_.drain(); }

 private:
  HandoffQueue<Job> jobs_;
};

}  // namespace tidemark::bus
