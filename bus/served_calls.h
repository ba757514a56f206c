// bus/served_calls.h
//
// The calls of others that we have not answered yet. Makes the Call that a handler gets; its
// answer comes back through the Outbox, from whatever thread and at whatever time, and is
// ignored when it is late, or a second one. Only on the loop thread.

#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>

#include "bus/link.h"
#include "bus/outbox.h"

namespace tidemark::bus {

class ServedCalls {
 public:
  /// How many may be open at once; more are turned away with kUnavailable.
  static constexpr std::size_t kOpenMax = 1u << 16;
  /// What a caller can ask us to remember its call for.
  static constexpr Duration kBudgetMax = std::chrono::hours(24);

  ServedCalls(std::shared_ptr<Outbox> outbox, Incarnation self)
      : outbox_(std::move(outbox)), self_(self) {}

  /// Empty when this very call is open already: it will be answered once.
  std::optional<Call> open(const Bytes& caller, Envelope request, SteadyTime now);
  void cancel(const Bytes& caller, CallId id);
  /// Its final answer is on the way.
  void close(const Bytes& caller, CallId id);
  /// Forgets those whose callers have given up by now, and tells their handlers.
  void expire(SteadyTime now);

  std::size_t count() const { return calls_.size(); }

 private:
  class Answering;
  struct Key {
    Bytes caller;
    CallId id;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept { return std::hash<CallId>{}(key.id); }
  };
  using Deadlines = std::multimap<SteadyTime, Key>;
  struct Entry {
    std::shared_ptr<std::atomic<bool>> cancelled;
    Deadlines::iterator deadline;
  };

  const std::shared_ptr<Outbox> outbox_;
  const Incarnation self_;
  std::unordered_map<Key, Entry, KeyHash> calls_;
  Deadlines deadlines_;
};

}  // namespace tidemark::bus
