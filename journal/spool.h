// journal/spool.h
//
// What a node said and the journal has not acknowledged, on disk, for the node's next life. One
// file of one life of one origin; outbox_lives.h keeps a folder of them.
//
//   push() ──► [ head: whose, acknowledged through | frame | frame | … ]
//                                     ▲ acknowledged() moves on; when all is, the frames go
//
// A frame is a section as it is sent to the journal, so what is delivered from here is what would
// have been sent: the journal stores it once, whoever sends it.

#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "model/api/journal.h"

namespace tidemark::journal {

/// Whose records they are: AppendRequest's origin, node and incarnation.
struct SpoolOwner {
  Uuid origin;
  std::string node;  // at most 64 bytes
  std::uint32_t incarnation = 0;
  bool operator==(const SpoolOwner&) const = default;
};

/// Sections that found no room, by the numbers of their records. `last` 0: none.
struct Unspooled {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  bool operator==(const Unspooled&) const = default;
};

/// What a file holds.
struct Spooled {
  SpoolOwner owner;
  std::uint64_t acknowledged = 0;
  Unspooled unspooled;
  std::vector<model::api::AppendSection> sections;  // in sequence; beyond `acknowledged`

  /// Of the last record that this life is known to have numbered.
  std::uint64_t last() const;
};

/// The bytes of a file. What a process left half written at the end is not there.
/// Errors: kCorruption  no head of a spool, or of a later version.
Result<Spooled> decode_spool(BytesView bytes);
/// Errors: kUnavailable  it cannot be read, or is larger than a spool may be; and kCorruption.
Result<Spooled> read_spool(const std::string& path);

class Spool {
 public:
  /// Makes the file, or goes on with one that is there and is `owner`'s.
  /// Errors: kUnavailable  the system refuses; kCorruption  the file is something else.
  static Result<std::unique_ptr<Spool>> open(const std::string& path, const SpoolOwner& owner,
                                             std::size_t bytes_max);
  /// Removes the file when all that was pushed is acknowledged.
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  /// False when there is no room: the file then says which numbers it lacks.
  ///
  /// Durability  what was taken is there after any end of this process; not after a power cut.
  /// Blocking    for one write to the page cache.
  bool push(const model::api::AppendSection& section);
  /// Every record up to `through` is in the journal.
  void acknowledged(std::uint64_t through);

  std::size_t bytes() const { return end_; }  // of the file
  const Unspooled& unspooled() const { return unspooled_; }

 private:
  struct Frame {
    std::uint64_t last;  // number of its last record
    std::size_t begin;   // in the file
  };
  Spool(std::string path, int fd, std::size_t bytes_max);
  bool write_at(std::size_t at, BytesView bytes);
  void write_progress();
  void compact();

  const std::string path_;
  int fd_;
  const std::size_t bytes_max_;
  std::size_t begin_ = 0;  // of the frames
  std::size_t end_ = 0;
  std::deque<Frame> frames_;  // not acknowledged
  std::uint64_t acknowledged_ = 0;
  Unspooled unspooled_;
};

}  // namespace tidemark::journal
