// test/tools/past_test.cpp
//
// state, diff, history and blame against a journal with canned answers.

#include "model/api/past.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "fake_site.h"
#include "model/pv_update.h"
#include "tools/table.h"
#include "zone.h"

namespace tidemark::tools {
namespace {

namespace api = model::api;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

const UtcTime kThen = *parse_iso("2026-11-21T14:05:00Z");

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

api::LiveValue quad(double value) {
  api::LiveValue out;
  out.address = "QUAD:1";
  out.state = model::LiveState::kConnected;
  out.value = value;
  out.precision = 2;
  out.units = "A";
  out.native_type = "double";
  out.taken_at = kThen;
  return out;
}

api::LiveValue valve(std::uint16_t index) {
  api::LiveValue out;
  out.address = "VALVE:1";
  out.state = model::LiveState::kDisconnected;
  out.value = model::EnumIndex{index};
  out.labels = {"Closed", "Open, fully"};
  out.native_type = "enum";
  out.alarm = {model::Severity::kMinor, 4};
  out.taken_at = kThen;
  return out;
}

model::PvUpdate sample(double value, int second) {
  model::PvUpdate update;
  update.value = value;
  update.taken_at = kThen + std::chrono::seconds(second);
  return update;
}

class Past : public testing::Test {
 protected:
  Past() {
    site_.start("journal");
    site_.serve<api::Moment, api::MomentReply>(
        "journal", "journal.moment", [](const auto& moment) -> Result<api::MomentReply> {
          if (moment.line > 900) {
            return Error{Code::kInvalidArgument, "line is not there yet: the last is 900"};
          }
          if (moment.time && *moment.time < kThen) return api::MomentReply{0, {}, 900};
          return api::MomentReply{moment.line == 0 ? 900 : moment.line, kThen, 900};
        });
    answer<api::StateQuery>("journal.state", [this](const bus::Call& call, const auto& query) {
      state_ = query;
      api::PastEnd end;
      const auto part = [&](const api::LiveValue& value, std::uint64_t line) {
        call.progress(model::pack(api::PastValues{{value}, {line}}));
        ++end.parts;
      };
      part(quad(4.25678), 871);
      if (query.addresses != std::vector<std::string>{"QUAD:1"}) part(valve(1), 12);
      for (const auto& each : query.addresses) {
        if (each == "QUAD:9") end.unknown.push_back(each);
      }
      end.parts += lost_parts_;
      call.done(model::pack(end));
    });
  }

  template <class Query>
  void answer(const std::string& method, std::function<void(const bus::Call&, const Query&)> with) {
    site_.link("journal").serve(method, [with](bus::Call call) {
      with(call, model::unpack<Query>(call.payload()).value());
    });
  }
  void answer_changes() {
    answer<api::ChangesQuery>("journal.changes", [this](const bus::Call& call, const auto& query) {
      changes_ = query;
      auto closed = valve(0);
      closed.state = model::LiveState::kConnected;
      call.progress(
          model::pack(api::Changes{{quad(1.5), closed}, {quad(4.25), valve(1)}, {871, 872}}));
      call.done(model::pack(api::ChangesEnd{{}, {}, 1, 40, {}}));
    });
  }
  /// The n-th of `samples` is line 10 n, and everything before @5 was long ago.
  void answer_history(std::vector<model::PvUpdate> samples) {
    answer<api::HistoryQuery>(
        "journal.history", [this, samples](const bus::Call& call, const auto& query) {
          history_.push_back(query);
          api::HistoryEnd end;
          const auto at = [](std::size_t i) { return 10 * (i + 1); };
          std::size_t first = 0;
          while (first + 1 < samples.size() && at(first + 1) <= query.from.line) ++first;
          for (auto i = first; i < samples.size() && !end.cut; ++i) {
            end.cut = query.limit != 0 && i - first == query.limit;
            if (end.cut) break;
            call.progress(
                model::pack(api::HistorySamples{{model::encode_updates({samples[i]})}, {at(i)}}));
            ++end.parts;
          }
          call.done(model::pack(end));
        });
  }
  void answer_history() {
    auto high = sample(7.5, 1);
    high.alarm = {model::Severity::kMajor, 3};
    model::PvUpdate lost;
    lost.event = model::PvUpdate::Event::kDisconnected;
    lost.taken_at = kThen + std::chrono::seconds(2);
    answer_history({sample(4.25678, 0), high, lost});
  }
  void answer_bins(const api::LiveValue& now) {
    site_.serve<api::BinsQuery, api::HistoryBins>(
        "journal", "journal.bins", [this, now](const auto& query) -> Result<api::HistoryBins> {
          bins_ = query;
          api::HistoryBins reply;
          reply.begin = *query.from.time;
          reply.width = (*query.to.time - *query.from.time) / query.bins + Duration{1};
          reply.now = now;
          api::Bin bin{reply.begin, 4, 4, 1, 2, 1, 9, 3.5, 0.25, model::Severity::kMajor, false};
          reply.bins.push_back(bin);
          return reply;
        });
  }

  FakeSite site_;
  std::uint32_t lost_parts_ = 0;
  api::StateQuery state_;
  api::ChangesQuery changes_;
  std::vector<api::HistoryQuery> history_;
  api::BinsQuery bins_;
  const Zone zone_{"UTC0"};
};

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

// ---- history ------------------------------------------------------------------------------------

TEST_F(Past, HistoryHasEverySampleWithItsAlarmAndLine) {
  answer_history();
  const auto ran = site_.run({"history", "QUAD:1", "--since", "@5", "--until", "@9"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(lines_of(ran.out),
              ElementsAre("IOC TIME                         VALUE [A]  ALARM                LINE",
                          "2026-11-21T14:05:00.000Z              4.26                         10",
                          "2026-11-21T14:05:01.000Z              7.50  HIHI MAJOR             20",
                          "2026-11-21T14:05:02.000Z      disconnected                         30"));
  EXPECT_EQ(history_.at(0).from.line, 5u);
  EXPECT_EQ(history_.at(0).to.line, 9u);
}

TEST_F(Past, HistoryIsOfTheLastHourOfItsTime) {
  answer_history();
  site_.run({"history", "QUAD:1", "--until", "2026-11-21 14:05"});
  EXPECT_EQ(history_.at(0).from.time, kThen - std::chrono::hours(1));
  EXPECT_EQ(history_.at(0).to.line, 900u) << "the line of that time";
}

TEST_F(Past, HistorySaysWhenThereIsMore) {
  answer_history();
  const auto some = site_.run({"history", "QUAD:1", "--limit", "2"});
  EXPECT_EQ(some.exit, 0);
  EXPECT_THAT(lines_of(some.out), SizeIs(3));
  EXPECT_THAT(some.err, HasSubstr("there are more than 2"));
  EXPECT_THAT(site_.run({"history", "QUAD:1", "--limit", "3"}).err, IsEmpty());
}

TEST_F(Past, HistoryIsReadInPagesAndHasEverySampleOnce) {
  std::vector<model::PvUpdate> samples;
  for (int i = 0; i < 1000; ++i) samples.push_back(sample(i, i));
  answer_history(samples);
  const auto rows = lines_of(site_.run({"history", "QUAD:1", "--csv"}).out);
  ASSERT_THAT(rows, SizeIs(1001));
  for (std::size_t i = 0; i < samples.size(); ++i) {
    EXPECT_THAT(rows[i + 1], EndsWith("," + std::to_string(10 * (i + 1))));
  }
  EXPECT_GT(history_.size(), 1u);
  EXPECT_THAT(lines_of(site_.run({"history", "QUAD:1", "--limit", "100"}).out), SizeIs(101));
}

TEST_F(Past, HistoryForProgramsHasEventsAndAllDigits) {
  answer_history();
  const auto json = lines_of(site_.run({"history", "QUAD:1", "--json"}).out);
  ASSERT_THAT(json, SizeIs(3));
  EXPECT_EQ(Json::parse(json[0]).at("value"), 4.25678);
  EXPECT_EQ(Json::parse(json[1]).at("alarm").at("severity"), "MAJOR");
  EXPECT_EQ(Json::parse(json[2]).at("event"), "disconnected");
  const auto csv = lines_of(site_.run({"history", "QUAD:1", "--csv"}).out);
  EXPECT_EQ(csv.at(0), "time,event,value,label,severity,status,line");
  EXPECT_EQ(csv.at(1), "2026-11-21T14:05:00.000000000Z,value,4.25678,,NO_ALARM,NO_ALARM,10");
}

TEST_F(Past, HistoryOfAnUnknownAddressExitsWithOne) {
  answer_history();
  const auto ran = site_.run({"history", "QUAD:9"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.err, HasSubstr("never heard of 'QUAD:9'"));
  EXPECT_THAT(ran.out, IsEmpty());
}

TEST_F(Past, HistoryInBinsHasTheirExtremaAndMean) {
  answer_bins(quad(2));
  const auto ran = site_.run({"history", "QUAD:1", "--since", "2026-11-21 14:05", "--until",
                              "2026-11-21 15:05", "--bins", "6"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(bins_.bins, 6u);
  EXPECT_THAT(lines_of(ran.out).at(1),
              AllOf(StartsWith("2026-11-21T14:05:00.000Z"), HasSubstr("1.00  3.50  9.00"),
                    HasSubstr("0.25"), EndsWith("MAJOR")));
  const auto json = site_.run({"history", "QUAD:1", "--bins", "6", "--json"});
  EXPECT_EQ(Json::parse(json.out).at("mean"), 3.5);
}

TEST_F(Past, BinsEndNowAndNotInTheFuture) {
  answer_bins(quad(2));
  site_.run({"history", "QUAD:1", "--until", "2200-01-01", "--since", "-1h", "--bins", "6"});
  EXPECT_LE(*bins_.to.time, utc_now());
}

TEST_F(Past, HistoryIsPlottedWithUnitsTimesAndAlarms) {
  answer_bins(quad(2));
  answer_history();
  const auto ran = site_.run({"history", "QUAD:1", "--since", "2026-11-21 14:05", "--until",
                              "2026-11-21 15:05", "--plot"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(ran.out, StartsWith("QUAD:1  2026-11-21T14:05:00Z to 2026-11-21T15:05:00Z\n"));
  EXPECT_THAT(ran.out, HasSubstr("9.00 ┤"));
  EXPECT_THAT(ran.out, HasSubstr("alarms  M"));
  EXPECT_THAT(ran.out, HasSubstr("14:05"));
  EXPECT_EQ(history_.at(0).limit, 1u);
}

TEST_F(Past, StringsAreNotPlotted) {
  auto text = quad(0);
  text.value = std::string("on");
  text.native_type = "string";
  answer_bins(text);
  answer_history();
  const auto ran = site_.run({"history", "QUAD:1", "--plot"});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_THAT(ran.err, HasSubstr("QUAD:1 holds strings, which cannot be plotted"));
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
                              EndsWith("pv_put \"QUAD:1\" by ada@console (job 7d1b00aa)")));
  EXPECT_THAT(lines[2], AllOf(HasSubstr("1.00"), EndsWith("  -")));
  EXPECT_THAT(lines[3], HasSubstr("disconnected"));

  const auto json = lines_of(site_.run({"blame", "QUAD:1", "--json"}).out);
  EXPECT_EQ(Json::parse(json.at(0)).at("job").at("user"), "ada@console");
  EXPECT_TRUE(Json::parse(json.at(1)).at("job").is_null());
  EXPECT_EQ(asked.count, 10u);
  EXPECT_THAT(site_.run({"blame", "QUAD:1", "--csv"}).out, HasSubstr(",pv_put,QUAD:1,ada@console"));
  EXPECT_EQ(site_.run({"blame", "QUAD:9"}).exit, 1);
}

}  // namespace
}  // namespace tidemark::tools
