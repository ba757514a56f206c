// journal/marks.h
//
// The marks that the log has told of, in memory: by where they begin, by name, by id. What was
// said with a mark stays in the log; here is only where to find it.
//
// Taking a record in is idempotent, and the first begin and the first end of a mark count. So
// whoever reads the log may take in what it finds, as often as it likes, as long as it goes
// forward.
//
// About 250 bytes a mark, and its name when that is longer than 15: a million take 250 MB.
//
// Threads: any.

#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "base/uuid.h"
#include "journal/store.h"

namespace tidemark::journal {

/// A begin or an end.
struct MarkPoint {
  Line line{};    // the last one before it or at it; a record that was not set for a time: its own
  UtcTime at{};   // recorded_at of that record, or the time that it was set for
  Line record{};  // of the record itself
  std::string who;
  bool has_data = false;
  bool operator==(const MarkPoint&) const = default;
};

struct Mark {
  Uuid id;
  std::string name;
  std::vector<std::string> tags;
  std::optional<MarkPoint> begin;  // none: the log has only its end
  std::optional<MarkPoint> end;    // none: it is open
  bool operator==(const Mark&) const = default;
};

/// What a record says of a mark.
struct MarkRecord {
  bool is_end = false;
  Uuid id;
  std::string name;
  std::vector<std::string> tags;  // of a begin
  MarkPoint point;
};

struct MarkFilter {
  std::string mark{};  // a name; when there is none of it, an id or its first digits; empty: any
  std::string name{};  // pattern as in base/glob.h; empty: any
  std::string tag{};   // pattern; empty: any
  std::optional<UtcTime> since{};  // not ended before
  std::optional<UtcTime> until{};  // not begun after
  bool open = false;
  bool newest_first = true;
  std::size_t limit = ~std::size_t{0};
};

struct MarkPage {
  std::vector<Mark> marks;
  std::size_t found = 0;  // that fit, those beyond the limit too
};

class Marks {
 public:
  /// Reached with some two million marks; what comes then is left out, and counted.
  static constexpr std::size_t kBytesMax = 512u << 20;
  /// Fewer digits of an id may be a name that somebody mistyped.
  static constexpr std::size_t kDigitsMin = 8;

  explicit Marks(std::size_t bytes_max = kBytesMax) : bytes_max_(bytes_max) {}

  /// False for a second begin or a second end, and for what is left out.
  bool take(const MarkRecord& record);
  void clear();

  MarkPage find(const MarkFilter& filter) const;
  /// The newest of that name, else the one with that id; see MarkFilter::mark.
  std::optional<Mark> newest(std::string_view mark) const;

  std::size_t size() const;
  std::size_t bytes() const;       // about
  std::uint64_t left_out() const;  // records; those that come again count once

 private:
  using Number = std::uint32_t;  // position in rows_
  struct Point {
    Line line{};
    UtcTime at{};
    Line record{};                     // 0: there is no such point
    const std::string* who = nullptr;  // in people_
    bool has_data = false;
  };
  struct Row {
    Uuid id;
    std::string name;
    const std::vector<std::string>* tags = nullptr;  // in tag_sets_
    Point begin;
    Point end;
  };
  /// What marks are ordered by. The id last: after it there are no equals.
  static std::tuple<Line, Line, const Uuid&> place(const Row& row);

  struct ByName {
    using is_transparent = void;
    const std::deque<Row>* rows;
    bool operator()(Number a, Number b) const;
    bool operator()(Number a, std::string_view name) const { return (*rows)[a].name < name; }
    bool operator()(std::string_view name, Number a) const { return name < (*rows)[a].name; }
  };

  void link(Number number);
  void unlink(Number number);
  Point kept(const MarkPoint& point);
  const std::vector<std::string>* kept(const std::vector<std::string>& tags);
  std::vector<Number> candidates(const std::string& mark) const;
  static bool fits(const Row& row, const MarkFilter& filter);
  static Mark mark_of(const Row& row);

  const std::size_t bytes_max_;

  mutable std::shared_mutex mutex_;
  // Guarded by mutex_.
  std::deque<Row> rows_;
  std::vector<Number> in_order_;
  std::set<Number, ByName> by_name_{ByName{&rows_}};
  std::unordered_map<Uuid, Number> by_id_;
  std::set<std::string> people_;  // few, who set many marks
  std::set<std::vector<std::string>> tag_sets_;
  std::size_t bytes_ = 0;
  std::uint64_t left_out_ = 0;
  Line left_out_through_{0};  // the last of them
};

}  // namespace tidemark::journal
