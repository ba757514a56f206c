#include "tools/moment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "zone.h"

namespace tidemark::tools {
namespace {

using model::api::Moment;
using testing::HasSubstr;
using namespace std::chrono_literals;

const UtcTime kNow = *parse_iso("2026-11-21T14:05:00Z");  // a Saturday, 15:05 in Berlin

class MomentArgument : public testing::Test {
 protected:
  static std::string at(std::string_view text, UtcTime now = kNow) {
    const auto moment = parse_moment(text, now);
    if (!moment) return "error: " + moment.error().message;
    if (!moment.value().mark.empty()) return "mark " + moment.value().mark;
    if (!moment.value().time) return "line " + std::to_string(moment.value().line);
    return to_iso(*moment.value().time, 0);
  }
  const Zone zone_{Zone::kBerlin};
};

TEST_F(MomentArgument, IsALineOrTheLastOne) {
  EXPECT_EQ(at("@4711"), "line 4711");
  EXPECT_EQ(at("now"), "line 0");
  EXPECT_EQ(at(" Now "), "line 0");
  for (const auto* text : {"@", "@0", "@-1", "@x", "@1.5", "@99999999999999999999", "4711"}) {
    EXPECT_THAT(at(text), HasSubstr("is no moment: use a line (@184223)")) << text;
  }
}

TEST_F(MomentArgument, GoesBackFromNow) {
  EXPECT_EQ(at("10m ago"), "2026-11-21T13:55:00Z");
  EXPECT_EQ(at("-10m"), "2026-11-21T13:55:00Z");
  EXPECT_EQ(at("2h30m ago"), "2026-11-21T11:35:00Z");
  EXPECT_EQ(at("-1d2h"), "2026-11-20T12:05:00Z");
  EXPECT_EQ(at("1.5h ago"), "2026-11-21T12:35:00Z");
  EXPECT_EQ(at("-0.5s10ms"), "2026-11-21T14:04:59Z");
  for (const auto* text :
       {"-", "-10", "10", ".h", "1.2.3h", "-infs", "-m", "-1h-1h", "-9999999d", "-30000d30000d",
        "10 parsecs ago", "an hour an hour ago", "1h 5 ago", "long ago", "14 ago"}) {
    EXPECT_THAT(at(text), HasSubstr("is no moment")) << text;
  }
}

TEST_F(MomentArgument, ThatSaysHowLongIsSoLongAgo) {
  EXPECT_EQ(at("1h"), "2026-11-21T13:05:00Z");
  EXPECT_EQ(at("90s"), "2026-11-21T14:03:30Z");
  EXPECT_EQ(at("2d"), "2026-11-19T14:05:00Z");
  EXPECT_EQ(at("1h30m"), "2026-11-21T12:35:00Z");
  EXPECT_EQ(at("1h 30m"), "2026-11-21T12:35:00Z");
}

TEST_F(MomentArgument, HasUnitsInWords) {
  EXPECT_EQ(at("1 hour ago"), "2026-11-21T13:05:00Z");
  EXPECT_EQ(at("10 Minutes ago"), "2026-11-21T13:55:00Z");
  EXPECT_EQ(at("2 hours 30 minutes ago"), "2026-11-21T11:35:00Z");
  EXPECT_EQ(at("30 seconds"), "2026-11-21T14:04:30Z");
  EXPECT_EQ(at("3 days ago"), "2026-11-18T14:05:00Z");
  EXPECT_EQ(at("2 weeks ago"), "2026-11-07T14:05:00Z");
  EXPECT_EQ(at("1w"), "2026-11-14T14:05:00Z");
  EXPECT_EQ(at("an hour ago"), "2026-11-21T13:05:00Z");
  EXPECT_EQ(at("a week ago"), "2026-11-14T14:05:00Z");
}

TEST_F(MomentArgument, IsTheBeginningOfADayThatIsNamed) {
  EXPECT_EQ(at("today"), "2026-11-20T23:00:00Z");
  EXPECT_EQ(at("yesterday"), "2026-11-19T23:00:00Z");
  EXPECT_EQ(at("Monday"), "2026-11-15T23:00:00Z");
  EXPECT_EQ(at("last tuesday"), "2026-11-16T23:00:00Z");
  EXPECT_EQ(at("saturday"), "2026-11-20T23:00:00Z") << "today";
  EXPECT_EQ(at("last saturday"), "2026-11-13T23:00:00Z") << "a week ago";
  EXPECT_EQ(at("last tuesday 08:00"), "2026-11-17T07:00:00Z");
  EXPECT_EQ(at("last saturday 08:00"), "2026-11-14T07:00:00Z");
}

TEST_F(MomentArgument, MayHaveItsWordsInAnyOrder) {
  EXPECT_EQ(at("yesterday at 14:05"), "2026-11-20T13:05:00Z");
  EXPECT_EQ(at("14:05 yesterday"), "2026-11-20T13:05:00Z");
  EXPECT_EQ(at("at 14:05"), "2026-11-21T13:05:00Z");
}

TEST_F(MomentArgument, IsATimeOfTodayOnTheClocksHere) {
  EXPECT_EQ(at("14:05"), "2026-11-21T13:05:00Z");
  EXPECT_EQ(at("8:00"), "2026-11-21T07:00:00Z");
  EXPECT_EQ(at("today 08:00"), "2026-11-21T07:00:00Z");
  EXPECT_EQ(at("15:05"), "2026-11-21T14:05:00Z");
  EXPECT_EQ(parse_moment("14:05:07.125", kNow).value().time,
            *parse_iso("2026-11-21T13:05:07.125Z"));
}

TEST_F(MomentArgument, OfTodayMustNotBeStillToCome) {
  EXPECT_THAT(at("15:06"), HasSubstr("'15:06' is still to come today: did you mean "
                                     "yesterday?"));
  EXPECT_THAT(at("today 23:00"), HasSubstr("did you mean yesterday?"));
}

TEST_F(MomentArgument, IsATimeOfAnEarlierDay) {
  EXPECT_EQ(at("yesterday 14:05"), "2026-11-20T13:05:00Z");
  EXPECT_EQ(at("Yesterday 14:05"), "2026-11-20T13:05:00Z");
  EXPECT_EQ(at("monday 08:00"), "2026-11-16T07:00:00Z");
  EXPECT_EQ(at("sun 08:00"), "2026-11-15T07:00:00Z");
  EXPECT_EQ(at("saturday 15:05"), "2026-11-21T14:05:00Z") << "today";
  EXPECT_EQ(at("saturday 15:06"), "2026-11-14T14:06:00Z") << "a week ago";
}

TEST_F(MomentArgument, IsADayOnTheCalendarHere) {
  EXPECT_EQ(at("2026-11-21 14:05"), "2026-11-21T13:05:00Z");
  EXPECT_EQ(at("2026-11-21T14:05"), "2026-11-21T13:05:00Z");
  EXPECT_EQ(at("2026-11-21"), "2026-11-20T23:00:00Z");
  EXPECT_EQ(parse_moment("2026-11-21 14:05:07.123", kNow).value().time,
            *parse_iso("2026-11-21T13:05:07.123Z"));
}

TEST_F(MomentArgument, WithAZoneIsTheSameEverywhere) {
  EXPECT_EQ(at("2026-11-21T14:00:00Z"), "2026-11-21T14:00:00Z");
  EXPECT_EQ(at("2026-11-21 15:00:00+01:00"), "2026-11-21T14:00:00Z");
  EXPECT_EQ(at("2026-11-21T09:00-05:00"), "2026-11-21T14:00:00Z");
}

TEST_F(MomentArgument, IsInSummerTimeInSummer) {
  EXPECT_EQ(at("2026-07-01 14:05"), "2026-07-01T12:05:00Z");
  const auto morning_after = *parse_iso("2026-10-26T09:00:00Z");
  EXPECT_EQ(at("yesterday 08:00", morning_after), "2026-10-25T07:00:00Z");
  EXPECT_EQ(at("saturday 08:00", morning_after), "2026-10-24T06:00:00Z");
  EXPECT_EQ(at("24h ago", morning_after), "2026-10-25T09:00:00Z");
}

TEST_F(MomentArgument, ThatTheClocksNeverShowedIsRefused) {
  EXPECT_EQ(at("2026-03-29 01:59"), "2026-03-29T00:59:00Z");
  EXPECT_THAT(at("2026-03-29 02:30"), HasSubstr("put forward and never showed that"));
  EXPECT_EQ(at("2026-03-29 03:00"), "2026-03-29T01:00:00Z");
}

TEST_F(MomentArgument, ThatTheClocksShowedTwiceIsRefusedWithBoth) {
  EXPECT_EQ(at("2026-10-25 01:59"), "2026-10-24T23:59:00Z");
  EXPECT_THAT(at("2026-10-25 02:30"),
              HasSubstr("'2026-10-25 02:30': the clocks were put back and showed that twice: use "
                        "2026-10-25T02:30:00+02:00 or 2026-10-25T02:30:00+01:00"));
  EXPECT_EQ(at("2026-10-25 03:00"), "2026-10-25T02:00:00Z");
}

TEST_F(MomentArgument, IsTheSameWhereThereIsNoSummerTime) {
  const Zone india("IST-5:30");
  EXPECT_EQ(at("2026-07-01 14:05"), "2026-07-01T08:35:00Z");
  const Zone utc("UTC0");
  EXPECT_EQ(at("14:05"), "2026-11-21T14:05:00Z");
}

TEST_F(MomentArgument, IsNothingElse) {
  for (const auto* text : {"", " ", "24:00", "14:60", "14", ":30", "2026-13-01", "2026-02-30",
                           "14:05Z", "yesterday 25:00", "today evening", "monday 8 uhr",
                           "last monday 25:00", "mark:", "mark: "}) {
    EXPECT_THAT(at(text), HasSubstr("is no moment: use a line (@184223), how long ago (1h"))
        << text;
  }
  EXPECT_THAT(at("1\x1b[2J"), HasSubstr("'1\\x1b[2J' is no moment"));
}

TEST_F(MomentArgument, MayBeAMark) {
  EXPECT_EQ(at("shot 12.end"), "mark shot 12.end");
  EXPECT_EQ(at("monday shift"), "mark monday shift");
  EXPECT_EQ(at("last shot"), "mark last shot");
  EXPECT_EQ(at("hour"), "mark hour");
}

TEST_F(MomentArgument, IsAMarkWhateverItsNameWhenItSaysSo) {
  EXPECT_EQ(at("mark:yesterday"), "mark yesterday");
  EXPECT_EQ(at("mark:1h"), "mark 1h");
  EXPECT_EQ(at("mark: @12"), "mark @12");
  EXPECT_EQ(at("mark:mark:x"), "mark mark:x");
}

TEST_F(MomentArgument, ThatIsWrongIsToldOfItsOption) {
  EXPECT_THAT(parse_moment("--since", "14:60", kNow).error().message,
              HasSubstr("--since: '14:60' is no moment: use "));
}

}  // namespace
}  // namespace tidemark::tools
