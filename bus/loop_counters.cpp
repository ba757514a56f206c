// bus/loop_counters.cpp

#include "bus/loop_counters.h"

namespace tidemark::bus {

LinkCounters LoopCounters::read() const {
  LinkCounters all;
  all.frames_sent = frames_sent;
  all.frames_received = frames_received;
  all.bytes_sent = bytes_sent;
  all.bytes_received = bytes_received;
  all.malformed = malformed;
  all.stale = stale;
  all.requests_sent = requests_sent;
  all.requests_served = requests_served;
  all.requests_timed_out = requests_timed_out;
  all.requests_sent_again = requests_sent_again;
  all.requests_asked_twice = requests_asked_twice;
  all.frames_sent_again = frames_sent_again;
  all.skipped = skipped;
  all.dropped = dropped;
  return all;
}

}  // namespace tidemark::bus
