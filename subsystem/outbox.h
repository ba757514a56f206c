// subsystem/outbox.h
//
// A subsystem's way into the journal: takes records, sends them in order, holds them until they
// are acknowledged, and sends them again when the journal was away. journal::OutboxQueue keeps
// the count and the bounds.

#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/handoff_queue.h"
#include "bus/link.h"
#include "journal/outbox_queue.h"
#include "model/record.h"

namespace tidemark::subsystem {

class Outbox : public std::enable_shared_from_this<Outbox> {
 public:
  /// Records that may wait for the link's loop.
  static constexpr std::size_t kWaitingMax = 1u << 20;

  static std::shared_ptr<Outbox> start(const std::shared_ptr<bus::Link>& link,
                                       bus::NodeNumber journal);

  /// Threads: any. Errors: kUnavailable, kWaitingMax: the record is not taken.
  Result<Unit> append(model::Record record);

  /// `drained` is called once, on the loop thread, when all that was appended is durable.
  /// Threads: any.
  void when_drained(std::function<void()> drained);

 private:
  Outbox(const std::shared_ptr<bus::Link>& link, bus::NodeNumber journal);
  void take();
  void push(std::span<const model::Record> records);
  void send();
  void answered(std::uint64_t generation, const bus::Answer& answer);
  void settle();

  bus::Link& link_;                       // in callbacks
  const std::weak_ptr<bus::Link> owned_;  // elsewhere
  const bus::NodeNumber journal_;
  HandoffQueue<model::Record> waiting_;

  // Only on the loop thread.
  journal::OutboxQueue queue_;
  std::vector<std::function<void()>> drained_;
  std::uint64_t generation_ = 0;  // grows with each rewind
  Duration retry_{0};
  bool retrying_ = false;
};

}  // namespace tidemark::subsystem
