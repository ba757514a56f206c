#include "journal/projection_thread.h"

#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <utility>

namespace tidemark::journal {
namespace {

constexpr std::uint64_t kLinesAtOnce = 65'536;
constexpr auto kRetry = std::chrono::seconds(1);
constexpr auto kLook = std::chrono::seconds(10);  // when nobody writes: what is there grows older
constexpr int kProjectionNice = 10;

}  // namespace

ProjectionThread::ProjectionThread(std::shared_ptr<Projections> projections,
                                   std::shared_ptr<Thinner> thinner,
                                   std::shared_ptr<Retainer> retainer,
                                   std::function<void()> on_retained)
    : projections_(std::move(projections)),
      thinner_(std::move(thinner)),
      retainer_(std::move(retainer)),
      on_retained_(std::move(on_retained)),
      thread_([this] { run(); }) {}

ProjectionThread::~ProjectionThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void ProjectionThread::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_one();
}

std::string ProjectionThread::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

Result<bool> ProjectionThread::step() {
  const auto more = projections_->advance(kLinesAtOnce);
  if (!more || !thinner_) return more;
  const auto closed = thinner_->step();
  if (!closed) return closed;
  if (!retainer_) return more.value() || closed.value();
  const auto expired = retainer_->step();
  if (!expired) return expired;
  if (on_retained_ && std::exchange(looks_, retainer_->figures().looks) != looks_) on_retained_();
  return more.value() || closed.value() || expired.value();
}

void ProjectionThread::run() {
  pthread_setname_np(pthread_self(), "projections");
  (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), kProjectionNice);
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (!woken_) changed_.wait_for(lock, kLook, [&] { return woken_ || stopping_; });
    if (stopping_) return;
    woken_ = false;
    lock.unlock();
    const auto more = step();
    lock.lock();
    if (more) {
      trouble_.clear();
      woken_ = woken_ || more.value();
      continue;
    }
    if (trouble_ != more.error().message) {
      trouble_ = more.error().message;
      spdlog::error("the projections stand still: {}", trouble_);
    }
    changed_.wait_for(lock, kRetry, [&] { return stopping_; });
    woken_ = true;
  }
}

}  // namespace tidemark::journal
