// model/api/marks.h
//
// The marks of the journal: things with a beginning and an end, made from the MarkBegin and MarkEnd
// records. Whoever sets one appends these records (journal.append); there is no other way.
//
//   journal.marks   MarksQuery → MarkList

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "base/time.h"
#include "base/uuid.h"
#include "model/kv/value.h"
#include "model/packing.h"

namespace tidemark::model::api {

struct MarksQuery {
  std::string mark;              // a name, else an id or its first digits; empty: any
  std::string name;              // pattern as in base/glob.h; empty: any
  std::string tag;               // pattern; empty: any
  std::optional<UtcTime> since;  // not ended before
  std::optional<UtcTime> until;  // not begun after
  bool open = false;             // only those that have not ended
  bool newest_first = true;
  std::uint32_t limit = 1000;  // at most kMarksMax
  static constexpr std::uint32_t kMarksMax = 10'000;
  static auto fields(auto& s) {
    return std::tie(s.mark, s.name, s.tag, s.since, s.until, s.open, s.newest_first, s.limit);
  }
};

/// A begin or an end.
struct MarkPoint {
  std::uint64_t line = 0;    // it stands for the machine after this line; 0: before everything
  UtcTime at{};              // when: the record's time, or the one that it was set for
  std::uint64_t record = 0;  // the line of the record itself
  std::string who;
  kv::Value data;
  static auto fields(auto& s) { return std::tie(s.line, s.at, s.record, s.who, s.data); }
  bool operator==(const MarkPoint&) const = default;
};

struct MarkEntry {
  Uuid id;
  std::string name;
  std::vector<std::string> tags;
  std::optional<MarkPoint> begin;  // none: the journal has only its end
  std::optional<MarkPoint> end;    // none: it is open
  static auto fields(auto& s) { return std::tie(s.id, s.name, s.tags, s.begin, s.end); }
  bool operator==(const MarkEntry&) const = default;
};

struct MarkList {
  std::vector<MarkEntry> marks;  // by where they begin
  std::uint64_t found = 0;       // that fit; more than are here when there was a limit to it
  std::uint64_t left_out = 0;    // begins and ends of marks that the journal had no room to keep
  static auto fields(auto& s) { return std::tie(s.marks, s.found, s.left_out); }
};

}  // namespace tidemark::model::api
