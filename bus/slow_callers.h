// bus/slow_callers.h
//
// Answers on their way to their callers. A caller whose connection has no room now is slow: what
// is for it waits here, in order, until its budget is over. Only on the loop thread.

#pragma once

#include <deque>
#include <map>

#include "bus/clock.h"
#include "bus/loop_counters.h"
#include "bus/transport.h"

namespace tidemark::bus {

class SlowCallers {
 public:
  /// Answers that wait for one caller; beyond, they are dropped and counted.
  static constexpr std::size_t kWaitingBytesMax = 64u << 20;

  SlowCallers(Transport& transport, Clock clock, LoopCounters& counters)
      : transport_(transport), clock_(std::move(clock)), counters_(counters) {}

  /// Now, or when there is room; not after `deadline`.
  void send(const Bytes& caller, SteadyTime deadline, Bytes envelope);
  void send_waiting();
  bool none() const { return callers_.empty(); }

 private:
  struct WaitingAnswer {
    SteadyTime deadline;
    Bytes envelope;
  };
  struct Caller {
    std::deque<WaitingAnswer> waiting;
    std::size_t bytes = 0;
  };

  Transport& transport_;
  const Clock clock_;
  LoopCounters& counters_;
  std::map<Bytes, Caller> callers_;
};

}  // namespace tidemark::bus
