#include "journal/witness_thread.h"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace tidemark::journal {
namespace {

/// How much can be cut off the end of the database without the witness knowing. A write is one
/// flush of 4 KiB, so twenty a second are no load.
constexpr std::chrono::milliseconds kInterval{50};

}  // namespace

WitnessThread::~WitnessThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void WitnessThread::saw(Line last, const Digest& head) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    wake = last_ == written_;  // Otherwise it knows that there is something, and is on its way.
    last_ = last;
    head_ = head;
  }
  if (wake) changed_.notify_one();
}

Result<Unit> WitnessThread::will_tell(Line line) {
  if (!boot_ || line <= told_.load()) return Unit{};
  const std::lock_guard lock(file_mutex_);
  const Line told{raw(line) + kToldAhead};
  const auto written = file_->write_told(told, *boot_);
  if (written) told_ = told;
  return written;
}

void WitnessThread::run() {
  std::unique_lock lock(mutex_);
  auto next = steady_now();
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || last_ != written_; });
    changed_.wait_until(lock, next, [this] { return stopping_; });
    const bool stopping = stopping_;
    // In the end also to say that all which was told is durable.
    if (last_ != written_ || (stopping && boot_ && last_ != Line{0})) {
      const Line last = last_;
      const Digest head = head_;
      lock.unlock();
      const bool written = write(last, head, stopping);
      next = steady_now() + kInterval;
      lock.lock();
      if (written) written_ = last;
    }
    if (stopping) return;
  }
}

bool WitnessThread::write(Line last, const Digest& head, bool stopping) {
  if (!sync_()) return false;
  const std::lock_guard lock(file_mutex_);
  Line told{0};
  if (boot_ && !stopping) told = std::max(told_.load(), Line{raw(last) + kToldAhead});
  const auto written = file_->write(last, head, told, boot_.value_or(Uuid{}));
  if (written) told_ = told;
  if (!written && !warned_) {
    // The journal itself is well; only a loss of its end would go unnoticed.
    spdlog::warn("journal: {}", written.error().message);
  }
  warned_ = !written;
  return written.ok();
}

}  // namespace tidemark::journal
