// journal/witness_thread.h
//
// Keeps the witness up to date, off the commit path: at most one write every 50 ms, and one at
// the end.
//
//   append() ── saw(line, head) ──► newest ── sync() ──► WitnessFile::write()

#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "base/time.h"
#include "journal/witness.h"

namespace tidemark::journal {

class WitnessThread {
 public:
  /// `sync` is called on the thread before each write and makes durable what saw() named until
  /// then. When it returns false the witness stays as it was, and is tried again 50 ms later.
  WitnessThread(std::unique_ptr<WitnessFile> file, std::function<bool()> sync)
      : file_(std::move(file)), sync_(std::move(sync)), thread_([this] { run(); }) {}
  /// Writes what is still to be written.
  ~WitnessThread();
  WitnessThread(const WitnessThread&) = delete;
  WitnessThread& operator=(const WitnessThread&) = delete;

  /// What the database held when it was opened. Written like anything else, so that a witness
  /// which was lost comes back.
  void restore(Line last, const Digest& head) { saw(last, head); }
  /// Never waits for the disk.
  void saw(Line last, const Digest& head);

 private:
  void run();
  bool write(Line last, const Digest& head);

  // Only on the thread.
  const std::unique_ptr<WitnessFile> file_;
  const std::function<bool()> sync_;
  bool warned_ = false;

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
