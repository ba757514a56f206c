#include "base/time.h"

#include <gtest/gtest.h>

#include <random>

namespace tidemark {
namespace {

using namespace std::chrono_literals;

constexpr UtcTime at(std::int64_t nanoseconds) { return UtcTime{Duration{nanoseconds}}; }

TEST(Iso, IsWrittenInUtcWithAsManyDigitsAsAsked) {
  const auto time = at(1'795'269'900'123'456'789);
  EXPECT_EQ(to_iso(time), "2026-11-21T14:05:00.123Z");
  EXPECT_EQ(to_iso(time, 0), "2026-11-21T14:05:00Z");
  EXPECT_EQ(to_iso(time, 9), "2026-11-21T14:05:00.123456789Z");
  EXPECT_EQ(to_iso(at(-1), 9), "1969-12-31T23:59:59.999999999Z");
}

TEST(Iso, ReadsBackWhatItWroteForAnyTime) {
  constexpr std::uint32_t kSeed = 1;
  std::mt19937_64 random(kSeed);
  // From 1900 to 2100: what an IOC's clock may claim.
  std::uniform_int_distribution<std::int64_t> range(-2'208'988'800'000'000'000,
                                                    4'102'444'800'000'000'000);
  for (int i = 0; i < 1000; ++i) {
    const auto time = at(range(random));
    ASSERT_EQ(parse_iso(to_iso(time, 9)), time) << to_iso(time, 9) << ", seed " << kSeed;
  }
}

TEST(Iso, IsWrittenForTheFirstAndLastTimesThatThereAre) {
  EXPECT_EQ(to_iso(UtcTime::min(), 9), "1677-09-21T00:12:43.145224192Z");
  EXPECT_EQ(to_iso(UtcTime::max(), 9), "2262-04-11T23:47:16.854775807Z");
}

TEST(Iso, AcceptsWhatPeopleAndProgramsWrite) {
  const auto noon = *parse_iso("2026-11-21T12:00:00Z");
  EXPECT_EQ(parse_iso("2026-11-21 12:00:00"), noon);
  EXPECT_EQ(parse_iso("2026-11-21T12:00"), noon);
  EXPECT_EQ(parse_iso("2026-11-21T13:00:00+01:00"), noon);
  EXPECT_EQ(parse_iso("2026-11-21T07:00:00.000-0500"), noon);
  EXPECT_EQ(parse_iso("2026-11-21"), noon - 12h);
}

TEST(Iso, RefusesEverythingElse) {
  for (const auto* text :
       {"", "now", "2026-13-01", "2026-02-30", "2026-11-21T24:00:00Z", "2026-11-21T12:00:00.Z",
        "2026-11-21T12:00:00Zulu", "2026-11-21T12", "2026-11-21T12:00:00+1", "21.11.2026"}) {
    EXPECT_EQ(parse_iso(text), std::nullopt) << text;
  }
}

TEST(DurationText, HasAUnit) {
  EXPECT_EQ(parse_duration("500ms"), 500ms);
  EXPECT_EQ(parse_duration("5s"), 5s);
  EXPECT_EQ(parse_duration("1.5s"), 1500ms);
  EXPECT_EQ(parse_duration("10m"), 10min);
  EXPECT_EQ(parse_duration("2h"), 2h);
  EXPECT_EQ(parse_duration("3d"), 72h);
  for (const auto* text : {"", "5", "s", "-5s", "5 s", "5weeks", "1e300d"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace tidemark
