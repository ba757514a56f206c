// model/api/past.h
//
// What the journal answers about the past. Moments are exact: the machine after a line, and a time
// means the last line that was recorded at or before it.
//
// A question with `lateness` means the times of the sources, the IOCs. Such a clock is trusted so
// far: what was recorded more than `lateness` before a time was there by then, what was recorded
// more than that after it was not; of what lies between, the update's own time decides. A line or a
// mark then stands for the time at which it was recorded. Answers say the rule.
//
//   journal.moment   Moment → MomentReply
//   journal.state    StateQuery → progress: PastValues…, done: PastEnd
//   journal.changes  ChangesQuery → progress: Changes…, done: ChangesEnd
//   journal.history  HistoryQuery → progress: HistorySamples…, done: HistoryEnd
//   journal.bins     BinsQuery → HistoryBins
//   journal.blame    BlameQuery → Blame
//
// PV updates of old lines expire. What was asked of them and cannot be answered stands in
// `expired`: the lines, whole, also where less of them was asked for. Of some there are decimated
// rows, one for each PV and bin of time: these lines stand in `decimated`, too.
//
// Marks: model/api/marks.h.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "base/time.h"
#include "base/uuid.h"
#include "model/api/keeper.h"
#include "model/packing.h"
#include "model/record.h"

namespace tidemark::model::api {

/// A line, a time, or a mark; nothing of these: now.
struct Moment {
  std::uint64_t line = 0;
  std::optional<UtcTime> time;
  /// "shot 12": where the newest mark of that name begins; "shot 12.end": where it ends. An id, or
  /// its first eight digits or more, does as well.
  std::string mark{};
  static auto fields(auto& s) { return std::tie(s.line, s.time, s.mark); }
};

struct MomentReply {
  std::uint64_t line = 0;  // 0: before everything
  UtcTime recorded_at{};   // of that line
  std::uint64_t last_line = 0;
  static auto fields(auto& s) { return std::tie(s.line, s.recorded_at, s.last_line); }
};

inline constexpr Duration kLateness = std::chrono::seconds(2);  // where nobody says
/// What lies between is read line by line: at 20 000 updates/s, two million of them.
inline constexpr Duration kLatenessMax = std::chrono::minutes(1);
/// Of one PV, of which chunks that lie elsewhere are not unpacked.
inline constexpr Duration kHistoryLatenessMax = std::chrono::hours(24);

/// A moment by the sources' clocks: every line up to `certain`, and of those up to `last` what was
/// taken by `at`.
struct SourceMoment {
  UtcTime at{};
  Duration lateness{};
  std::uint64_t certain = 0;
  std::uint64_t last = 0;
  static auto fields(auto& s) { return std::tie(s.at, s.lateness, s.certain, s.last); }
};

struct StateQuery {
  Moment at;
  std::vector<std::string> addresses;  // exact, or patterns as in base/glob.h; empty: all
  std::optional<Duration> lateness{};  // at most kLatenessMax
  static auto fields(auto& s) { return std::tie(s.at, s.addresses, s.lateness); }
};

/// LiveValue as it was. received_at is empty; `lines`: of each value, 0 when there was none.
struct PastValues {
  std::vector<LiveValue> values;
  std::vector<std::uint64_t> lines;
  static auto fields(auto& s) { return std::tie(s.values, s.lines); }
};

struct PastEnd {
  MomentReply at;
  std::uint32_t parts = 0;
  std::vector<std::string> unknown;  // exact addresses that the journal has never heard of
  std::optional<SourceMoment> source{};
  /// The moment is in these lines, and not at their end: the values are those before them, the last
  /// that are known.
  std::vector<Expired> expired{};
  static auto fields(auto& s) { return std::tie(s.at, s.parts, s.unknown, s.source, s.expired); }
};

struct ChangesQuery {
  Moment from;
  Moment to;
  std::vector<std::string> addresses;
  std::optional<Duration> lateness{};  // at most kLatenessMax
  static auto fields(auto& s) { return std::tie(s.from, s.to, s.addresses, s.lateness); }
};

/// PVs whose value, alarm or connection differ: before[i] became after[i]. What came and went in
/// between is not in it.
struct Changes {
  std::vector<LiveValue> before;
  std::vector<LiveValue> after;
  std::vector<std::uint64_t> lines;  // of the last change
  static auto fields(auto& s) { return std::tie(s.before, s.after, s.lines); }
};

struct ChangesEnd {
  MomentReply from;
  MomentReply to;
  std::uint32_t parts = 0;
  std::uint32_t looked_at = 0;  // PVs
  std::vector<std::string> unknown;
  std::optional<SourceMoment> source_from{};
  std::optional<SourceMoment> source_to{};
  static auto fields(auto& s) {
    return std::tie(s.from, s.to, s.parts, s.looked_at, s.unknown, s.source_from, s.source_to);
  }
};

/// Where a page of samples by the source's time ended.
struct SourceCursor {
  UtcTime taken_at{};
  std::uint64_t line = 0;
  static auto fields(auto& s) { return std::tie(s.taken_at, s.line); }
};

/// Everything that happened to a PV after `from` and up to `to`, with the update that was in force
/// at `from` first.
struct HistoryQuery {
  std::string address;
  Moment from;
  Moment to;
  std::uint64_t limit = 0;  // samples; 0: all
  /// Only so many of the numbers, which draw nearly the same line (LTTB); nothing else, and `limit`
  /// does not count. 0: everything.
  std::uint32_t line_points = 0;
  static constexpr std::uint32_t kLinePointsMax = 100'000;
  /// At most kHistoryLatenessMax. The samples are then in the order of their own times. An answer
  /// that is cut says `next`, which as `after`, with the same from and to, has those that follow.
  std::optional<Duration> lateness{};
  std::optional<SourceCursor> after{};
  static auto fields(auto& s) {
    return std::tie(s.address, s.from, s.to, s.limit, s.line_points, s.lateness, s.after);
  }
};

struct HistorySamples {
  Blob updates;                      // encode_updates
  std::vector<std::uint64_t> lines;  // of each
  static auto fields(auto& s) { return std::tie(s.updates, s.lines); }
};

/// Lines whose updates have expired, and of which journal.bins has what they were in bins of
/// `width`.
struct Decimated {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  UtcTime since{};  // when they were recorded, about
  UtcTime until{};
  Duration width{};
  std::uint64_t samples = 0;  // of all PVs
  static auto fields(auto& s) {
    return std::tie(s.first, s.last, s.since, s.until, s.width, s.samples);
  }
  bool operator==(const Decimated&) const = default;
};

struct HistoryEnd {
  MomentReply from;
  MomentReply to;
  std::uint32_t parts = 0;
  bool cut = false;  // there are more than `limit`
  LiveValue now;     // units, precision, labels
  std::optional<Duration> lateness{};
  std::optional<SourceCursor> next{};  // to go on `after`, when it is cut and has a lateness
  std::vector<Expired> expired{};
  std::vector<Decimated> decimated{};  // they are in no history, only in bins
  static auto fields(auto& s) {
    return std::tie(s.from, s.to, s.parts, s.cut, s.now, s.lateness, s.next, s.expired,
                    s.decimated);
  }
};

struct BinsQuery {
  std::string address;
  Moment from;
  Moment to;
  std::uint32_t bins = 1000;  // at most kBinsMax, of equal length in the IOC's time
  static constexpr std::uint32_t kBinsMax = 100'000;
  bool median = false;                 // of each bin; takes longer
  std::optional<Duration> lateness{};  // at most kHistoryLatenessMax
  static auto fields(auto& s) {
    return std::tie(s.address, s.from, s.to, s.bins, s.median, s.lateness);
  }
};

/// Numbers are NaN where `count` is 0. Strings and arrays only count as samples.
struct Bin {
  UtcTime begin{};
  std::uint32_t samples = 0;
  std::uint32_t count = 0;  // of them, numbers
  double first = 0;
  double last = 0;
  double min = 0;
  double max = 0;
  double mean = 0;
  double deviation = 0;  // standard, of the population
  Severity worst = Severity::kNone;
  bool disconnected = false;       // at some time in it
  std::optional<double> median{};  // when it was asked for, and there is one
  /// Some of it, or all, are decimated rows that begin in it, each as a whole: up to then they
  /// reach, which may be behind the bin.
  std::optional<UtcTime> decimated_until{};
  static auto fields(auto& s) {
    return std::tie(s.begin, s.samples, s.count, s.first, s.last, s.min, s.max, s.mean, s.deviation,
                    s.worst, s.disconnected, s.median, s.decimated_until);
  }
  bool operator==(const Bin&) const = default;
};

struct HistoryBins {
  MomentReply from;
  MomentReply to;
  UtcTime begin{};
  Duration width{};
  std::vector<Bin> bins;  // those with samples, by time
  LiveValue now;
  std::optional<Duration> lateness{};
  std::vector<Expired> expired{};
  std::vector<Decimated> decimated{};  // of these there are only rows, and they are in the bins
  static auto fields(auto& s) {
    return std::tie(s.from, s.to, s.begin, s.width, s.bins, s.now, s.lateness, s.expired,
                    s.decimated);
  }
};

struct BlameQuery {
  std::string address;
  Moment at;
  std::uint32_t count = 10;  // changes, at most kChangesMax
  static constexpr std::uint32_t kChangesMax = 1000;
  static auto fields(auto& s) { return std::tie(s.address, s.at, s.count); }
};

/// A change, and who made it when it was us.
struct BlamedChange {
  std::uint64_t line = 0;
  UtcTime recorded_at{};
  LiveValue value;   // state: disconnected for a lost connection
  Uuid job;          // nil: we did not write it
  std::string type;  // of the job: "snapshot_restore"
  std::string title;
  std::string user;
  Uuid snapshot{};       // that was restored
  bool clamped = false;  // the IOC took another number than the job had put
  static auto fields(auto& s) {
    return std::tie(s.line, s.recorded_at, s.value, s.job, s.type, s.title, s.user, s.snapshot,
                    s.clamped);
  }
};

struct Blame {
  std::vector<BlamedChange> changes;  // newest first
  std::vector<Expired> expired{};     // where there may have been more of them
  /// Not 0: these are as many as one answer carries. The others, up to this line, are to be asked
  /// for.
  std::uint64_t next = 0;
  static auto fields(auto& s) { return std::tie(s.changes, s.expired, s.next); }
};

}  // namespace tidemark::model::api
