// journal/segment_reader.h
//
// Blocks out of sealed segments, as they were appended: the skeleton says what sections there were,
// the chunks give the updates again, and the frames the records. What nobody asks for is not
// unpacked.
//
// Threads: any.

#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>

#include "journal/segment_header.h"
#include "journal/segment_rows.h"
#include "journal/skeleton.h"

namespace tidemark::journal {

class SegmentReader {
 public:
  /// `table` must outlive it.
  explicit SegmentReader(const ProjectionTable& table) : table_(table) {}

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
  mutable SegmentRowsCache rows_;
};

/// Makes the sections of one segment again, best in the order of their lines.
class SectionMaker {
 public:
  SectionMaker(const ProjectionTable& table, SegmentRowsCache& rows, const SegmentHeader& header)
      : table_(table), rows_(rows), header_(header) {}

  /// Errors: kCorruption  what the skeleton says is there is not.
  Result<Section> make(const SectionBones& bones, Line first);

 private:
  struct Frame {
    std::uint32_t number = ~std::uint32_t{0};
    Bytes bytes;
  };
  Result<Bytes> rows(std::uint32_t count, Line first);
  Result<BytesView> part(const Part& part);

  const ProjectionTable& table_;
  SegmentRowsCache& rows_;
  const SegmentHeader& header_;
  std::shared_ptr<const SegmentRows> current_;
  std::uint64_t current_segment_ = 0;
  std::array<Frame, kFrameClasses> frames_;
};

}  // namespace tidemark::journal
