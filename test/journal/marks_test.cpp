#include "journal/marks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mark_log.h"

namespace tidemark::journal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

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
  EXPECT_FALSE(marks.take(record)) << "again";
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

}  // namespace
}  // namespace tidemark::journal
