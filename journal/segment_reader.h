// journal/segment_reader.h
//
// Blocks out of sealed segments, as they were appended: the skeleton says what sections there were,
// the chunks give the updates again, and the frames the records (section_maker.h). What nobody asks
// for is not unpacked.
//
// Threads: any.

#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "journal/expired_runs.h"
#include "journal/segment_header.h"
#include "journal/segment_rows.h"
#include "journal/skeleton.h"

namespace tidemark::journal {

class SegmentReader {
 public:
  /// Both must outlive it. `expired` may be null: of who looks at headers and skeletons only.
  explicit SegmentReader(const ProjectionTable& table, const ExpiredIndex* expired = nullptr,
                         SegmentRowsLimits limits = {})
      : table_(table), expired_(expired), rows_(limits) {}

  /// The closed segment that holds `line`; none: it is in the log.
  Result<std::optional<SegmentHeader>> holding(Line line) const;
  Result<std::optional<SegmentHeader>> last() const { return last_header(table_); }
  /// The last one that begins at or before `line`.
  Result<std::optional<SegmentHeader>> before(Line line) const {
    return header_before(table_, line);
  }

  /// As Store::scan and scan_back, within the segment. Whether `visit` wanted more.
  Result<bool> scan(const SegmentHeader& header, Line from, const BlockFilter& filter,
                    const std::function<bool(Block&)>& visit) const;
  Result<bool> scan_back(const SegmentHeader& header, Line from, const BlockFilter& filter,
                         const std::function<bool(Block&)>& visit) const;
  /// The last line of the segment recorded at or before `time`, which is not before its first.
  Result<Line> line_at(const SegmentHeader& header, UtcTime time) const;

  Result<Skeleton> skeleton(const SegmentHeader& header) const;

 private:
  const ProjectionTable& table_;
  const ExpiredIndex* const expired_;
  mutable SegmentRowsCache rows_;
};

}  // namespace tidemark::journal
