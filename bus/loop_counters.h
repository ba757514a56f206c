// bus/loop_counters.h
//
// What the loop thread of a link counts; any thread may read it.

#pragma once

#include <atomic>
#include <cstdint>

#include "bus/link.h"

namespace tidemark::bus {

struct LoopCounters {
  std::atomic<std::uint64_t> frames_sent{0}, frames_received{0}, bytes_sent{0}, bytes_received{0},
      malformed{0}, stale{0}, requests_sent{0}, requests_served{0}, requests_timed_out{0},
      requests_sent_again{0}, requests_asked_twice{0}, frames_sent_again{0}, skipped{0}, dropped{0};

  LinkCounters read() const;
};

}  // namespace tidemark::bus
