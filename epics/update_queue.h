// epics/update_queue.h
//
// The one place where libca's threads meet ours.
//
//   libca callback ── push() ──► waiting updates, in order ── drain() ──► monitor actor
//
// All updates are kept while there is room. When it is full, a newer value replaces the one of
// the same channel that waits (or, if none waits, is let in: at most one more per channel), and
// carries the count of those it hid. Connection events are never dropped, and no value passes
// one: after a connection event the next value of that channel is let in anew.

#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "model/pv_update.h"

namespace tidemark::epics {

class UpdateQueue {
 public:
  /// Through which one channel pushes, until it is closed. Owned by whoever pushes, and looked
  /// into only by the queue, under its lock.
  class Tap {
    friend class UpdateQueue;
    bool closed_ = false;
  };

  /// `wake` is called each time the queue goes from empty to not empty: on the pushing
  /// thread, without the lock. It must not block.
  UpdateQueue(std::size_t updates_max, std::function<void()> wake);

  /// A push through a closed tap does nothing. Threads: any. Never blocks on the consumer.
  void push(const Tap& tap, model::PvUpdate update);

  /// Closes `taps`, and drops what waits of `channels`: no update of theirs follows.
  /// Threads: any.
  void close(const std::vector<Tap*>& taps, const std::vector<model::ChannelId>& channels);

  /// Takes all that waits, in order of arrival. Threads: any.
  std::vector<model::PvUpdate> drain();

  std::uint64_t pushed() const;
  std::uint64_t hidden() const;

 private:
  void index_newest();
  bool replace_newest(model::PvUpdate& update);

  const std::size_t updates_max_;
  const std::function<void()> wake_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::vector<model::PvUpdate> waiting_;
  bool indexed_ = false;                                   // newest_ is right; only when full
  std::unordered_map<std::uint32_t, std::size_t> newest_;  // channel → its value waiting_[i]
  std::size_t size_before_ = 0;                            // of the last drain: room to reserve
  std::uint64_t pushed_ = 0;
  std::uint64_t hidden_ = 0;
};

}  // namespace tidemark::epics
