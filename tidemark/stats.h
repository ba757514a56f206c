// tidemark/stats.h
//
// What a program on the bus has counted since it started: Client::stats().
//
//   const auto stats = site.stats();
//   if (stats.missed > 0) …   a listener is too slow for what it asked for

#pragma once

#include <cstdint>

namespace tidemark {

/// Of the program's link to the bus; the names are those of docs/bus-protocol.md.
struct LinkStats {
  std::uint64_t frames_sent = 0;
  std::uint64_t frames_received = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t malformed = 0;  // what arrived and cannot be read
  std::uint64_t stale = 0;      // of a life that has a successor
  std::uint64_t requests_sent = 0;
  std::uint64_t requests_served = 0;
  std::uint64_t requests_timed_out = 0;
  std::uint64_t requests_sent_again = 0;
  std::uint64_t requests_asked_twice = 0;  // answered once more, not done once more
  std::uint64_t frames_sent_again = 0;     // to who had lost them
  std::uint64_t skipped = 0;               // dropped unread after this process stood still
  std::uint64_t refused = 0;               // connections of strangers
  std::uint64_t dropped = 0;               // not sent: a queue was full
};

struct Stats {
  // Streams of others that are followed, of keys and of status items:
  std::uint64_t gaps = 0;        // holes in the numbers of items
  std::uint64_t repaired = 0;    // of them, those whose items came again
  std::uint64_t items_lost = 0;  // that did not: the whole state was taken instead
  std::uint64_t states = 0;      // whole states that were taken, the first of each stream too

  // Listeners of this program:
  std::uint64_t conflated = 0;  // values that one of kLatest did not see: a newer one was there
  std::uint64_t missed = 0;     // updates for which one of kAll had no room, being too slow

  // Records on their way into the journal:
  std::uint64_t records_held_bytes = 0;  // not acknowledged yet
  std::uint64_t records_dropped = 0;     // there was no room; the journal records the gap

  LinkStats link;
};

}  // namespace tidemark
