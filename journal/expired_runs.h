// journal/expired_runs.h
//
// Which lines are without their records of a class, because these were older, or more, than is
// kept. Runs of lines: what expires next to a run makes it longer, so there are few.
//
//   records        whole closed segments: their lines from header to header
//   PV updates     whole segments of lines, as their chunks: not of blocks
//
// What was dropped is decided by this, never by what is found: it is written together with the
// drop, and files may give back what was deleted. docs/journal-format.md has every byte.

#pragma once

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "journal/projection_table.h"
#include "journal/record_class.h"
#include "journal/store.h"

namespace tidemark::journal {

struct ExpiredRun {
  Line first{};
  Line last{};
  UtcTime since{};  // when the first and the last of them were recorded, about
  UtcTime until{};
  std::uint64_t lines = 0;  // of the class
  std::uint64_t bytes = 0;  // that they took
  bool operator==(const ExpiredRun&) const = default;
};

/// A plain value.
class ExpiredRuns {
 public:
  /// The run that has `line`; null: it did not expire.
  const ExpiredRun* holding(RecordClass of, Line line) const;
  /// Those that have a line from `first` to `last`, whole, in order.
  std::vector<ExpiredRun> touching(RecordClass of, Line first, Line last) const;
  /// The last run that ends after `after`, and at or before `to`; null: none.
  const ExpiredRun* ending(RecordClass of, Line after, Line to) const;
  std::vector<ExpiredRun> all(RecordClass of) const;
  bool empty() const;

  /// `run` is not in any of them yet. Answers the run that it is part of now.
  ExpiredRun add(RecordClass of, const ExpiredRun& run);

  bool operator==(const ExpiredRuns&) const = default;

 private:
  using Runs = std::map<Line, ExpiredRun>;  // by first line
  const Runs& of(RecordClass of) const { return runs_[static_cast<std::size_t>(of)]; }
  std::array<Runs, kRecordClasses> runs_;
};

KeyValue encode_run(RecordClass of, const ExpiredRun& run);
/// Errors: kCorruption.
Result<std::pair<RecordClass, ExpiredRun>> decode_run(BytesView key, BytesView value);
/// Errors: kCorruption, kUnavailable: the disk.
Result<ExpiredRuns> load_runs(const ProjectionTable& table);

/// "lines 1 to 524288 have expired: what PVs were at line 4711 is not known": kNotFound.
Error expired_error(const ExpiredRun& run, Line line);

/// The newest, for all who read. Threads: any.
class ExpiredIndex {
 public:
  std::shared_ptr<const ExpiredRuns> get() const {
    const std::lock_guard lock(mutex_);
    return runs_;
  }
  void set(std::shared_ptr<const ExpiredRuns> runs) {
    const std::lock_guard lock(mutex_);
    runs_ = std::move(runs);
  }

 private:
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::shared_ptr<const ExpiredRuns> runs_ = std::make_shared<ExpiredRuns>();
};

}  // namespace tidemark::journal
