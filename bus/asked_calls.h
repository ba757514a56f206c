// bus/asked_calls.h
//
// The calls of ours that have no final answer yet. Whoever takes one out ends it, so each ends
// once. Only on the loop thread.

#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "bus/link.h"

namespace tidemark::bus {

struct AskedCall {
  NodeNumber node{};
  std::string method;
  Duration budget{};
  bool sent = false;        // false: the server cannot have heard of it
  std::uint64_t parts = 0;  // kProgress that came
  Bytes again;              // its envelope, when it is small enough to be sent again
  Duration patience{};      // how long without a word until then
  std::function<void(Bytes)> on_progress;
  std::function<void(Answer)> on_answer;
};

/// Gives it its answer.
void end(AskedCall call, Answer answer);

class AskedCalls {
 public:
  void add(CallId id, SteadyTime deadline, AskedCall call);
  AskedCall* find(CallId id);

  /// Its envelope is to be sent again at that time, unless it ends before.
  void send_again_at(CallId id, SteadyTime when);
  std::optional<CallId> take_silent(SteadyTime now);

  std::optional<AskedCall> take(CallId id);
  std::optional<AskedCall> take_expired(SteadyTime now);
  std::vector<AskedCall> take_of(NodeNumber node);
  std::vector<AskedCall> take_all();

  std::optional<SteadyTime> deadline_of(CallId id) const;
  /// When the next one ends or is sent again.
  SteadyTime next_event() const;
  std::size_t count() const { return calls_.size(); }

 private:
  using Deadlines = std::multimap<SteadyTime, CallId>;
  struct Entry {
    AskedCall call;
    Deadlines::iterator deadline;
  };
  using Calls = std::unordered_map<CallId, Entry>;
  AskedCall take(Calls::iterator at);

  Calls calls_;
  Deadlines deadlines_;
  Deadlines silences_;  // of calls that may have ended since
};

}  // namespace tidemark::bus
