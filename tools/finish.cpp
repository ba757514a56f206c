#include "tools/finish.h"

#include <algorithm>

#include "tools/interrupt.h"

namespace tidemark::tools {
namespace {

constexpr Duration kLook = std::chrono::milliseconds(50);  // how soon Ctrl-C is noticed

}  // namespace

void Finish::enough() {
  {
    const std::lock_guard lock(mutex_);
    enough_ = true;
  }
  changed_.notify_all();
}

bool Finish::is_enough() const {
  const std::lock_guard lock(mutex_);
  return enough_;
}

Finish::Why Finish::wait(SteadyTime until) {
  std::unique_lock lock(mutex_);
  while (!enough_) {
    if (Interrupt::came()) return Why::kInterrupted;
    const auto now = steady_now();
    if (now >= until) return Why::kTimeOver;
    changed_.wait_for(lock, std::min<Duration>(kLook, until - now));
  }
  return Why::kEnough;
}

void Finish::wait_for_last_words(Duration patience) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, patience, [this] { return enough_; });
}

}  // namespace tidemark::tools
