// model/api/past.h
//
// What the journal answers about the past. Moments are exact: the machine after a line, and a time
// means the last line that was recorded at or before it.
//
//   journal.moment   Moment → MomentReply
//   journal.state    StateQuery → progress: PastValues…, done: PastEnd
//   journal.changes  ChangesQuery → progress: Changes…, done: ChangesEnd
//   journal.history  HistoryQuery → progress: HistorySamples…, done: HistoryEnd
//   journal.bins     BinsQuery → HistoryBins
//   journal.blame    BlameQuery → Blame
//
// Marks: model/api/marks.h.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "base/time.h"
#include "base/uuid.h"
#include "model/api/keeper.h"
#include "model/packing.h"

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

struct StateQuery {
  Moment at;
  std::vector<std::string> addresses;  // exact, or patterns as in base/glob.h; empty: all
  static auto fields(auto& s) { return std::tie(s.at, s.addresses); }
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
  static auto fields(auto& s) { return std::tie(s.at, s.parts, s.unknown); }
};

struct ChangesQuery {
  Moment from;
  Moment to;
  std::vector<std::string> addresses;
  static auto fields(auto& s) { return std::tie(s.from, s.to, s.addresses); }
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
  static auto fields(auto& s) { return std::tie(s.from, s.to, s.parts, s.looked_at, s.unknown); }
};

/// Everything that happened to a PV after `from` and up to `to`, with the update that was in force
/// at `from` first.
struct HistoryQuery {
  std::string address;
  Moment from;
  Moment to;
  std::uint64_t limit = 0;  // samples; 0: all
  static auto fields(auto& s) { return std::tie(s.address, s.from, s.to, s.limit); }
};

struct HistorySamples {
  Blob updates;                      // encode_updates
  std::vector<std::uint64_t> lines;  // of each
  static auto fields(auto& s) { return std::tie(s.updates, s.lines); }
};

struct HistoryEnd {
  MomentReply from;
  MomentReply to;
  std::uint32_t parts = 0;
  bool cut = false;  // there are more than `limit`
  LiveValue now;     // units, precision, labels
  static auto fields(auto& s) { return std::tie(s.from, s.to, s.parts, s.cut, s.now); }
};

struct BinsQuery {
  std::string address;
  Moment from;
  Moment to;
  std::uint32_t bins = 1000;  // at most kBinsMax, of equal length in the IOC's time
  static constexpr std::uint32_t kBinsMax = 100'000;
  static auto fields(auto& s) { return std::tie(s.address, s.from, s.to, s.bins); }
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
  bool disconnected = false;  // at some time in it
  static auto fields(auto& s) {
    return std::tie(s.begin, s.samples, s.count, s.first, s.last, s.min, s.max, s.mean, s.deviation,
                    s.worst, s.disconnected);
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
  static auto fields(auto& s) { return std::tie(s.from, s.to, s.begin, s.width, s.bins, s.now); }
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
  static auto fields(auto& s) {
    return std::tie(s.line, s.recorded_at, s.value, s.job, s.type, s.title, s.user);
  }
};

struct Blame {
  std::vector<BlamedChange> changes;  // newest first
  static auto fields(auto& s) { return std::tie(s.changes); }
};

}  // namespace tidemark::model::api
