// test/journal/small_segments.h
//
// A journal whose segments are so short that a test closes many of them.

#pragma once

#include <memory>

#include "base/check.h"
#include "journal/rocks_store.h"
#include "journal/thinner.h"

namespace tidemark::journal {

class SmallSegments {
 public:
  explicit SmallSegments(RocksJournal journal, ProjectionLimits limits = of_lines(256))
      : journal_(std::move(journal)) {
    projections_ = std::make_shared<Projections>(journal_.store, journal_.projections, limits);
    TIDEMARK_CHECK(projections_->load().ok());
    ThinnerLimits soon;
    soon.raw_segments_kept = 1;
    soon.segments_at_once = 2;
    thinner_ = std::make_unique<Thinner>(journal_.segments, projections_, soon);
  }

  static ProjectionLimits of_lines(std::uint64_t length) {
    ProjectionLimits limits;
    limits.segments.length = length;
    return limits;
  }

  Store& store() { return *journal_.store; }
  const RocksJournal& journal() const { return journal_; }
  const std::shared_ptr<Projections>& projections() const { return projections_; }
  const Thinner& thinner() const { return *thinner_; }

  /// What the projection thread does after an append. Whether there is more to do.
  Result<bool> advance() {
    const auto more = projections_->advance(1000);
    if (!more) return more;
    const auto closed = thinner_->step();
    if (!closed) return closed;
    return more.value() || closed.value();
  }
  void settle() {
    while (true) {
      const auto more = advance();
      TIDEMARK_CHECK(more.ok());
      if (!more.value()) return;
    }
  }

 private:
  RocksJournal journal_;
  std::shared_ptr<Projections> projections_;
  std::unique_ptr<Thinner> thinner_;
};

}  // namespace tidemark::journal
