// journal/scrubber.h
//
// Reads the whole journal again and again, at a pace that nobody notices, so that damage is known
// while there is still a backup from before it.
//
//   Store ── ScrubWalk, some blocks at a time ──► damaged lines, each told once
//   Scrubber: the same on a thread of the lowest priority, so many bytes a second

#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/time.h"
#include "journal/check.h"

namespace tidemark::journal {

struct ScrubFigures {
  Line next{1};               // where this pass has got to
  std::uint64_t lines = 0;    // that were read and are sound, in all passes
  std::uint64_t passes = 0;   // from the first line to the last
  std::uint64_t damaged = 0;  // lines
};

/// One pass after the other. Not guarded.
class ScrubWalk {
 public:
  explicit ScrubWalk(std::shared_ptr<const Store> store) : store_(std::move(store)) {}

  /// What one step read.
  struct Step {
    std::uint64_t bytes = 0;     // unpacked
    std::vector<Damage> damage;  // that was not told before
    bool end = false;            // of a pass; the next step begins at the first line
  };
  /// Reads on, some `bytes_max`, at least one block.
  /// Errors: as Store::scan, but for kCorruption, which is what it looks for.
  Result<Step> step(std::uint64_t bytes_max);
  const ScrubFigures& figures() const { return figures_; }

 private:
  const std::shared_ptr<const Store> store_;
  ScrubFigures figures_;
  std::vector<LineRange> told_;
};

class Scrubber {
 public:
  struct Options {
    std::uint64_t bytes_per_second = 4u << 20;  // unpacked: a day is some 300 GB
    Duration pause = std::chrono::hours(1);     // between two passes
  };
  /// Both are called on its thread: `on_damage` once for each damage, `on_step` after each step.
  Scrubber(std::shared_ptr<const Store> store, Options options,
           std::function<void(const Damage&)> on_damage,
           std::function<void(const ScrubFigures&)> on_step);
  ~Scrubber();
  Scrubber(const Scrubber&) = delete;
  Scrubber& operator=(const Scrubber&) = delete;

 private:
  void run();

  const Options options_;
  const std::function<void(const Damage&)> on_damage_;
  const std::function<void(const ScrubFigures&)> on_step_;
  ScrubWalk walk_;  // only on the thread

  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  bool stopping_ = false;

  std::thread thread_;  // Last: it starts when all else is there.
};

}  // namespace tidemark::journal
