// subsystem/outbox.h
//
// A subsystem's way into the journal: takes records, sends them in order, holds them until they
// are acknowledged, and sends them again when the journal was away. journal::OutboxLives keeps
// the count, and a copy on disk that the next life delivers if this one cannot.
//
//   up to 64 MiB held back     everything is kept
//   up to 128 MiB              updates of keys are dropped, the oldest first
//   beyond                     nothing is taken
//
// What was dropped or not taken has numbers all the same, so the journal records a gap.

#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/handoff_queue.h"
#include "bus/link.h"
#include "journal/outbox_lives.h"
#include "model/record.h"

namespace tidemark::subsystem {

class Outbox : public std::enable_shared_from_this<Outbox> {
 public:
  /// Records that may wait for the link's loop.
  static constexpr std::size_t kWaitingMax = 1u << 20;
  static constexpr std::size_t kRecordBytesMax = 16u << 20;

  struct Options {
    bus::NodeNumber journal{};
    /// Of a program that runs once and never under this name again: the journal need not keep
    /// for good how far it has it.
    bool short_lived = false;
    /// As whom it speaks; no name: as the link's node.
    journal::SpoolOwner owner{};
    /// Where the copy is; no directory: none.
    journal::SpoolPlace spool{};
    /// append() itself numbers the record and copies it to disk, so that it is not lost with the
    /// process a moment later; and this outbox says nothing, since it carries what is said.
    bool for_logs = false;
    std::size_t kept_bytes_max = 64u << 20;
    std::size_t held_bytes_max = 128u << 20;
  };

  static std::shared_ptr<Outbox> start(const std::shared_ptr<bus::Link>& link, Options options);
  /// What waits for the loop is copied to disk, too, and how much was not taken.
  ~Outbox();

  /// Threads: any. Errors: kUnavailable, kWaitingMax or held_bytes_max: the record is not taken.
  /// Neither is one that no request could carry, of more than kRecordBytesMax: the journal records
  /// the gap, and why.
  Result<Unit> append(model::Record record);

  // Threads: any.
  /// Of records that the journal has not acknowledged.
  std::size_t held_bytes() const { return held_bytes_; }
  /// Records for which there was no room: of each the journal sees the hole.
  std::uint64_t dropped();

  /// `drained` is called once, on the loop thread, when all that was appended is durable; of logs,
  /// also when the journal is away.
  /// Threads: any.
  void when_drained(std::function<void()> drained);

 private:
  Outbox(const std::shared_ptr<bus::Link>& link, Options options);
  journal::SpoolOwner owner() const;
  void wake();
  void take();
  void number(const std::vector<model::Record>& records);
  void admit_refused();
  void say_refused();
  void push(std::span<const model::Record> records);  // under mutex_
  void send();
  void answered(std::uint64_t generation, const bus::Answer& answer);
  void fail(const Error& error);
  void settle();

  bus::Link& link_;                       // in callbacks
  const std::weak_ptr<bus::Link> owned_;  // elsewhere
  const Options options_;
  const std::string name_;
  HandoffQueue<model::Record> waiting_;
  std::atomic<std::size_t> held_bytes_{0};  // in lives_
  std::atomic<std::uint64_t> refused_{0};   // since the last hole that was made for them
  std::atomic<bool> awake_{false};          // the loop has been asked to take(), and has not yet

  std::mutex mutex_;
  // Guarded by mutex_. Nothing is logged under it: the log may end here.
  journal::OutboxLives lives_;

  // Only on the loop thread.
  std::vector<std::function<void()>> drained_;
  std::uint64_t generation_ = 0;  // grows with each rewind, and when another life is sent
  Duration retry_{0};
  bool retrying_ = false;
};

}  // namespace tidemark::subsystem
