// journal/segment_builder.h
//
// Takes the blocks of a segment apart: their skeleton, and the records of each class in frames.
// Their updates are in the chunks already.
//
//   block, block, … ──► skeleton
//                   └─► frames of kept records · of log messages · of keys and events

#pragma once

#include <array>
#include <set>
#include <vector>

#include "journal/projection_table.h"
#include "journal/segment_header.h"
#include "journal/skeleton.h"

namespace tidemark::journal {

class SegmentBuilder {
 public:
  /// `whole`: sections of updates, by their first lines, that the chunks do not give again, and
  /// which are kept byte for byte.
  explicit SegmentBuilder(std::set<Line> whole = {}) : whole_(std::move(whole)) {}

  /// Blocks follow each other without a gap.
  void add(const Block& block);
  bool empty() const { return skeleton_.blocks.empty(); }

  /// Frames that are full, once they are `bytes_min`: to be written, and forgotten here.
  std::vector<KeyValue> take_full(std::size_t bytes_min);
  /// After the last block: all that is to be written still, but the header. `header` gets what
  /// follows from the blocks; previous, block, chunks and length are the caller's.
  std::vector<KeyValue> finish(SegmentHeader& header);
  const Skeleton& skeleton() const { return skeleton_; }

 private:
  void add(SectionBones& bones, const Section& section, Line first);
  void add_part(SectionBones& bones, RecordClass of, BytesView bytes);
  void end_frame(RecordClass of);

  /// The one that is filled, of each class.
  struct Frame {
    std::uint32_t number = 0;
    Bytes bytes;
    Digest before{};  // next_digest() over those that are full
  };

  const std::set<Line> whole_;
  Skeleton skeleton_;
  FramePlaces places_;
  Line first_{};  // of the first block
  std::array<Frame, kFrameClasses> frames_;
  std::vector<KeyValue> full_;
  std::size_t full_bytes_ = 0;
};

}  // namespace tidemark::journal
