// bus/served_calls.h
//
// The calls of others, until their callers have given up. Makes the Call that a handler gets; its
// answer comes back through the Outbox, from whatever thread and at whatever time, and is
// ignored when it is late, or a second one. The answer is kept until then too: a request that is
// sent again is answered again, and done once. That it was here is known a while longer, for one
// that comes late. Only on the loop thread.

#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>

#include "bus/clock.h"
#include "bus/link.h"
#include "bus/outbox.h"

namespace tidemark::bus {

class ServedCalls {
 public:
  /// How many may be open at once; more are turned away with kUnavailable.
  static constexpr std::size_t kOpenMax = 1u << 16;
  /// How many are kept in all, open or answered; more are turned away, since forgetting one early
  /// could do it twice.
  static constexpr std::size_t kKeptMax = 1u << 19;
  /// Answers kept in all, and the largest. Whoever asks twice for one that was not kept learns
  /// that the outcome is unknown.
  static constexpr std::size_t kAnswerBytesMax = 64u << 20;
  static constexpr std::size_t kAnswerBytesEach = 64u << 10;
  /// How long after its caller gave up a call is known to have been here, since a request that was
  /// sent again may wait in a buffer; while there are no more than kLateMax calls.
  static constexpr Duration kLate = std::chrono::seconds(10);
  static constexpr std::size_t kLateMax = 1u << 17;
  /// What a caller can ask us to remember its call for.
  static constexpr Duration kBudgetMax = std::chrono::hours(24);

  ServedCalls(std::shared_ptr<Outbox> outbox, Incarnation self, Clock clock)
      : outbox_(std::move(outbox)), self_(self), clock_(std::move(clock)) {}

  /// Empty when this very call is here already: again() has its answer, if there is one.
  std::optional<Call> open(const Bytes& caller, Envelope request);
  /// The final answer to a call that was asked before, as an envelope; null while it is open.
  SharedBytes again(const Bytes& caller, CallId id) const;
  void cancel(const Bytes& caller, CallId id);
  /// Its final answer is on the way: an envelope, kept until the caller's budget is over.
  void close(const Bytes& caller, CallId id, const Bytes& answer);
  /// Ends those whose callers have given up by now, tells their handlers, and forgets them in time.
  void expire();

  bool full() const { return open_ >= kOpenMax || calls_.size() >= kKeptMax; }
  bool knows(const Bytes& caller, CallId id) const { return calls_.contains(Key{caller, id}); }
  /// An answer to a call that was not opened.
  Bytes refusal(CallId id, const Error& error) const;

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
    std::shared_ptr<std::atomic<bool>> cancelled;  // null: answered
    Deadlines::iterator deadline;
    SharedBytes answer;
    bool late = false;  // its caller has given up
  };
  void give_up(Entry& call);

  const std::shared_ptr<Outbox> outbox_;
  const Incarnation self_;
  const Clock clock_;
  std::unordered_map<Key, Entry, KeyHash> calls_;
  Deadlines deadlines_;
  std::size_t open_ = 0;
  std::size_t answer_bytes_ = 0;
};

}  // namespace tidemark::bus
