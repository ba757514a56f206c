// journal/outbox_queue.h
//
// What a node said and the journal has not acknowledged: numbered, in order, bounded. The pure
// part of every way into the journal: no threads, no bus.
//
//   push ──► [ sent, unacknowledged | not sent yet ] ──► next()      acknowledged() forgets
//                ▲ rewind(): send all of it again
//
// When it is full the oldest updates go first, never other records; the journal sees the hole in
// the numbers and records the gap.

#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "journal/section.h"
#include "model/api/journal.h"

namespace tidemark::journal {

struct OutboxLimits {
  std::size_t bytes_max = 256u << 20;         // held back in all
  std::size_t request_bytes_max = 1u << 20;   // of one append request
  std::uint32_t requests_max = 8;             // on the way at once
  std::uint32_t request_sections_max = 1000;  // small ones: as many as the journal takes at once
};

/// What may be dropped when there is no room: values that others follow, of PVs and of keys.
enum class Worth { kUpdates, kRecords };

class OutboxQueue {
 public:
  explicit OutboxQueue(OutboxLimits limits) : limits_(limits) {}
  /// What a life that is over had said, by its own numbers; all beyond `acknowledged`.
  OutboxQueue(OutboxLimits limits, std::uint64_t acknowledged,
              std::vector<model::api::AppendSection> sections);

  /// Numbers `count` records and keeps them. Returns the number of the last.
  std::uint64_t push(SectionFormat format, Worth worth, std::uint32_t count, UtcTime sent_at,
                     Bytes payload);
  /// Numbers `count` records that nobody could take: the journal will record them as a gap.
  void skip(std::uint64_t count);

  /// What AppendRequest::after is for the request that next() gives.
  std::uint64_t after() const;
  /// The sections of the next request, or none: nothing to send, or enough on the way.
  std::vector<model::api::AppendSection> next();

  /// Every record up to `through` is in the journal; one request has been answered.
  void acknowledged(std::uint64_t through);
  /// A request failed: whatever is not acknowledged will be sent again from the oldest on.
  void rewind();

  bool idle() const { return sections_.empty(); }
  std::uint64_t next_sequence() const { return next_sequence_; }
  std::uint64_t acknowledged_through() const { return acknowledged_; }
  std::size_t bytes() const { return bytes_; }
  std::uint64_t dropped() const { return dropped_; }

 private:
  struct Held {
    model::api::AppendSection section;
    Worth worth;
    /// There was no room for it any more while it was on the way: the answer tells whether the
    /// journal has it, and only its numbers are kept until then.
    bool gone;
  };
  void make_room();

  OutboxLimits limits_;
  std::deque<Held> sections_;
  std::size_t sent_ = 0;  // of sections_, from the front
  std::uint32_t requests_ = 0;
  std::size_t bytes_ = 0;
  std::uint64_t next_sequence_ = 1;
  std::uint64_t acknowledged_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace tidemark::journal
