// test/journal/marks_test.cpp
//
// Marks against a naive model: the first begin and the first end of each, in a list. Random logs
// are projected at random moments, interrupted and reopened; whatever is asked must equal the list.

#include "journal/marks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>

#include "base/glob.h"
#include "journal/memory_store.h"
#include "journal/projections.h"
#include "pv_samples.h"

namespace tidemark::journal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Uuid id_of(int number) { return Uuid::derive("mark " + std::to_string(number)); }

/// A store with a clock that the test turns, and projections of it.
class MarkLog {
 public:
  explicit MarkLog(ProjectionLimits limits = {}) : limits_(limits) { open(); }

  Line append(const std::vector<model::Record>& records) {
    return append_one(*store, section_of(records, ++sequence_)).value().first;
  }
  void append_updates(std::size_t count) {
    const std::vector<model::PvUpdate> updates(count, value_of(1, 1.0));
    TIDEMARK_CHECK(append_one(*store, section_of(updates, ++sequence_)).ok());
  }
  void open() {
    projections = std::make_shared<Projections>(store, table, limits_);
    TIDEMARK_CHECK(projections->load().ok());
  }
  void project_all() const {
    while (projections->advance(100).value()) {
    }
  }
  const Marks& marks() const { return *projections->marks().current().value(); }
  std::vector<Mark> all(MarkFilter filter = {}) const {
    filter.newest_first = false;
    return marks().find(filter).marks;
  }

  UtcTime now = at_second(0);
  std::shared_ptr<MemoryStore> store =
      std::make_shared<MemoryStore>(StoreLimits{}, [this] { return now; });
  std::shared_ptr<MemoryProjectionTable> table = std::make_shared<MemoryProjectionTable>();
  std::shared_ptr<Projections> projections;

 private:
  const ProjectionLimits limits_;
  std::uint64_t sequence_ = 0;
};

model::MarkBegin begin_of(int number, std::string name, UtcTime at = {}) {
  return {id_of(number), std::move(name), {"beam"}, "ann", {}, at};
}
model::MarkEnd end_of(int number, UtcTime at = {}) { return {id_of(number), "?", "bob", {}, at}; }

TEST(MarkProjection, BeginsAndEndsWhereItsRecordsStand) {
  MarkLog log;
  const auto first = log.append({message("x"), begin_of(1, "shot 1")});
  log.now = at_second(10);
  log.append({end_of(1)});
  const auto found = log.all();
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].name, "shot 1");
  EXPECT_THAT(found[0].tags, ElementsAre("beam"));
  const Line line{raw(first) + 1};
  EXPECT_EQ(found[0].begin, (MarkPoint{line, at_second(0), line, "ann", false}));
  EXPECT_EQ(found[0].end, (MarkPoint{Line{3}, at_second(10), Line{3}, "bob", false}));
}

TEST(MarkProjection, AMarkMayBeSetForATimeThatIsPast) {
  MarkLog log;
  log.append_updates(5);
  log.now = at_second(10);
  log.append_updates(5);
  log.now = at_second(20);
  log.append_updates(5);
  log.append({begin_of(1, "dip", at_second(5)), end_of(1, at_second(10))});
  const auto found = log.all();
  EXPECT_EQ(found[0].begin, (MarkPoint{Line{5}, at_second(5), Line{16}, "ann", false}));
  EXPECT_EQ(found[0].end->line, Line{10});
  const auto lines = log.projections->marks().lines_of("dip").value();
  EXPECT_EQ(lines.first, Line{6}) << "what was recorded before is not inside";
  EXPECT_EQ(lines.last, Line{10});
}

TEST(MarkProjection, ATimeToComeIsNow) {
  MarkLog log;
  log.append({begin_of(1, "early", at_second(100))});
  log.now = at_second(200);
  log.append_updates(5);
  EXPECT_EQ(log.all()[0].begin->line, Line{1});
  EXPECT_EQ(log.all()[0].begin->at, at_second(0));
}

TEST(MarkProjection, TheFirstBeginAndTheFirstEndCount) {
  MarkLog log;
  log.append({begin_of(1, "shot 1"), begin_of(1, "another"), end_of(1), end_of(1)});
  const auto found = log.all();
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].name, "shot 1");
  EXPECT_EQ(found[0].end->line, Line{3});
}

TEST(MarkProjection, AnEndAloneIsSeenUntilItsBeginComes) {
  MarkLog log;
  log.append({end_of(1)});
  ASSERT_THAT(log.all(), SizeIs(1));
  EXPECT_FALSE(log.all()[0].begin);
  EXPECT_EQ(log.all()[0].name, "?");
  EXPECT_THAT(log.projections->marks().line_of("?").error().message, HasSubstr("only the end"));
  log.append({begin_of(1, "shot 1")});
  ASSERT_THAT(log.all(), SizeIs(1));
  EXPECT_EQ(log.all()[0].name, "shot 1");
  EXPECT_EQ(log.all()[0].begin->line, Line{2});
}

TEST(MarkProjection, AnOpenMarkOutlivesARestart) {
  MarkLog log;
  log.append({begin_of(1, "shift"), begin_of(2, "shot 1"), end_of(2)});
  log.project_all();
  log.open();
  MarkFilter open;
  open.open = true;
  ASSERT_THAT(log.all(open), SizeIs(1));
  log.append({end_of(1)});
  EXPECT_THAT(log.all(open), IsEmpty());
  EXPECT_THAT(log.all(), SizeIs(2)) << "one inside the other";
}

TEST(MarkProjection, ANameMeansTheNewestMarkOfIt) {
  MarkLog log;
  log.append({begin_of(1, "shot"), end_of(1), begin_of(2, "shot"), begin_of(3, "shot.end")});
  const auto& marks = log.projections->marks();
  EXPECT_EQ(marks.line_of("shot").value(), Line{3});
  EXPECT_EQ(marks.line_of("shot.end").value(), Line{4}) << "it is a name";
  EXPECT_EQ(marks.line_of(id_of(1).text()).value(), Line{1});
  EXPECT_EQ(marks.line_of(id_of(1).text() + ".end").value(), Line{2});
  EXPECT_EQ(marks.line_of(id_of(1).text().substr(0, 8)).value(), Line{1});
  EXPECT_EQ(marks.line_of(id_of(1).text().substr(0, 7)).error().code, Code::kNotFound);
  const auto open = marks.line_of(id_of(2).text() + ".end");
  EXPECT_EQ(open.error().code, Code::kInvalidArgument);
  EXPECT_THAT(open.error().message, HasSubstr("is open"));
}

TEST(MarkProjection, WhatWasSaidComesFromTheLog) {
  MarkLog log;
  auto begin = begin_of(1, "shot 1");
  begin.data = model::kv::Value(4711);
  log.append({message("x"), begin, begin_of(2, "shot 2")});
  log.project_all();
  const auto found = log.all();
  EXPECT_TRUE(found[0].begin->has_data);
  EXPECT_EQ(log.projections->marks().data_of(*found[0].begin).value(), model::kv::Value(4711));
  EXPECT_FALSE(found[1].begin->has_data);
}

TEST(MarkProjection, RowsOfALongerLogAreMadeAnew) {
  ProjectionLimits limits;
  limits.segments.length = 4;
  MarkLog log(limits);
  log.append({begin_of(1, "shot 1"), message("x"), message("x"), message("x")});
  log.append({begin_of(2, "shot 2"), message("x"), message("x"), message("x")});
  log.project_all();
  const auto shorter = std::make_shared<MemoryStore>(StoreLimits{}, [] { return at_second(0); });
  ASSERT_TRUE(append_one(*shorter, section_of({message("x")})));
  Projections other(shorter, log.table, limits);
  ASSERT_TRUE(other.load());
  EXPECT_EQ(other.marks().current().value()->size(), 0u);
}

TEST(Marks, AreLeftOutWhenThereIsNoRoom) {
  Marks marks(1);
  MarkRecord record;
  record.point.record = Line{1};
  EXPECT_TRUE(marks.take(record));
  record.id = id_of(1);
  record.point.record = Line{2};
  EXPECT_FALSE(marks.take(record));
  EXPECT_EQ(marks.size(), 1u);
  EXPECT_EQ(marks.left_out(), 1u);
}

TEST(Marks, AMillionTakeNoMoreThanWhatIsSaid) {
  Marks marks;
  MarkRecord record;
  record.tags = {"beam"};
  record.point.who = "ann";
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    record.id = id_of(static_cast<int>(i));
    record.name = "shot " + std::to_string(1'000'000 + i);
    record.point.line = record.point.record = Line{i};
    ASSERT_TRUE(marks.take(record));
  }
  EXPECT_LE(marks.bytes() / 1000, 260u);
}

// ---- the naive model ----------------------------------------------------------------------------

class Naive {
 public:
  void step() {
    switch (*rc::gen::inRange(0, 7)) {
      case 0:
      case 1:
      case 2: append(); break;
      case 3:
        RC_ASSERT(log_.projections->advance(*rc::gen::inRange<std::uint64_t>(1, 40)).ok());
        break;
      case 4: log_.open(); break;  // as after kill -9
      default: ask(); break;
    }
  }
  void ask() const {
    MarkFilter filter;
    if (*rc::gen::arbitrary<bool>()) filter.name = *rc::gen::element<std::string>("a", "?", "b*");
    if (*rc::gen::arbitrary<bool>()) filter.mark = *rc::gen::element<std::string>("a", "bb", "c");
    if (*rc::gen::inRange(0, 3) == 0) filter.tag = *rc::gen::element<std::string>("t", "u");
    if (*rc::gen::inRange(0, 3) == 0) filter.since = at_second(*rc::gen::inRange(0, 100));
    if (*rc::gen::inRange(0, 3) == 0) filter.until = at_second(*rc::gen::inRange(0, 100));
    filter.open = *rc::gen::inRange(0, 3) == 0;
    filter.newest_first = *rc::gen::arbitrary<bool>();
    filter.limit = *rc::gen::inRange<std::size_t>(0, 9);
    auto wanted = fitting(filter);
    const auto page = log_.marks().find(filter);
    RC_ASSERT(page.found == wanted.size());
    wanted.resize(std::min(wanted.size(), filter.limit));
    RC_ASSERT(page.marks == wanted);
  }
  /// What is derived now is what is derived from the log alone.
  void check_rebuild() {
    log_.project_all();
    const auto fresh = std::make_shared<MemoryProjectionTable>();
    Projections again(log_.store, fresh, limits());
    RC_ASSERT(again.load().ok());
    while (again.advance(1'000'000).value()) {
    }
    RC_ASSERT(entries(*fresh) == entries(*log_.table));
    RC_ASSERT(again.marks().current().value()->find({}).marks == log_.marks().find({}).marks);
  }

 private:
  static ProjectionLimits limits() {
    ProjectionLimits limits;
    limits.keyframe_lines_min = 20;
    limits.keyframe_lines_per_channel = 1;
    limits.head_samples_max = 30;
    limits.segments.length = 32;
    return limits;
  }
  static std::map<Bytes, Bytes> entries(const ProjectionTable& table) {
    std::map<Bytes, Bytes> all;
    (void)table.scan("", "\xff", [&](BytesView key, BytesView value) {
      all.emplace(key, value);
      return true;
    });
    return all;
  }
  void append() {
    log_.now += std::chrono::seconds(*rc::gen::inRange(0, 4));
    if (*rc::gen::inRange(0, 3) == 0) {
      log_.append_updates(*rc::gen::inRange<std::size_t>(1, 12));
      note(log_.store->last());
      return;
    }
    std::vector<model::Record> records(*rc::gen::inRange<std::size_t>(1, 5));
    for (auto& record : records) record = *any_record();
    const auto first = log_.append(records);
    for (std::size_t i = 0; i < records.size(); ++i) take(Line{raw(first) + i}, records[i]);
    note(log_.store->last());
  }
  static rc::Gen<model::Record> any_record() {
    return rc::gen::exec([]() -> model::Record {
      const auto number = *rc::gen::inRange(0, 12);
      UtcTime at{};
      if (*rc::gen::inRange(0, 3) == 0) at = at_second(*rc::gen::inRange(-5, 120));
      switch (*rc::gen::inRange(0, 5)) {
        case 0: return message("x");
        case 1:
        case 2: return end_of(number, at);
        default: {
          auto begin = begin_of(number, *rc::gen::element<std::string>("a", "bb", "c"), at);
          begin.tags.assign({"t", "u"});
          begin.tags.resize(*rc::gen::inRange<std::size_t>(0, 3));
          return begin;
        }
      }
    });
  }
  void note(Line last) { times_.emplace_back(log_.now, last); }
  MarkPoint point(Line line, UtcTime at, const std::string& who) const {
    MarkPoint made{line, log_.now, line, who, false};
    if (at == UtcTime{} || at >= log_.now) return made;
    made.at = at;
    made.line = Line{0};
    for (const auto& [time, last] : times_) {
      if (time <= at) made.line = last;
    }
    return made;
  }
  void take(Line line, const model::Record& record) {
    const auto mark_with = [&](const Uuid& id) -> Mark& {
      for (auto& each : marks_) {
        if (each.id == id) return each;
      }
      marks_.push_back({id, "", {}, {}, {}});
      return marks_.back();
    };
    if (const auto* begin = std::get_if<model::MarkBegin>(&record)) {
      auto& mark = mark_with(begin->mark);
      if (mark.begin) return;
      mark.begin = point(line, begin->at, begin->who);
      mark.name = begin->name;
      mark.tags = begin->tags;
    } else if (const auto* end = std::get_if<model::MarkEnd>(&record)) {
      auto& mark = mark_with(end->mark);
      if (mark.end) return;
      mark.end = point(line, end->at, end->who);
      if (!mark.begin) mark.name = end->name;
    }
  }
  std::vector<Mark> fitting(const MarkFilter& filter) const {
    std::vector<Mark> found;
    for (const auto& each : marks_) {
      if (!filter.mark.empty() && each.name != filter.mark) continue;
      if (!filter.name.empty() && !glob_match(filter.name, each.name)) continue;
      if (!filter.tag.empty() && std::count(each.tags.begin(), each.tags.end(), filter.tag) == 0) {
        continue;
      }
      if (filter.open && each.end) continue;
      if (filter.since && each.end && each.end->at < *filter.since) continue;
      const auto& from = each.begin ? each.begin : each.end;
      if (filter.until && from->at > *filter.until) continue;
      found.push_back(each);
    }
    const auto place = [](const Mark& mark) {
      const auto& from = mark.begin ? mark.begin : mark.end;
      return std::pair(from->line, from->record);
    };
    std::sort(found.begin(), found.end(),
              [&](const Mark& a, const Mark& b) { return place(a) < place(b); });
    if (filter.newest_first) std::reverse(found.begin(), found.end());
    return found;
  }

  MarkLog log_{limits()};
  std::vector<Mark> marks_;
  std::vector<std::pair<UtcTime, Line>> times_;  // recorded at, last line so far
};

RC_GTEST_PROP(MarkProjection, EqualsANaiveModel, ()) {
  Naive naive;
  const auto steps = *rc::gen::inRange(1, 60);
  for (int i = 0; i < steps; ++i) naive.step();
  naive.ask();
  naive.check_rebuild();
  naive.ask();
}

}  // namespace
}  // namespace tidemark::journal
