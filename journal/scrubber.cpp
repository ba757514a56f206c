#include "journal/scrubber.h"

#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

namespace tidemark::journal {
namespace {

/// Of one step: less than that is never noticed, and an iterator that stays open keeps old files.
constexpr std::uint64_t kStepBytes = 1u << 20;
constexpr int kScrubNice = 19;

}  // namespace

Result<ScrubWalk::Step> ScrubWalk::step(std::uint64_t bytes_max) {
  Step step;
  const auto last = store_->last();
  BlockFilter filter;
  filter.last = last;
  const auto scanned = store_->scan(figures_.next, filter, [&](Block& block) {
    const Line end{raw(block.first) + block.count - 1};
    figures_.lines += raw(end) - std::max(raw(block.first), raw(figures_.next)) + 1;
    figures_.next = Line{raw(end) + 1};
    for (const auto& section : block.sections) step.bytes += section.payload.size();
    return step.bytes < bytes_max;
  });
  if (!scanned && scanned.error().code != Code::kCorruption) return scanned.error();
  if (!scanned) {
    auto lines = lines_of(scanned.error()).value_or(LineRange{figures_.next, last});
    lines.last = std::max(lines.last, figures_.next);
    figures_.next = Line{raw(lines.last) + 1};
    if (std::find(told_.begin(), told_.end(), lines) == told_.end()) {
      told_.push_back(lines);
      figures_.damaged += raw(lines.last) - raw(lines.first) + 1;
      step.damage.push_back({lines, scanned.error().message});
    }
  }
  if (figures_.next > last) {
    step.end = true;
    ++figures_.passes;
    figures_.next = Line{1};
  }
  return step;
}

Scrubber::Scrubber(std::shared_ptr<const Store> store, Options options,
                   std::function<void(const Damage&)> on_damage,
                   std::function<void(const ScrubFigures&)> on_step)
    : options_(options),
      on_damage_(std::move(on_damage)),
      on_step_(std::move(on_step)),
      walk_(std::move(store)),
      thread_([this] { run(); }) {}

Scrubber::~Scrubber() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Scrubber::run() {
  pthread_setname_np(pthread_self(), "scrubber");
  (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), kScrubNice);
  std::unique_lock lock(mutex_);
  std::string trouble;
  while (!stopping_) {
    lock.unlock();
    const auto step = walk_.step(kStepBytes);
    if (step) {
      for (const auto& each : step.value().damage) on_damage_(each);
    } else if (trouble != step.error().message) {
      trouble = step.error().message;
      spdlog::warn("the journal cannot be scrubbed: {}", trouble);
    }
    on_step_(walk_.figures());
    lock.lock();
    const auto bytes = step ? std::max<std::uint64_t>(step.value().bytes, 1) : kStepBytes;
    const std::chrono::duration<double> pace(static_cast<double>(bytes) /
                                             static_cast<double>(options_.bytes_per_second));
    const auto rest =
        !step || step.value().end ? options_.pause : std::chrono::duration_cast<Duration>(pace);
    changed_.wait_for(lock, rest, [&] { return stopping_; });
  }
}

}  // namespace tidemark::journal
