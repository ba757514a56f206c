// model/restart_policy.h
//
// When a dead node is started again, as a function of its deaths.
//
// A node that had lived for a while is started at once: somebody killed it, or it met one bad
// moment. One that dies young is in trouble that a restart does not cure: each early death
// doubles the pause. Too many deaths in the window, and it is left down for an operator.

#pragma once

#include <deque>
#include <optional>

#include "base/time.h"

namespace tidemark::model {

struct RestartPolicy {
  Duration backoff_min = std::chrono::milliseconds(100);
  Duration backoff_max = std::chrono::seconds(30);
  std::uint32_t restarts_max = 20;
  Duration window = std::chrono::seconds(60);
  Duration young = std::chrono::seconds(1);  // a life shorter than this is an early death
};

class RestartHistory {
 public:
  explicit RestartHistory(RestartPolicy policy) : policy_(policy) {}

  /// The pause before the next start, or none: leave it down.
  std::optional<Duration> died(SteadyTime started_at, SteadyTime now);

 private:
  const RestartPolicy policy_;
  std::deque<SteadyTime> deaths_;  // within the window
  std::uint32_t early_ = 0;        // in a row
};

}  // namespace tidemark::model
