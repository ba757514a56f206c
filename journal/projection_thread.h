// journal/projection_thread.h
//
// Keeps the projections up with the log, and lets the log give up what sealed segments have, behind
// everybody's back: at the lowest priority, woken after each append. What goes wrong is logged and
// tried again.

#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "journal/projections.h"
#include "journal/thinner.h"

namespace tidemark::journal {

class ProjectionThread {
 public:
  /// `thinner` may be null: then the log keeps all.
  explicit ProjectionThread(std::shared_ptr<Projections> projections,
                            std::shared_ptr<Thinner> thinner = nullptr);
  ~ProjectionThread();

  /// There are new lines. Threads: any.
  void wake();
  /// Why it does not get on; empty when it does. Threads: any.
  std::string trouble() const;

 private:
  void run();
  /// Whether there is more to do.
  Result<bool> step();

  const std::shared_ptr<Projections> projections_;
  const std::shared_ptr<Thinner> thinner_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  bool woken_ = true;
  bool stopping_ = false;
  std::string trouble_;

  std::thread thread_;
};

}  // namespace tidemark::journal
