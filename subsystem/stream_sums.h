// subsystem/stream_sums.h
//
// What all that follow streams of a session have counted, those that are gone among them, and what
// its listeners were too slow for. Written on the loop thread and the callbacks'; any thread reads.

#pragma once

#include <atomic>
#include <cstdint>

#include "bus/stream_reader.h"

namespace tidemark::subsystem {

struct StreamSums {
  std::atomic<std::uint64_t> gaps{0}, repaired{0}, items_lost{0}, states{0};

  /// Adds what a follower has counted since it was last added: `counted` remembers that.
  void add(const bus::StreamReader::Counters& now, bus::StreamReader::Counters& counted) {
    gaps += now.gaps - counted.gaps;
    repaired += now.repaired - counted.repaired;
    items_lost += now.items_lost - counted.items_lost;
    states += now.states - counted.states;
    counted = now;
  }
};

struct ListenerSums {
  std::atomic<std::uint64_t> conflated{0};  // of policy latest: a newer value was there
  std::atomic<std::uint64_t> missed{0};     // of policy all: there was no room
};

}  // namespace tidemark::subsystem
