// tidemark/journal.h
//
// What the journal knows: its lines, the machine at a moment, what differs between two, what
// happened to a PV, and who did it.
//
//   const auto journal = site.journal();
//   const auto then = journal.state({.mark = "shot 12"}, {"QUAD:*"});
//   for (const auto& pv : then.value().values) …
//
//   const auto by_iocs = journal.state({.time = shot}, {"QUAD:*"}, 500ms);
//
//   auto warnings = journal.lines({.level = model::Level::kWarning});
//   while (const auto lines = warnings.next(1s)) …        // what was said, and is from now on
//
// Times are those at which things were recorded. With a `lateness` they are those of the sources,
// the IOCs, and their clocks are trusted so far: what was recorded more than `lateness` before a
// time was there by then, what was recorded more than it after was not, and in between a sample's
// own time tells. Of the whole machine at most a minute, of one PV a day.
//
// Threads: a Journal from any; each Lines and each History of one at a time. All of it waits for
// the journal, and so answers kRefused in a callback.
// Errors, besides what is said: kUnavailable  no journal answers; kNotFound  no such mark or PV;
//         kInvalidArgument  the wish, and why.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/record.h"
#include "tidemark/replay.h"

namespace tidemark {

/// A moment that was found: the machine after a line.
struct Moment {
  std::uint64_t line = 0;       // 0: before everything
  UtcTime recorded_at{};        // of that line
  std::uint64_t last_line = 0;  // of the journal
};

/// Lines whose PV updates are kept no longer: what was asked of them nobody knows.
struct ExpiredLines {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  UtcTime since{};  // when they were recorded
  UtcTime until{};
};

/// Such of which bins have what they were, in rows: one for each PV and bin of `width`.
struct DecimatedLines : ExpiredLines {
  Duration width{};
  std::uint64_t samples = 0;  // of all PVs
};

struct MachineState {
  Moment at;
  std::vector<PastValue> values;
  std::vector<std::string> unknown;  // addresses that the journal has never heard of
  /// The moment is inside of these: the values are those before them, the last that are known.
  std::vector<ExpiredLines> expired;
};

struct PvChange {
  PastValue before;
  PastValue after;  // its line: of the last change
};
struct MachineChanges {
  Moment from;
  Moment to;
  std::vector<PvChange> changes;
  std::uint32_t looked_at = 0;  // PVs
  std::vector<std::string> unknown;
};

/// Numbers are NaN where `count` is 0. Strings and arrays only count as samples.
struct PastBin {
  UtcTime begin{};
  std::uint32_t samples = 0;
  std::uint32_t count = 0;  // of them, numbers
  double first = 0;
  double last = 0;
  double min = 0;
  double max = 0;
  double mean = 0;
  double deviation = 0;  // standard, of the population
  std::optional<double> median{};
  model::Severity worst = model::Severity::kNone;
  bool disconnected = false;  // at some time in it
  /// Some of it, or all, are decimated rows that begin in it, each whole: they reach up to then.
  std::optional<UtcTime> decimated_until{};
};
struct PastBins {
  Moment from;
  Moment to;
  UtcTime begin{};
  Duration width{};
  std::vector<PastBin> bins;  // those with samples, by time
  std::string units;
  std::vector<ExpiredLines> expired;
  std::vector<DecimatedLines> decimated;  // of these only rows are in the bins
};

/// A change of a PV, and who made it. No job: it was not written through Tidemark.
struct BlamedChange {
  PastValue value;
  UtcTime recorded_at{};
  std::optional<Uuid> job{};
  std::string type;  // of the job: "snapshot_restore"
  std::string title;
  std::string user;
  std::optional<Uuid> snapshot{};  // that was restored
  bool clamped = false;            // the IOC took another number than the job had put
};
struct Blamed {
  std::vector<BlamedChange> changes;  // newest first
  std::vector<ExpiredLines> expired;  // there may have been more in them
};

/// Which lines. All that is said must hold.
struct LinesWish {
  std::uint64_t from = 1;  // 0: what is recorded from now on; newest first: the end
  std::uint64_t to = 0;    // 0: no bound
  bool newest_first = false;
  std::vector<std::string> kinds{};           // "LogMessage", "MarkBegin", …; empty: all
  model::Level level = model::Level::kDebug;  // at least
  std::optional<UtcTime> since{};             // when it was recorded
  std::optional<UtcTime> until{};
  std::string subject{};              // glob
  std::string origin{};               // glob on the node's name
  std::string text{};                 // part of it, in any case
  std::string regex{};                // found in the text
  std::vector<std::string> fields{};  // "data.shot=4711"
  std::string mark{};                 // only lines inside of it
};

/// A line. `pv`: of a PV's update that has a value; its units and labels are not told.
struct JournalLine : PastLine {
  model::Level level{};
  std::uint32_t incarnation = 0;  // of the origin
  std::uint64_t sequence = 0;     // in it; 0: a line that stands for some that expired
  std::optional<PastValue> pv{};
};

/// Lines, page by page.
class Lines {
 public:
  /// The next ones, some thousand at most; when there are none, waits so long for one, and gives
  /// none. Newest first nothing is waited for.
  Result<std::vector<JournalLine>> next(Duration patience = Duration{0});
  /// What was looked at so far has been given: newest first true behind the first line.
  bool at_end() const { return at_end_; }
  /// Where it goes on; of a later Lines, `from`.
  std::uint64_t position() const;

 private:
  friend class Journal;
  struct Request;
  explicit Lines(std::shared_ptr<subsystem::Session> session, std::shared_ptr<Request> request)
      : session_(std::move(session)), request_(std::move(request)) {}

  std::shared_ptr<subsystem::Session> session_;
  std::shared_ptr<Request> request_;
  bool at_end_ = false;
};

/// What happened to a PV, page by page: the update that was in force at the begin first.
class History {
 public:
  /// The next ones, oldest first; none behind the last.
  Result<std::vector<PastValue>> next();
  bool at_end() const { return at_end_; }
  /// Of what was given so far.
  const std::vector<ExpiredLines>& expired() const { return expired_; }

 private:
  friend class Journal;
  struct Request;
  explicit History(std::shared_ptr<subsystem::Session> session, std::shared_ptr<Request> request)
      : session_(std::move(session)), request_(std::move(request)) {}

  std::shared_ptr<subsystem::Session> session_;
  std::shared_ptr<Request> request_;
  bool at_end_ = false;
  std::vector<ExpiredLines> expired_;
};

class Journal {
 public:
  /// The line that a moment is.
  Result<Moment> find(const When& when = {}) const;

  Result<Lines> lines(const LinesWish& wish = {}) const;

  /// PVs as they were; `patterns`: addresses or globs, empty: every PV.
  Result<MachineState> state(const When& at, const std::vector<std::string>& patterns = {},
                             std::optional<Duration> lateness = std::nullopt) const;

  /// PVs whose value, alarm or connection differ. What came and went in between is not in it.
  /// Errors: kNotFound  one of the moments is inside of lines that expired.
  Result<MachineChanges> changes(const When& from, const When& to,
                                 const std::vector<std::string>& patterns = {},
                                 std::optional<Duration> lateness = std::nullopt) const;

  /// Nothing is read yet. What is recorded after it was made is not in it; with a lateness the
  /// samples are by their own times, and those of the last `lateness` may still get neighbours.
  Result<History> history(std::string address, const When& from, const When& to = {},
                          std::optional<Duration> lateness = std::nullopt) const;

  /// The same in at most `count` bins of equal length of the IOC's time: no extremum is lost.
  Result<PastBins> bins(const std::string& address, const When& from, const When& to = {},
                        std::uint32_t count = 1000, bool median = false,
                        std::optional<Duration> lateness = std::nullopt) const;

  /// The newest `count` changes of a PV up to a moment.
  Result<Blamed> blame(const std::string& address, std::uint32_t count = 10,
                       const When& at = {}) const;

 private:
  friend class Client;
  explicit Journal(std::shared_ptr<subsystem::Session> session) : session_(std::move(session)) {}

  std::shared_ptr<subsystem::Session> session_;
};

}  // namespace tidemark
