// journal/projection_thread.h
//
// Keeps the projections up with the log, lets the log give up what sealed segments have, and these
// what is not kept any longer, behind everybody's back: at the lowest priority, woken after each
// append. What goes wrong is logged and tried again.

#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "journal/projections.h"
#include "journal/retainer.h"
#include "journal/thinner.h"

namespace tidemark::journal {

class ProjectionThread {
 public:
  /// `thinner` may be null: then the log keeps all. So may `retainer`: then nothing expires. After
  /// it looked, or something expired, `on_retained` is called, on this thread.
  explicit ProjectionThread(std::shared_ptr<Projections> projections,
                            std::shared_ptr<Thinner> thinner = nullptr,
                            std::shared_ptr<Retainer> retainer = nullptr,
                            std::function<void()> on_retained = {});
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
  const std::shared_ptr<Retainer> retainer_;
  const std::function<void()> on_retained_;

  std::uint64_t looks_ = 0;  // of the retainer, that were told; only on the thread

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  bool woken_ = true;
  bool stopping_ = false;
  std::string trouble_;

  std::thread thread_;
};

}  // namespace tidemark::journal
