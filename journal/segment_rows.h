// journal/segment_rows.h
//
// The updates of one segment, out of its chunks and in the order of their lines: 24 bytes each, and
// of strings and arrays so much as fits a bound in bytes. What does not fit stays in the chunks; a
// window of it along the lines is unpacked, and moves to where somebody reads.
//
//   chunks ──► rows: a scalar · held · which one of which chunk ──► window

#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <vector>

#include "journal/chunk_columns.h"
#include "journal/packed_update.h"
#include "journal/projection_keys.h"
#include "journal/projection_table.h"

namespace tidemark::journal {

/// Of strings and arrays, for each segment that is unpacked. Beside them stand 12 MiB of rows, and
/// a chunk while it is unpacked.
struct SegmentRowsLimits {
  std::size_t held_bytes = 16u << 20;    // a machine of scalars has less, so nothing is read twice
  std::size_t window_bytes = 16u << 20;  // a section has no more; the value at its begin is let in
};

class SegmentRows {
 public:
  /// Errors: kCorruption, kUnavailable: the disk.
  static Result<std::shared_ptr<const SegmentRows>> load(const ProjectionTable& table,
                                                         const Segments& segments,
                                                         std::uint64_t segment,
                                                         SegmentRowsLimits limits = {});

  /// Appends the updates of the lines from `first` on, as far as the segment goes and `count` of
  /// them at most.
  /// Errors   kCorruption one of them is not in the chunks, or not any more; kUnavailable the disk.
  /// Threads  any.
  Result<Unit> copy(const ProjectionTable& table, Line first, std::uint64_t count,
                    std::vector<model::PvUpdate>& out) const;
  Line last() const { return Line{raw(begin_) + rows_.size() - 1}; }

 private:
  /// In place of a type: it is in a chunk, `bits` says where, `taken_at` how many bytes it takes.
  static constexpr std::uint8_t kInChunk = 0xfd;
  static constexpr unsigned kIndexBits = 16;  // of the update in its chunk; the rest is the chunk
  struct Row : PackedUpdate {
    std::uint32_t channel = 0;
  };
  /// Rows from `begin` to `end`, of which all that are in chunks are here, sorted.
  struct Window {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::vector<std::pair<std::size_t, model::PvUpdate>> updates;
  };

  Result<Unit> take(BytesView key, BytesView value, std::vector<Sample>& room);
  std::size_t window_bytes(std::size_t at) const;
  /// To hold row `at`, and what is read next, with mutex_. `end`: of the rows that are asked for.
  Result<Unit> move_window(const ProjectionTable& table, std::size_t at, std::size_t end) const;

  // Constant after load().
  SegmentRowsLimits limits_;
  Line begin_{};
  std::vector<Row> rows_;              // by line
  std::vector<model::PvUpdate> held_;  // no scalar, or updates that hid some
  std::size_t held_bytes_ = 0;
  std::vector<Bytes> chunks_;  // keys of those with updates that are not held

  mutable std::mutex mutex_;
  mutable Window window_;  // guarded by mutex_
};

/// The segments that were unpacked last, for all who read. Threads: any.
class SegmentRowsCache {
 public:
  explicit SegmentRowsCache(SegmentRowsLimits limits = {}) : limits_(limits) {}

  Result<std::shared_ptr<const SegmentRows>> get(const ProjectionTable& table,
                                                 const Segments& segments, std::uint64_t segment);

 private:
  /// A block that goes on in the next segment needs both.
  static constexpr std::size_t kKept = 2;

  const SegmentRowsLimits limits_;
  std::mutex mutex_;
  // Guarded by mutex_; newest first.
  std::list<std::pair<std::uint64_t, std::shared_ptr<const SegmentRows>>> rows_;
};

}  // namespace tidemark::journal
