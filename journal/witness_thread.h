// journal/witness_thread.h
//
// Keeps the witness up to date, off the commit path: at most one write every 50 ms, and one at
// the end. Where lines are told before they are durable, the witness is told first.
//
//   append() ── saw(line, head) ──► newest ── sync() ──► WitnessFile::write()
//            └─ will_tell(line) ── beyond what it says ──► WitnessFile::write_told()

#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "base/time.h"
#include "journal/witness.h"

namespace tidemark::journal {

/// So many numbers beyond the last line may be told without a further write: more than come in 50
/// ms, on most machines, or else an append waits for one flush. After a power cut they are not
/// used.
inline constexpr std::uint64_t kToldAhead = 16'384;

class WitnessThread {
 public:
  /// `sync` is called on the thread before each write and makes durable what saw() named until
  /// then. When it returns false the witness stays as it was, and is tried again 50 ms later.
  /// `boot`: empty when nothing is told before it is durable.
  WitnessThread(std::unique_ptr<WitnessFile> file, std::function<bool()> sync,
                std::optional<Uuid> boot)
      : sync_(std::move(sync)), boot_(boot), file_(std::move(file)), thread_([this] { run(); }) {}
  /// Writes what is still to be written.
  ~WitnessThread();
  WitnessThread(const WitnessThread&) = delete;
  WitnessThread& operator=(const WitnessThread&) = delete;

  /// What the database held when it was opened. Written like anything else, so that a witness
  /// which was lost comes back.
  void restore(Line last, const Digest& head) { saw(last, head); }
  /// Never waits for the disk.
  void saw(Line last, const Digest& head);

  /// Lines up to `line` are about to be told, durable or not: on return the witness knows.
  /// Blocking    for one flush, when that is more than it knows already.
  /// Errors      kUnavailable  it cannot be written: they must not be told.
  Result<Unit> will_tell(Line line);

 private:
  void run();
  bool write(Line last, const Digest& head, bool stopping);

  // Constant after construction.
  const std::function<bool()> sync_;
  const std::optional<Uuid> boot_;

  // Only on the thread.
  bool warned_ = false;

  std::mutex file_mutex_;
  // Guarded by file_mutex_.
  const std::unique_ptr<WitnessFile> file_;
  std::atomic<Line> told_ = Line{0};  // what the file says; read without it

  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  Line last_{0};
  Digest head_{};
  Line written_{0};
  bool stopping_ = false;

  std::thread thread_;  // Last: it starts when all else is there.
};

}  // namespace tidemark::journal
