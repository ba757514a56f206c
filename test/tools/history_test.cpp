// test/tools/history_test.cpp
//
// history: samples, bins and plots.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_past.h"

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

class PastHistory : public Past {};

TEST_F(PastHistory, HistoryHasEverySampleWithItsAlarmAndLine) {
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

TEST_F(PastHistory, HistoryIsOfTheLastHourOfItsTime) {
  answer_history();
  site_.run({"history", "QUAD:1", "--until", "2026-11-21 14:05"});
  EXPECT_EQ(history_.at(0).from.time, kThen - std::chrono::hours(1));
  EXPECT_EQ(history_.at(0).to.line, 900u) << "the line of that time";
}

TEST_F(PastHistory, HistorySaysWhenThereIsMore) {
  answer_history();
  const auto some = site_.run({"history", "QUAD:1", "--limit", "2"});
  EXPECT_EQ(some.exit, 0);
  EXPECT_THAT(lines_of(some.out), SizeIs(3));
  EXPECT_THAT(some.err, HasSubstr("there are more than 2"));
  EXPECT_THAT(site_.run({"history", "QUAD:1", "--limit", "3"}).err, IsEmpty());
}

TEST_F(PastHistory, HistoryIsReadInPagesAndHasEverySampleOnce) {
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

TEST_F(PastHistory, HistoryForProgramsHasEventsAndAllDigits) {
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

TEST_F(PastHistory, HistoryOfAnUnknownAddressExitsWithOne) {
  answer_history();
  const auto ran = site_.run({"history", "QUAD:9"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.err, HasSubstr("never heard of 'QUAD:9'"));
  EXPECT_THAT(ran.out, IsEmpty());
}

TEST_F(PastHistory, HistoryInBinsHasTheirExtremaAndMean) {
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

TEST_F(PastHistory, ReductionsShowWhatTheyAreNamedFor) {
  answer_bins(quad(2));
  const auto rows = [&](const char* reduce) {
    const auto ran = site_.run({"history", "QUAD:1", "--bins", "6", "--reduce", reduce});
    EXPECT_EQ(ran.exit, 0) << ran.err;
    return lines_of(ran.out);
  };
  EXPECT_THAT(rows("mean").at(0), AllOf(HasSubstr("MEAN"), Not(HasSubstr("MAX"))));
  EXPECT_FALSE(bins_.median);
  EXPECT_THAT(rows("median").at(1), AllOf(HasSubstr("3.25"), Not(HasSubstr("9.00"))));
  EXPECT_TRUE(bins_.median);
  EXPECT_THAT(rows("minmax").at(0), AllOf(HasSubstr("MIN"), HasSubstr("MEAN"), HasSubstr("MAX")));
  const auto csv =
      site_.run({"history", "QUAD:1", "--bins", "6", "--reduce", "median", "--csv"}).out;
  EXPECT_THAT(lines_of(csv).at(0), EndsWith(",median"));
  EXPECT_THAT(lines_of(csv).at(1), EndsWith(",3.25"));
  EXPECT_EQ(site_.run({"history", "QUAD:1", "--reduce", "mean"}).exit, 2) << "of what parts?";
  const auto wrong = site_.run({"history", "QUAD:1", "--bins", "6", "--reduce", "least"});
  EXPECT_EQ(wrong.exit, 2);
  EXPECT_THAT(wrong.err, HasSubstr("--reduce"));
}

TEST_F(PastHistory, ALineIsSamples) {
  answer_history();
  const auto ran = site_.run({"history", "QUAD:1", "--bins", "500", "--reduce", "lttb"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(history_.at(0).line_points, 500u);
  EXPECT_THAT(lines_of(ran.out), SizeIs(4));
}

TEST_F(PastHistory, OptimizedIsEverySampleWhenTheyAreFewElseBins) {
  answer_history();
  answer_bins(quad(2));
  const auto few = site_.run({"history", "QUAD:1", "--bins", "3", "--reduce", "optimized"});
  EXPECT_THAT(lines_of(few.out), SizeIs(4));
  EXPECT_EQ(history_.at(0).limit, 3u);
  const auto many = site_.run({"history", "QUAD:1", "--bins", "2", "--reduce", "optimized"});
  EXPECT_THAT(many.out, HasSubstr("DEVIATION"));
  EXPECT_EQ(bins_.bins, 2u);
}

TEST_F(PastHistory, ByTheIocsTimeIsSaidAndReadInPages) {
  std::vector<model::PvUpdate> samples;
  for (int i = 0; i < 1000; ++i) samples.push_back(sample(i, i));
  answer_history(samples);
  const auto ran = site_.run({"history", "QUAD:1", "--by", "ioc-time", "--lateness", "500ms"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(ran.out, StartsWith("by IOC time, clocks trusted within 0.5 s\n"));
  EXPECT_THAT(lines_of(ran.out), SizeIs(1002));
  EXPECT_GT(history_.size(), 1u);
  EXPECT_EQ(history_.back().lateness, std::chrono::milliseconds(500));
  EXPECT_EQ(history_.back().from.time, history_.front().from.time);
  EXPECT_TRUE(history_.back().to.time) << "the same all the time, so not now";
  const auto json = site_.run({"history", "QUAD:1", "--by", "ioc-time", "--limit", "1", "--json"});
  EXPECT_EQ(Json::parse(json.out).at("by"), "ioc-time");
  EXPECT_EQ(Json::parse(json.out).at("lateness"), 2.0);
  const auto alone = site_.run({"history", "QUAD:1", "--lateness", "1s"});
  EXPECT_EQ(alone.exit, 2);
  EXPECT_THAT(alone.err, HasSubstr("--lateness is for --by ioc-time"));
}

TEST_F(PastHistory, BinsOfAMarkAreThoseOfItsTime) {
  answer_bins(quad(2));
  const auto ran =
      site_.run({"history", "QUAD:1", "--since", "shot 1", "--until", "shot 1.end", "--bins", "6"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(bins_.from.mark, "shot 1");
  EXPECT_FALSE(bins_.from.time) << "the journal knows when that was";
  EXPECT_EQ(bins_.to.mark, "shot 1.end");
  EXPECT_FALSE(bins_.to.time);
}

TEST_F(PastHistory, BinsEndNowAndNotInTheFuture) {
  answer_bins(quad(2));
  site_.run({"history", "QUAD:1", "--until", "2200-01-01", "--since", "-1h", "--bins", "6"});
  EXPECT_LE(*bins_.to.time, utc_now());
}

TEST_F(PastHistory, HistoryIsPlottedWithUnitsTimesAndAlarms) {
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

TEST_F(PastHistory, StringsAreNotPlotted) {
  auto text = quad(0);
  text.value = std::string("on");
  text.native_type = "string";
  answer_bins(text);
  answer_history();
  const auto ran = site_.run({"history", "QUAD:1", "--plot"});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_THAT(ran.err, HasSubstr("QUAD:1 holds strings, which cannot be plotted"));
}

}  // namespace
}  // namespace tidemark::tools
