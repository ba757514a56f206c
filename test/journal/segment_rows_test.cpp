// test/journal/segment_rows_test.cpp
//
// The updates of a segment out of its chunks, whatever part of them memory has room for.

#include "journal/segment_rows.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "journal/memory_store.h"
#include "journal/projections.h"
#include "pv_samples.h"

namespace tidemark::journal {
namespace {

constexpr Segments kShort{64};

/// One segment of random updates, sealed in one part or in several.
class SealedSegment {
 public:
  SealedSegment() {
    ProjectionLimits limits;
    limits.segments = kShort;
    limits.head_bytes_max = *rc::gen::element<std::size_t>(500, 5000, 1u << 20);
    MemoryStore store;
    for (std::uint64_t line = 1; line <= kShort.length; ++line) {
      updates_.push_back(*any_update(5));
      RC_ASSERT(append_one(store, section_of({updates_.back()}, line)).ok());
    }
    Projections projections(std::shared_ptr<const Store>(&store, [](const Store*) {}), table_,
                            limits);
    while (projections.advance(*rc::gen::inRange<std::uint64_t>(1, 70)).value()) {
    }
    RC_ASSERT(projections.sealed() == Line{kShort.length});
  }
  /// Line by line, the same to the bit.
  void check(const SegmentRows& rows, std::uint64_t first, std::uint64_t count) const {
    std::vector<model::PvUpdate> found;
    const auto copied = rows.copy(*table_, Line{first}, count, found);
    RC_ASSERT(copied.ok());
    const auto begin = updates_.begin() + static_cast<std::ptrdiff_t>(first - 1);
    const auto end =
        updates_.begin() + static_cast<std::ptrdiff_t>(std::min(first - 1 + count, kShort.length));
    RC_ASSERT(model::encode_updates(found) ==
              model::encode_updates(std::vector<model::PvUpdate>(begin, end)));
  }
  const std::shared_ptr<MemoryProjectionTable>& table() const { return table_; }

 private:
  std::vector<model::PvUpdate> updates_;
  const std::shared_ptr<MemoryProjectionTable> table_ = std::make_shared<MemoryProjectionTable>();
};

SegmentRowsLimits any_limits() {
  return {*rc::gen::element<std::size_t>(0, 300, 1000, 1u << 20),
          *rc::gen::element<std::size_t>(0, 300, 1000, 1u << 20)};
}

RC_GTEST_PROP(SegmentRows, AreTheSameWhateverFitsInMemory, ()) {
  const SealedSegment segment;
  const auto rows = SegmentRows::load(*segment.table(), kShort, 0, any_limits());
  RC_ASSERT(rows.ok());
  const auto step = *rc::gen::inRange<std::uint64_t>(1, 20);
  switch (*rc::gen::inRange(0, 3)) {
    case 0:
      for (std::uint64_t at = 1; at <= kShort.length; at += step) {
        segment.check(*rows.value(), at, step);
      }
      break;
    case 1:
      for (auto at = kShort.length; at >= step; at -= step) {
        segment.check(*rows.value(), at - step + 1, step);
      }
      break;
    default:
      for (int i = 0; i < 20; ++i) {
        segment.check(*rows.value(), *rc::gen::inRange<std::uint64_t>(1, kShort.length + 1),
                      *rc::gen::inRange<std::uint64_t>(1, 70));
      }
  }
}

RC_GTEST_PROP(SegmentRows, SayThatAChunkIsGone, ()) {
  const SealedSegment segment;
  const auto rows = SegmentRows::load(*segment.table(), kShort, 0, {0, 100});
  RC_ASSERT(rows.ok());
  RC_ASSERT(segment.table()->clear().ok());
  std::vector<model::PvUpdate> found;
  const auto copied = rows.value()->copy(*segment.table(), Line{1}, kShort.length, found);
  // Unless all of them are scalars, which are in memory.
  RC_PRE(!copied.ok());
  RC_ASSERT(copied.error().code == Code::kCorruption);
}

}  // namespace
}  // namespace tidemark::journal
