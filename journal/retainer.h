// journal/retainer.h
//
// Lets closed segments give up what is older, or more, than is kept; and the oldest PV updates
// before their time when the disk is nearly full.
//
//   headers ──► parts by class ── retention.h ──► due ── expiry.h ──► SegmentStore::expire()
//   marks ────► pinned lines ─────────┘
//
// Lines that a mark holds stay: marks that carry the tag `keep`, and those that are open still. The
// latter do not when the disk is nearly full: somebody may have forgotten to end them.
//
// Threads: step() from one; figures() from any.

#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "journal/archive.h"
#include "journal/class_figures.h"
#include "journal/retention.h"
#include "journal/segment_store.h"

namespace tidemark::journal {

/// Of the file system that the journal is on.
struct DiskSpace {
  std::uint64_t free = 0;
  std::uint64_t total = 0;
};

struct RetainerOptions {
  std::array<RetentionRule, kRecordClasses> rules{};  // that of kKept is not looked at
  Duration decimate{0};  // PV updates that expire leave rows of bins of that width; 0: nothing
  /// Less than this share of the disk free: the oldest PV updates go early. 0: they do not.
  double free_min = 0;
  Duration watermark_kept = std::chrono::hours(1);  // but none that are newer
  std::function<UtcTime()> clock = utc_now;
  std::function<Result<DiskSpace>()> space{};  // empty: it is not looked at
  Duration pause = std::chrono::seconds(10);   // between two looks at what is due
};

inline constexpr const char* kKeepTag = "keep";

struct RetentionFigures {
  Figures classes{};
  DecimatedFigures decimated{};
  bool low = false;           // on room
  std::uint64_t missing = 0;  // bytes that would have to be free, and cannot be made so
  // Since the process began:
  std::uint64_t looks = 0;            // how often it looked, or dropped something
  std::uint64_t steps = 0;            // of these it dropped
  std::uint64_t watermark_bytes = 0;  // expired early
};

class Retainer {
 public:
  Retainer(std::shared_ptr<SegmentStore> store, std::shared_ptr<const Projections> projections,
           RetainerOptions options);

  /// Drops one stretch when one is due. Whether it did.
  /// Errors: as SegmentStore::expire and prepare_expiry(). May be called again.
  Result<bool> step();
  RetentionFigures figures() const;

 private:
  Result<Unit> learn();
  void learn(RecordClass of, const SegmentHeader& header, std::uint64_t bytes);
  Result<std::vector<LineRange>> pinned(bool open_too) const;
  Result<Unit> look();
  Result<Unit> look_at_disk(UtcTime now);
  Result<Unit> expire(RecordClass of, const DueParts& parts);
  std::size_t at_once(RecordClass of) const;
  void publish();

  struct Work {
    RecordClass of;
    DueParts parts;
  };

  const std::shared_ptr<SegmentStore> store_;
  const std::shared_ptr<const Projections> projections_;
  const Archive archive_;
  const RetainerOptions options_;

  // Only in step().
  std::array<std::vector<StoredPart>, kRecordClasses> parts_;  // that are there, by line
  Line seen_{0};                                               // segments up to this are in parts_
  std::deque<Work> work_;                                      // what is due, by class and line
  SteadyTime looked_{};
  std::array<std::uint64_t, kRecordClasses> dropped_{};  // bytes, since their files were rewritten
  RetentionFigures now_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  RetentionFigures told_;
};

}  // namespace tidemark::journal
