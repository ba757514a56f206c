// journal/outbox_lives.h
//
// An outbox queue that outlives its process: what this life of a node says is also on disk until
// the journal has it, and what earlier lives left there is sent first, as theirs.
//
//   push ──► queue of this life ──► spool on disk            next() ──► of the oldest life that
//            queues of past lives ◄── spools found at start              has something, until it is
//                                                                        acknowledged
//
// Records only: batches of PV updates are not spooled. See docs/ARCHITECTURE.md.

#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "journal/outbox_queue.h"
#include "journal/spool.h"

namespace tidemark::journal {

struct SpoolPlace {
  std::string directory;              // of this origin alone; empty: nothing on disk
  std::size_t bytes_max = 64u << 20;  // of all lives in it
  bool whole = false;                 // all that the origin says passes through it
};

class OutboxLives {
 public:
  /// Reads what is in the place, and makes a spool for this life. What cannot be read is put
  /// aside as `….bad`; when the disk refuses, it goes on without a spool. Both are logged.
  OutboxLives(OutboxLimits limits, SpoolOwner owner, const SpoolPlace& place);

  /// As of OutboxQueue, of this life.
  std::uint64_t push(SectionFormat format, Worth worth, std::uint32_t count, UtcTime sent_at,
                     Bytes payload);
  void skip(std::uint64_t count) { queue_.skip(count); }
  std::uint64_t acknowledged_through() const { return queue_.acknowledged_through(); }
  std::uint64_t dropped() const { return queue_.dropped(); }
  std::size_t bytes() const { return queue_.bytes(); }

  /// The next request, or one without sections: nothing to send, or enough on the way.
  model::api::AppendRequest next();
  /// The answer to a request of the life that next() speaks for. True when that life has all of
  /// it: answers to its other requests are no longer of interest.
  bool acknowledged(std::uint64_t through);
  void rewind() { front().rewind(); }
  /// The journal will never take what next() speaks for, when that is a past life: it is dropped.
  /// False when it is this life, or who has a successor: then all is refused, whatever it is.
  bool give_up();

  /// Nothing waits, of no life.
  bool idle() const { return past_.empty() && queue_.idle(); }
  std::size_t spool_bytes() const { return spool_ ? spool_->bytes() : 0; }

 private:
  struct Past {
    SpoolOwner owner;
    OutboxQueue queue;
    std::string path;
  };
  OutboxQueue& front() { return past_.empty() ? queue_ : past_.front().queue; }
  /// Answers the bytes that are still needed there.
  std::size_t find_past(const SpoolPlace& place);
  void drop_past();

  OutboxLimits limits_;
  SpoolOwner owner_;
  bool whole_;
  std::deque<Past> past_;  // oldest first; none of them idle
  OutboxQueue queue_;
  std::unique_ptr<Spool> spool_;
};

/// Whether sending the same again would get the same answer, for ever.
constexpr bool is_final(Code code) {
  return code == Code::kRefused || code == Code::kCorruption || code == Code::kInvalidArgument;
}

/// Adds a record to the newest spool in the directory that is of an earlier life of `owner`: the
/// last thing that it said. False when there is none.
bool add_last_words(const SpoolPlace& place, const SpoolOwner& owner, const model::Record& record);

}  // namespace tidemark::journal
