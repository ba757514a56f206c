#include "subsystem/executor.h"

#include <spdlog/spdlog.h>

#include <exception>
#include <limits>
#include <utility>

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

Executor::Executor() : thread_([queue = queue_] { run(queue); }), own_(thread_.get_id()) {}

Executor::~Executor() {
  stop();
  if (thread_.joinable()) thread_.detach();
}

void Executor::stop() {
  std::deque<std::function<void()>> dropped;
  {
    const std::lock_guard lock(queue_->mutex);
    queue_->stopping = true;
    dropped.swap(queue_->waiting);
  }
  queue_->changed.notify_one();
  if (std::this_thread::get_id() == own_) return;
  const std::lock_guard lock(joining_);
  if (thread_.joinable()) thread_.join();
}

bool Executor::post(std::function<void()> callback) {
  return post(std::move(callback), kWaitingMax);
}

bool Executor::post_owed(std::function<void()> callback) {
  return post(std::move(callback), std::numeric_limits<std::size_t>::max());
}

bool Executor::post(std::function<void()> callback, std::size_t waiting_max) {
  {
    const std::lock_guard lock(queue_->mutex);
    if (queue_->stopping || queue_->waiting.size() >= waiting_max) return false;
    queue_->waiting.push_back(std::move(callback));
  }
  queue_->changed.notify_one();
  return true;
}

bool Executor::inside() { return in_callback; }

void Executor::run(const std::shared_ptr<Queue>& queue) {
  in_callback = true;
  std::unique_lock lock(queue->mutex);
  while (true) {
    queue->changed.wait(lock, [&] { return queue->stopping || !queue->waiting.empty(); });
    if (queue->stopping) return;
    auto callback = std::move(queue->waiting.front());
    queue->waiting.pop_front();
    lock.unlock();
    run_guarded("a callback", callback);
    callback = nullptr;  // Without the lock: it may hold the last of much.
    lock.lock();
  }
}

}  // namespace tidemark::subsystem
