// journal/section_maker.h
//
// The sections of one closed segment, made again from its chunks and frames. What has expired of
// one comes as sections that say so: a section of updates may have expired up to a line, and one of
// several classes here and there.
//
// Threads: one.

#pragma once

#include <array>
#include <functional>
#include <memory>
#include <vector>

#include "journal/expired_runs.h"
#include "journal/segment_header.h"
#include "journal/segment_rows.h"
#include "journal/skeleton.h"

namespace tidemark::journal {

/// `take` with the value of `key`, which must be there.
/// Errors: kCorruption  it is not; kUnavailable the disk; as `take`.
Result<Unit> read_piece(const ProjectionTable& table, const Bytes& key,
                        const std::function<Result<Unit>(BytesView value)>& take);

/// Best in the order of lines.
class SectionMaker {
 public:
  /// `expired` may be null: nothing has.
  SectionMaker(const ProjectionTable& table, SegmentRowsCache& rows, const SegmentHeader& header,
               const ExpiredIndex* expired = nullptr)
      : table_(table), rows_(rows), header_(header), expired_(expired) {}

  /// The section as it was sent; what has expired is not looked for.
  /// Errors: kCorruption  what the skeleton says is there is not.
  Result<Section> make(const SectionBones& bones, Line first);
  /// Adds the sections that there are of it now: together they have its lines.
  /// Errors: as make().
  Result<Unit> add(const SectionBones& bones, Line first, std::vector<Section>& sections);

 private:
  struct Frame {
    std::uint32_t number = ~std::uint32_t{0};
    Bytes bytes;
  };
  /// So many records in a row that expired, or did not.
  struct Stretch {
    RecordClass of;
    std::uint32_t skip;  // records of the section before it
    std::uint32_t count;
    bool expired;
  };
  std::vector<Stretch> stretches(const ExpiredRuns& runs, const SectionBones& bones,
                                 Line first) const;
  Result<Unit> add(const std::vector<Stretch>& stretches, const SectionBones& bones, Line first,
                   std::vector<Section>& sections);
  Result<Bytes> rows(std::uint32_t count, Line first);
  Result<BytesView> part(const Part& part);

  const ProjectionTable& table_;
  SegmentRowsCache& rows_;
  const SegmentHeader& header_;
  const ExpiredIndex* const expired_;
  std::shared_ptr<const SegmentRows> current_;
  std::uint64_t current_segment_ = 0;
  std::array<Frame, kFrameClasses> frames_;
};

}  // namespace tidemark::journal
