// journal/segment_rows.h
//
// The updates of one segment, unpacked from its chunks and in the order of their lines: 24 bytes
// each, beside strings and arrays.

#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <vector>

#include "journal/packed_update.h"
#include "journal/projection_keys.h"
#include "journal/projection_table.h"

namespace tidemark::journal {

class SegmentRows {
 public:
  /// Errors: kCorruption, kUnavailable: the disk.
  static Result<std::shared_ptr<const SegmentRows>> load(const ProjectionTable& table,
                                                         const Segments& segments,
                                                         std::uint64_t segment);

  /// Appends the updates of the lines from `first` on, as far as the segment goes and `count` of
  /// them at most. False: one of them is not in the chunks.
  bool copy(Line first, std::uint64_t count, std::vector<model::PvUpdate>& out) const;
  Line last() const { return Line{raw(begin_) + rows_.size() - 1}; }

 private:
  struct Row : PackedUpdate {
    std::uint32_t channel = 0;
  };

  Line begin_{};
  std::vector<Row> rows_;                // by line
  std::vector<model::PvUpdate> others_;  // no scalar, or updates that hid some
};

/// The segments that were unpacked last, for all who read. Threads: any.
class SegmentRowsCache {
 public:
  Result<std::shared_ptr<const SegmentRows>> get(const ProjectionTable& table,
                                                 const Segments& segments, std::uint64_t segment);

 private:
  /// A block that goes on in the next segment needs both.
  static constexpr std::size_t kKept = 2;

  std::mutex mutex_;
  // Guarded by mutex_; newest first.
  std::list<std::pair<std::uint64_t, std::shared_ptr<const SegmentRows>>> rows_;
};

}  // namespace tidemark::journal
