// test/tools/past_test.cpp
//
// state, diff and blame.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_past.h"
#include "tools/context.h"
#include "tools/table.h"

namespace tidemark::tools {
namespace {

namespace api = model::api;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

// ---- state --------------------------------------------------------------------------------------

TEST_F(Past, StateSaysWhichLineItIsAndMergesTheParts) {
  const auto ran = site_.run({"state", "--at", "@880"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(
      lines_of(ran.out),
      ElementsAre("line 880, 2026-11-21T14:05:00.000Z",
                  "PV             VALUE  UNIT  ALARM         IOC TIME                  LINE",
                  "QUAD:1          4.26  A                   2026-11-21T14:05:00.000Z   871",
                  "VALVE:1  Open, fully        disconnected  2026-11-21T14:05:00.000Z    12"));
  EXPECT_EQ(state_.at.line, 880u);
}

TEST_F(Past, StateByTheIocsTimeSaysTheRule) {
  const auto ran = site_.run({"state", "--at", "2026-11-21 14:05:01", "--by", "ioc-time"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(
      lines_of(ran.out).at(0),
      "2026-11-21T14:05:01.000Z by IOC time, clocks trusted within 2 s: line 870, and what was "
      "taken by then up to line 880");
  EXPECT_EQ(state_.lateness, api::kLateness);
  EXPECT_EQ(state_.at.time, kThen + std::chrono::seconds(1));
  const auto json = site_.run({"state", "QUAD:1", "--at", "now", "--by", "ioc-time", "--json"});
  EXPECT_EQ(Json::parse(json.out).at("by"), "ioc-time");
  EXPECT_EQ(site_.run({"state", "--at", "now", "--lateness", "1s"}).exit, 2);
}

TEST_F(Past, StateNowIsThatOfTheLastLine) {
  site_.run({"state", "--at", "now"});
  EXPECT_EQ(state_.at.line, 900u);
}

TEST_F(Past, StateBeforeEverythingDoesNotBecomeNow) {
  const auto ran = site_.run({"state", "--at", "2026-11-21 14:04"});
  EXPECT_THAT(ran.out, StartsWith("before the first line\n"));
  EXPECT_EQ(state_.at.time, kThen - std::chrono::minutes(1));
}

TEST_F(Past, StateExitsWithOneWhenAnAddressIsUnknown) {
  const auto ran = site_.run({"state", "QUAD:*", "QUAD:9", "BPM:*", "--at", "now"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.out, HasSubstr("QUAD:1"));
  EXPECT_THAT(ran.err, HasSubstr("1 address is unknown: QUAD:9"));
  EXPECT_THAT(ran.err, HasSubstr("no PV matches 'BPM:*'"));
  EXPECT_THAT(ran.err, Not(HasSubstr("'QUAD:*'")));
}

TEST_F(Past, StateOfALineThatIsNotThereYetIsBadInput) {
  const auto ran = site_.run({"state", "--at", "@901"});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_THAT(ran.err, HasSubstr("the last is 900"));
}

TEST_F(Past, StateHasAllDigitsForPrograms) {
  const auto json = lines_of(site_.run({"state", "--at", "now", "--json"}).out);
  ASSERT_THAT(json, SizeIs(2));
  EXPECT_EQ(Json::parse(json[0]).at("value"), 4.25678);
  EXPECT_EQ(Json::parse(json[0]).at("line"), 871);
  EXPECT_EQ(Json::parse(json[1]).at("label"), "Open, fully");
  EXPECT_THAT(
      lines_of(site_.run({"state", "--at", "now", "--csv"}).out),
      ElementsAre(
          "address,value,label,units,severity,status,state,time,line",
          "QUAD:1,4.25678,,A,NO_ALARM,NO_ALARM,connected,2026-11-21T14:05:00.000000000Z,871",
          "VALVE:1,1,\"Open, fully\",,MINOR,HIGH,disconnected,2026-11-21T14:05:00.000000000Z,12"));
}

TEST_F(Past, StateWithAPartMissingFails) {
  lost_parts_ = 1;
  const auto ran = site_.run({"state", "--at", "now"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.err, HasSubstr("only 2 of 3 parts came"));
}

// ---- diff ---------------------------------------------------------------------------------------

TEST_F(Past, DiffShowsBeforeAfterAndDelta) {
  answer_changes();
  const auto ran = site_.run({"diff", "@100", "now", "*"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(
      lines_of(ran.out),
      ElementsAre("before: line 100, 2026-11-21T14:05:00.000Z",
                  "after:  line 900, 2026-11-21T14:05:00.000Z",
                  "PV                    BEFORE                       AFTER  DELTA  UNIT  LINE",
                  "QUAD:1                  1.50                        4.25  +2.75  A      871",
                  "VALVE:1  Closed (HIGH MINOR)  Open, fully (disconnected)                872",
                  "2 of 40 PVs differ"));
  EXPECT_EQ(changes_.from.line, 100u);
  EXPECT_EQ(changes_.to.line, 900u);
}

TEST_F(Past, DiffShowsEnoughDigitsAndNotTooMuchOfAWaveform) {
  answer<api::ChangesQuery>("journal.changes", [](const bus::Call& call, const auto&) {
    auto before = quad(0);
    auto after = quad(0);
    before.value = model::SharedArray(model::PvArray(std::vector<double>(500, 1.0 / 3)));
    after.value = model::SharedArray(model::PvArray(std::vector<double>(501, 1.0 / 3)));
    call.progress(
        model::pack(api::Changes{{before, quad(4.25678)}, {after, quad(4.25679)}, {871, 872}}));
    call.done(model::pack(api::ChangesEnd{{}, {}, 1, 2, {}}));
  });
  const auto lines = lines_of(site_.run({"diff", "@1", "@2"}).out);
  ASSERT_THAT(lines, SizeIs(6));
  EXPECT_THAT(lines[3], AllOf(HasSubstr("… 500]  "), HasSubstr("… 501]  ")));
  EXPECT_LE(display_width(lines[3]), 120u);
  EXPECT_THAT(lines[4], AllOf(HasSubstr("4.25678  "), HasSubstr("4.25679  +1e-05")));
}

TEST_F(Past, DiffExitsWithOneWhenAskedTo) {
  answer_changes();
  EXPECT_EQ(site_.run({"diff", "-10m", "now", "--exit-code"}).exit, 1);
}

TEST_F(Past, DiffForProgramsKeepsTheSummaryOutOfTheData) {
  answer_changes();
  const auto json = site_.run({"diff", "@1", "@2", "--json"});
  const auto documents = lines_of(json.out);
  ASSERT_THAT(documents, SizeIs(2));
  EXPECT_EQ(Json::parse(documents[0]).at("delta"), 2.75);
  EXPECT_EQ(Json::parse(documents[1]).at("before").at("label"), "Closed");
  EXPECT_TRUE(Json::parse(documents[1]).at("delta").is_null());
  EXPECT_EQ(json.err, "2 of 40 PVs differ\n");
  const auto csv = lines_of(site_.run({"diff", "@1", "@2", "--csv"}).out);
  ASSERT_THAT(csv, SizeIs(3));
  EXPECT_THAT(csv[1], StartsWith("QUAD:1,1.5,4.25,2.75,A,"));
  EXPECT_THAT(csv[2], StartsWith("VALVE:1,0,1,,,Closed,\"Open, fully\",MINOR,MINOR,connected,"));
}

// ---- blame --------------------------------------------------------------------------------------

TEST_F(Past, BlameNamesTheJobOrNobody) {
  api::BlameQuery asked;
  site_.serve<api::BlameQuery, api::Blame>(
      "journal", "journal.blame", [&](const auto& query) -> Result<api::Blame> {
        asked = query;
        if (query.address == "QUAD:9") return Error{Code::kNotFound, "never heard of 'QUAD:9'"};
        api::BlamedChange ours{
            872,      kThen,    quad(4.25),   *Uuid::parse("7d1b00aa-0000-4000-8000-000000000001"),
            "pv_put", "QUAD:1", "ada@console"};
        ours.snapshot = *Uuid::parse("88d0e1b4-0000-4000-8000-000000000001");
        ours.clamped = true;
        api::BlamedChange theirs{871, kThen, quad(1), {}, "", "", ""};
        api::BlamedChange lost{870, kThen, quad(0), {}, "", "", ""};
        lost.value.value = {};
        lost.value.state = model::LiveState::kDisconnected;
        return api::Blame{{ours, theirs, lost}};
      });
  const auto ran = site_.run({"blame", "QUAD:1", "-n", "3", "--at", "@880"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(asked.count, 3u);
  EXPECT_EQ(asked.at.line, 880u);
  const auto lines = lines_of(ran.out);
  ASSERT_THAT(lines, SizeIs(4));
  EXPECT_THAT(lines[1], AllOf(HasSubstr("4.25"), HasSubstr("872"),
                              EndsWith("pv_put \"QUAD:1\" by ada@console (job 7d1b00aa, snapshot "
                                       "88d0e1b4), clamped")));
  EXPECT_THAT(lines[2], AllOf(HasSubstr("1.00"), EndsWith("  -")));
  EXPECT_THAT(lines[3], HasSubstr("disconnected"));

  const auto json = lines_of(site_.run({"blame", "QUAD:1", "--json"}).out);
  EXPECT_EQ(Json::parse(json.at(0)).at("job").at("user"), "ada@console");
  EXPECT_EQ(Json::parse(json.at(0)).at("job").at("snapshot"),
            "88d0e1b4-0000-4000-8000-000000000001");
  EXPECT_EQ(Json::parse(json.at(0)).at("job").at("clamped"), true);
  EXPECT_TRUE(Json::parse(json.at(1)).at("job").is_null());
  EXPECT_EQ(asked.count, 10u);
  EXPECT_THAT(site_.run({"blame", "QUAD:1", "--csv"}).out,
              HasSubstr(",pv_put,QUAD:1,ada@console,"
                        "88d0e1b4-0000-4000-8000-000000000001,clamped"));
  EXPECT_EQ(site_.run({"blame", "QUAD:9"}).exit, 1);
}

TEST_F(Past, BlameAsksOnUntilItHasAll) {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> asked;
  site_.serve<api::BlameQuery, api::Blame>(
      "journal", "journal.blame", [&](const auto& query) -> Result<api::Blame> {
        asked.emplace_back(query.at.line, query.count);
        const auto line = query.at.line;
        api::Blame reply{{api::BlamedChange{line, kThen, quad(1), {}, "", "", ""}}};
        if (line > 878) reply.next = line - 1;
        return reply;
      });
  const std::vector<std::pair<std::uint64_t, std::uint32_t>> pages{{880, 5}, {879, 4}, {878, 3}};
  EXPECT_THAT(lines_of(site_.run({"blame", "QUAD:1", "-n", "5", "--at", "@880"}).out), SizeIs(4));
  EXPECT_EQ(asked, pages);
  const auto csv = lines_of(site_.run({"blame", "QUAD:1", "-n", "2", "--at", "@880", "--csv"}).out);
  EXPECT_THAT(csv, SizeIs(3)) << "one row of titles, and no page more than wanted";
  EXPECT_EQ(asked.size(), 5U);
}

}  // namespace
}  // namespace tidemark::tools
