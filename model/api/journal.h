// model/api/journal.h
//
// What the journal answers.
//
//   journal.append   AppendRequest → AppendReply   durable when it answers; sent again, stored once
//   journal.read     ReadRequest → ReadReply       waits up to `wait` for a first line: follow is
//                                                  reading on from `next`

#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "base/uuid.h"
#include "model/packing.h"
#include "model/pv.h"
#include "model/record.h"

namespace tidemark::model::api {

/// The incarnation of origins that run once under their UUID, like a command line: the journal
/// forgets how far it has them when they have said nothing for an hour.
inline constexpr std::uint32_t kShortLived = 0;

/// journal::Section, as it travels.
struct AppendSection {
  std::uint64_t sequence = 0;  // of its first record: the origin's own count, from 1
  std::uint32_t count = 0;
  std::uint8_t format = 0;  // journal::SectionFormat
  UtcTime sent_at{};
  Blob payload;
  static auto fields(auto& s) {
    return std::tie(s.sequence, s.count, s.format, s.sent_at, s.payload);
  }
};

struct AppendRequest {
  Uuid origin;
  std::string node;  // its name, for people
  std::uint32_t incarnation = 0;
  /// The last record that comes before the first section, of those that the origin did not drop.
  /// A journal that has it has all there is: what is missing between is gone, and becomes a Gap.
  /// One that has not is waiting for a request on its way: kConflict, send again from there.
  std::uint64_t after = 0;
  std::vector<AppendSection> sections;  // in sequence
  /// Up to where a journal has told the origin that it has all: of these nothing will be sent
  /// again. A journal that lacks some is an older copy, or another one: what it lacks is a Gap.
  /// At most `after`, else the journal answers kInvalidArgument.
  std::uint64_t acknowledged = 0;
  /// The numbers are those of something else, such as the lines of another journal: what is
  /// missing between them was never there, and is no Gap.
  bool sparse = false;
  /// Whatever an earlier incarnation of the origin had to say has come, or its lack is known: a
  /// new incarnation is no Gap.
  bool complete = false;
  static auto fields(auto& s) {
    return std::tie(s.origin, s.node, s.incarnation, s.after, s.sections, s.acknowledged, s.sparse,
                    s.complete);
  }
};

struct AppendReply {
  std::uint64_t through = 0;    // every record of the origin's incarnation up to this is durable
  std::uint64_t last_line = 0;  // of the journal, just after
  static auto fields(auto& s) { return std::tie(s.through, s.last_line); }
};

struct ReadRequest {
  std::uint64_t from = 1;  // first line wanted; newest first: last line wanted, 0: the end
  std::uint64_t to = 0;    // 0: no bound
  bool newest_first = false;
  std::uint32_t kinds = ~0u;     // bit n: RecordKind n
  Level level = Level::kDebug;   // at least
  std::optional<UtcTime> since;  // recorded_at, inclusive
  std::optional<UtcTime> until;
  std::string subject;         // glob
  std::string text;            // part of it, in any case
  std::uint32_t limit = 1000;  // at most kReadLinesMax
  Duration wait{0};            // oldest first only: wait for a line when there is none yet
  std::string mark;            // only lines inside of it: a name (the newest of it), or an id
  std::string regex;           // RE2, found in the text; at most 1024 bytes
  std::vector<std::string> field_tests;  // "data.shot=4711": model/field_test.h; all must hold
  std::string origin;                    // glob on the node's name, or the UUID of the origin
  static constexpr std::uint32_t kReadLinesMax = 10'000;
  static auto fields(auto& s) {
    return std::tie(s.from, s.to, s.newest_first, s.kinds, s.level, s.since, s.until, s.subject,
                    s.text, s.limit, s.wait, s.mark, s.regex, s.field_tests, s.origin);
  }
};

struct LogLine {
  std::uint64_t line = 0;
  UtcTime recorded_at{};
  std::string origin;  // the node's name when the journal knows it, else its UUID
  std::uint32_t incarnation = 0;
  std::uint64_t sequence = 0;
  RecordKind kind{};
  Level level{};
  std::string subject;
  std::string text;  // for people
  // PV updates only:
  PvValue value;
  Alarm alarm;
  UtcTime taken_at{};
  // Records only: encode_records of the one record.
  Blob record;
  static auto fields(auto& s) {
    return std::tie(s.line, s.recorded_at, s.origin, s.incarnation, s.sequence, s.kind, s.level,
                    s.subject, s.text, s.value, s.alarm, s.taken_at, s.record);
  }
};

struct ReadReply {
  std::vector<LogLine> lines;
  std::uint64_t next = 0;       // ask on from here
  std::uint64_t last_line = 0;  // durable now
  bool end = false;             // nothing further matches now
  static auto fields(auto& s) { return std::tie(s.lines, s.next, s.last_line, s.end); }
};

}  // namespace tidemark::model::api
