// journal/projection_thread.h
//
// Keeps the projections up with the log, behind everybody's back: at the lowest priority, woken
// after each append. What goes wrong is logged and tried again.

#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "journal/projections.h"

namespace tidemark::journal {

class ProjectionThread {
 public:
  explicit ProjectionThread(std::shared_ptr<Projections> projections);
  ~ProjectionThread();

  /// There are new lines. Threads: any.
  void wake();
  /// Why it does not get on; empty when it does. Threads: any.
  std::string trouble() const;

 private:
  void run();

  const std::shared_ptr<Projections> projections_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  bool woken_ = true;
  bool stopping_ = false;
  std::string trouble_;

  std::thread thread_;
};

}  // namespace tidemark::journal
