#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/import_line.h"
#include "tools/import_plan.h"
#include "tools/typed_json.h"

namespace tidemark::tools {
namespace {

using model::kv::Struct;
using model::kv::Value;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::int64_t kTaken = 1'764'000'000'000'000'001;

// ---- ipi-ecs ------------------------------------------------------------------------------------

class IpiEcs : public testing::Test {
 protected:
  static Json line(std::uint64_t seq, const std::string& l_type, const Json& data = nullptr,
                   const std::string& text = "hello") {
    return {{"v", 1},
            {"origin", {{"uuid", "00112233-4455-6677-8899-aabbccddeeff"}, {"ts_ns", kTaken + seq}}},
            {"seq", seq},
            {"level", "WARNING"},
            {"msg", text},
            {"l_type", l_type},
            {"data", data},
            {"ingest_ts_ns", kTaken + 5000}};
  }
  ImportedLine read(const Json& json) {
    auto line = reader_->read(json);
    EXPECT_TRUE(line.ok()) << (line ? "" : line.error().message);
    return line && line.value() ? *line.value() : ImportedLine{};
  }
  template <class T>
  T record(const Json& json) {
    return std::get<T>(read(json).record);
  }
  std::string fault(Json json, const char* name, const Json& value) {
    json[name] = value;
    const auto line = reader_->read(json);
    return line ? "none" : line.error().message;
  }

  std::unique_ptr<LineReader> reader_ = make_ipi_reader();
};

TEST_F(IpiEcs, LinesAreMessagesWithTheirTimeAndTheirData) {
  const auto said = record<model::LogMessage>(line(7, "SW", {{"channel", 3}, {"volts", 1.5}}));
  EXPECT_EQ(said.level, model::Level::kWarning);
  EXPECT_EQ(said.source, "ipi-ecs/00112233-4455-6677-8899-aabbccddeeff");
  EXPECT_EQ(said.text, "hello");
  EXPECT_EQ(said.category, "SW");
  EXPECT_EQ(said.at, UtcTime{Duration{kTaken + 7}});
  EXPECT_EQ(said.data, Value(Struct{{"channel", 3},
                                    {"volts", 1.5},
                                    {"seq", std::uint64_t{7}},
                                    {"ingested_at", UtcTime{Duration{kTaken + 5000}}}}));
}

TEST_F(IpiEcs, LinesKeepTheirNumberForEver) {
  const auto first = read(line(7, "SW"));
  const auto again = make_ipi_reader()->read(line(7, "SW")).value().value();
  EXPECT_EQ(first.origin, again.origin);
  EXPECT_EQ(first.sequence, again.sequence);
  EXPECT_EQ(first.sequence, static_cast<std::uint64_t>(kTaken) + 7);
}

TEST_F(IpiEcs, EventsAreMarks) {
  const Json data = {{"event_id", "8c1f0f70-0000-4000-8000-000000000001"},
                     {"name", "shot 12"},
                     {"tags", {"beam"}}};
  const auto begin = record<model::MarkBegin>(line(1, "EVENT_BEGIN", data));
  EXPECT_EQ(begin.mark, Uuid::parse("8c1f0f70-0000-4000-8000-000000000001"));
  EXPECT_EQ(begin.name, "shot 12");
  EXPECT_THAT(begin.tags, ElementsAre("beam"));
  EXPECT_EQ(begin.at, UtcTime{Duration{kTaken + 1}});
  const auto end = record<model::MarkEnd>(line(9, "event end", data));
  EXPECT_EQ(end.mark, begin.mark);
  EXPECT_EQ(end.at, UtcTime{Duration{kTaken + 9}});
}

TEST_F(IpiEcs, EventsMaySayTheirStateInTheData) {
  const auto begin = record<model::MarkBegin>(line(1, "EVENT", {{"state", "started"}}, "scan"));
  EXPECT_EQ(begin.name, "scan");
  EXPECT_EQ(record<model::MarkEnd>(line(2, "EVENT", {{"phase", "END"}}, "scan")).mark, begin.mark)
      << "without an id it is the open one of that name";
}

TEST_F(IpiEcs, EventsWithoutAnIdNest) {
  const auto outer = record<model::MarkBegin>(line(1, "BEGIN", nullptr, "scan")).mark;
  const auto inner = record<model::MarkBegin>(line(2, "BEGIN", nullptr, "scan")).mark;
  EXPECT_NE(outer, inner);
  EXPECT_EQ(record<model::MarkEnd>(line(3, "END", nullptr, "scan")).mark, inner);
  EXPECT_EQ(record<model::MarkEnd>(line(4, "END", nullptr, "scan")).mark, outer);
}

TEST_F(IpiEcs, OtherLinesThatSoundLikeEventsAreMessages) {
  for (const auto* l_type : {"EVENT", "END OF FILE", "BEGIN END", "BEGINNER", "eventual"}) {
    const auto made = read(line(1, l_type));
    EXPECT_TRUE(std::holds_alternative<model::LogMessage>(made.record)) << l_type;
  }
}

TEST_F(IpiEcs, LevelsHaveNamesOrNumbers) {
  const auto level = [&](const Json& value) {
    auto json = line(1, "SW");
    json["level"] = value;
    return record<model::LogMessage>(json).level;
  };
  EXPECT_EQ(level("critical"), model::Level::kError);
  EXPECT_EQ(level("Info"), model::Level::kInfo);
  EXPECT_EQ(level(40), model::Level::kError);
  EXPECT_EQ(level(10), model::Level::kDebug);
  EXPECT_EQ(level(2), model::Level::kWarning);
  EXPECT_EQ(level(nullptr), model::Level::kInfo);
}

TEST_F(IpiEcs, SaysWhatIsWrongWithALine) {
  const auto good = line(1, "SW");
  EXPECT_EQ(fault(good, "more", 1), "none");
  EXPECT_THAT(fault(good, "v", 2), HasSubstr("v: only 1"));
  EXPECT_THAT(fault(good, "origin", nullptr), HasSubstr("origin: missing"));
  EXPECT_THAT(fault(good, "origin", {{"ts_ns", 1}}), HasSubstr("origin.uuid"));
  EXPECT_THAT(fault(good, "origin", {{"uuid", "x"}, {"ts_ns", 1.5}}), HasSubstr("origin.ts_ns"));
  EXPECT_THAT(fault(good, "seq", -1), HasSubstr("seq"));
  EXPECT_THAT(fault(good, "msg", {1}), HasSubstr("msg: not text"));
  EXPECT_THAT(fault(good, "level", "loud"), HasSubstr("'loud'"));
  EXPECT_THAT(fault(good, "ingest_ts_ns", "now"), HasSubstr("ingest_ts_ns"));
  auto timeless = good;
  timeless["origin"].erase("ts_ns");
  EXPECT_THAT(fault(timeless, "ingest_ts_ns", nullptr), HasSubstr("no time"));
  EXPECT_EQ(fault(timeless, "ingest_ts_ns", 5), "none");
}

// ---- our own export -----------------------------------------------------------------------------

class OwnExport : public testing::Test {
 protected:
  OwnExport() {
    const Json head = {{"format", "tidemark-journal"}, {"v", 1}, {"journal", "j"}};
    EXPECT_TRUE(is_export_head(head));
    reader_ = make_own_reader(head).value();
  }
  static Json line(const std::string& kind, const Json& record) {
    return {{"line", 17u},         {"recorded_at", "2026-11-21T14:05:00.000000001Z"},
            {"kind", kind},        {"level", "warning"},
            {"subject", "QUAD:1"}, {"text", "what it was"},
            {"record", record}};
  }
  std::unique_ptr<LineReader> reader_;
};

TEST_F(OwnExport, MessagesComeBackAsTheyWere) {
  const auto made = reader_->read(line("LogMessage", {{"level", "error"},
                                                      {"source", "psu.1"},
                                                      {"text", "trip"},
                                                      {"data", {{"amps", 1.0}, {"n", 3}}},
                                                      {"category", "interlock"},
                                                      {"at", nullptr}}));
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made.value()->sequence, 17u);
  EXPECT_EQ(
      std::get<model::LogMessage>(made.value()->record),
      (model::LogMessage{model::Level::kError, "psu.1", "trip", Struct{{"amps", 1.0}, {"n", 3}},
                         "interlock", *parse_iso("2026-11-21T14:05:00.000000001Z")}));
}

TEST_F(OwnExport, WhatAMachineDidIsTold) {
  const auto made = reader_->read(line("PutRefused", {{"address", "QUAD:1"}, {"reason", "busy"}}));
  ASSERT_TRUE(made.ok());
  const auto said = std::get<model::LogMessage>(made.value()->record);
  EXPECT_EQ(said.category, "PutRefused");
  EXPECT_EQ(said.source, "QUAD:1");
  EXPECT_EQ(said.text, "what it was");
  EXPECT_EQ(*said.data.field("reason"), Value("busy"));
}

TEST_F(OwnExport, ValuesOfPvsStayOut) {
  const auto made = reader_->read(line("PvUpdate", nullptr));
  ASSERT_TRUE(made.ok());
  EXPECT_FALSE(made.value());
}

TEST_F(OwnExport, SaysWhatIsWrongWithALine) {
  EXPECT_THAT(reader_->read(Json::object()).error().message, HasSubstr("line: missing"));
  EXPECT_THAT(reader_->read(line("LogMessage", {{"level", "loud"}})).error().message,
              HasSubstr("record.level"));
  EXPECT_THAT(reader_->read(line("MarkEnd", {{"mark", "x"}})).error().message,
              HasSubstr("record.mark"));
  EXPECT_FALSE(make_own_reader({{"format", "tidemark-journal"}, {"v", 2}}).ok());
}

// ---- the plan -----------------------------------------------------------------------------------

const Uuid kOrigin = Uuid::derive("origin");

ImportedLine numbered(std::uint64_t sequence, std::uint64_t order = 0, Uuid origin = kOrigin) {
  return {origin, "origin", sequence, order,
          model::LogMessage{model::Level::kInfo, "x", std::to_string(sequence)}};
}
std::vector<std::uint64_t> sequences(const std::vector<ImportedLine>& lines) {
  std::vector<std::uint64_t> out;
  for (const auto& line : lines) out.push_back(line.sequence);
  return out;
}

TEST(ImportPlan, PutsLinesInOrderAndMovesApartWhatHasOneTime) {
  std::vector<ImportedLine> lines = {numbered(9), numbered(5, 2), numbered(5, 1), numbered(5, 2)};
  EXPECT_EQ(put_in_order(lines), 1u) << "one is there twice";
  EXPECT_THAT(sequences(lines), ElementsAre(5, 6, 9));
}

TEST(ImportPlan, LeavesWhatTheJournalLacks) {
  KnownOrigins known = {{kOrigin, {7, {3, 7}}}};
  std::vector<ImportedLine> lines = {numbered(3), numbered(7), numbered(8)};
  EXPECT_EQ(leave_new(lines, known).value(), 2u);
  EXPECT_THAT(sequences(lines), ElementsAre(8));
  EXPECT_EQ(lines[0].origin, kOrigin);
  EXPECT_EQ(leave_new(lines, known).value(), 1u) << "it is known from then on";
}

TEST(ImportPlan, GivesWhatComesLateToAnOriginOfItsOwn) {
  KnownOrigins known = {{kOrigin, {7, {3, 7}}}};
  std::vector<ImportedLine> lines = {numbered(4), numbered(5)};
  EXPECT_EQ(leave_new(lines, known).value(), 0u);
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_EQ(lines[0].origin, origin_at(kOrigin, 1));
  EXPECT_NE(lines[0].origin, kOrigin);
  std::vector<ImportedLine> again = {numbered(3), numbered(4), numbered(5), numbered(7)};
  EXPECT_EQ(leave_new(again, known).value(), 4u);
  EXPECT_THAT(again, IsEmpty());
}

TEST(ImportPlan, SaysWhenLinesComeLateTooOften) {
  KnownOrigins known;
  for (std::uint64_t each = 100; each > 100 - kLateMax - 1; --each) {
    std::vector<ImportedLine> lines = {numbered(each)};
    ASSERT_TRUE(leave_new(lines, known).ok()) << each;
  }
  std::vector<ImportedLine> lines = {numbered(1)};
  EXPECT_THAT(leave_new(lines, known).error().message, HasSubstr("in the order of their times"));
}

TEST(ImportPlan, MakesRequestsWithTheNumbersOfTheLines) {
  const auto other = Uuid::derive("other");
  const std::vector<ImportedLine> lines = {numbered(5), numbered(6), numbered(7, 0, other),
                                           numbered(9)};
  const auto requests = requests_of(lines, {{kOrigin, 3}});
  ASSERT_THAT(requests, SizeIs(2));
  for (const auto& request : requests) {
    EXPECT_TRUE(request.sparse);
    EXPECT_EQ(request.incarnation, 1u);
    if (request.origin == other) {
      EXPECT_EQ(request.after, 0u);
      EXPECT_THAT(request.sections, SizeIs(1));
      continue;
    }
    EXPECT_EQ(request.after, 3u);
    ASSERT_THAT(request.sections, SizeIs(2));
    EXPECT_EQ(request.sections[0].sequence, 5u);
    EXPECT_EQ(request.sections[0].count, 2u);
    EXPECT_EQ(request.sections[1].sequence, 9u);
  }
}

}  // namespace
}  // namespace tidemark::tools
