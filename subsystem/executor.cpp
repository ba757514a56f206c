#include "subsystem/executor.h"

#include <spdlog/spdlog.h>

#include <exception>

namespace tidemark::subsystem {
namespace {

thread_local bool in_callback = false;

}  // namespace

void run_guarded(const char* what, const std::function<void()>& callback) {
  try {
    callback();
  } catch (const std::exception& failure) {
    spdlog::error("{} threw: {}", what, failure.what());
  } catch (...) {
    spdlog::error("{} threw", what);
  }
}

Executor::Executor() : thread_([this] { run(); }) {}

Executor::~Executor() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

bool Executor::post(std::function<void()> callback) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || waiting_.size() >= kWaitingMax) return false;
    waiting_.push_back(std::move(callback));
  }
  changed_.notify_one();
  return true;
}

bool Executor::inside() { return in_callback; }

void Executor::run() {
  in_callback = true;
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    auto callback = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    run_guarded("a callback", callback);
    callback = nullptr;
    lock.lock();
  }
}

}  // namespace tidemark::subsystem
