#include "model/restart_policy.h"

#include <algorithm>

namespace tidemark::model {

std::optional<Duration> RestartHistory::died(SteadyTime started_at, SteadyTime now) {
  deaths_.push_back(now);
  while (now - deaths_.front() > policy_.window) deaths_.pop_front();
  if (deaths_.size() > policy_.restarts_max) return std::nullopt;
  if (now - started_at >= policy_.young) {
    early_ = 0;
    return Duration{0};
  }
  auto pause = policy_.backoff_min;
  for (std::uint32_t i = 0; i < early_ && pause < policy_.backoff_max; ++i) pause *= 2;
  ++early_;
  return std::min(pause, policy_.backoff_max);
}

}  // namespace tidemark::model
