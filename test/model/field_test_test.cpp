// test/model/field_test_test.cpp

#include "model/field_test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace tidemark::model {
namespace {

bool holds(const std::string& text, const Record& record) {
  const auto test = parse_field_test(text);
  EXPECT_TRUE(test) << text << ": " << test.error().message;
  return test && matches(test.value(), record);
}
bool holds(const std::string& text, const PvUpdate& update) {
  const auto test = parse_field_test(text);
  EXPECT_TRUE(test) << text;
  return test && matches(test.value(), update);
}
std::string error_of(const std::string& text) {
  const auto test = parse_field_test(text);
  EXPECT_FALSE(test) << text;
  return test ? "" : test.error().message;
}

TEST(FieldTest, ComparesTextsAndNumbersOfARecord) {
  const JobAccepted job{Uuid::derive("job"), "pv_put", "tune = 3", "anna@host", ""};
  EXPECT_TRUE(holds("user=anna@host", job));
  EXPECT_FALSE(holds("user=anna", job));
  EXPECT_TRUE(holds("user!=anna", job));
  EXPECT_TRUE(holds("title=tune = 3", job));
  EXPECT_TRUE(holds("detail=", job));
  EXPECT_TRUE(holds("job=" + Uuid::derive("job").text(), job));
  const JobProgress progress{Uuid{}, 99, 100};
  EXPECT_TRUE(holds("done>=99", progress));
  EXPECT_TRUE(holds("done<1e2", progress));
  EXPECT_FALSE(holds("done>99", progress));
  EXPECT_FALSE(holds("done<=98.9", progress));
  EXPECT_TRUE(holds("total=100.0", progress));
}

TEST(FieldTest, GoesIntoStructs) {
  const kv::Value data = kv::Struct{{"shot", 4711},
                                    {"beam", kv::Struct{{"energy", 4.5}, {"on", true}}},
                                    {"mode", kv::EnumValue{2, "TRIM"}},
                                    {"gains", std::vector<double>{1, 2.5}}};
  const MarkBegin mark{Uuid{}, "shot", {"beam", "test"}, "anna", data, UtcTime{}};
  EXPECT_TRUE(holds("data.shot=4711", mark));
  EXPECT_FALSE(holds("data.shot=4712", mark));
  EXPECT_TRUE(holds("data.beam.energy>=4.5", mark));
  EXPECT_TRUE(holds("data.beam.on=true", mark));
  EXPECT_TRUE(holds("data.mode=TRIM", mark));
  EXPECT_TRUE(holds("data.mode=2", mark));
  EXPECT_FALSE(holds("data.mode!=TRIM", mark));
  EXPECT_TRUE(holds("data.gains>2", mark));
  EXPECT_TRUE(holds("tags=beam", mark));
  EXPECT_FALSE(holds("tags=laser", mark));
  EXPECT_FALSE(holds("data=4711", mark));
  EXPECT_FALSE(holds("data.none!=1", mark)) << "there is no such field";
  EXPECT_FALSE(holds("who.first=anna", mark));
}

TEST(FieldTest, TellsLargeIntegersApart) {
  constexpr auto kLarge = (std::uint64_t{1} << 53) + 1;
  const Gap gap{Uuid{}, "n", 1, kLarge, std::numeric_limits<std::uint64_t>::max(), {}, {}, ""};
  EXPECT_TRUE(holds("from=9007199254740993", gap));
  EXPECT_FALSE(holds("from=9007199254740992", gap));
  EXPECT_TRUE(holds("to=18446744073709551615", gap));
  EXPECT_TRUE(holds("from>1e15", gap));
}

TEST(FieldTest, AsksForThatFieldOfThisKindOnly) {
  EXPECT_FALSE(holds("user!=anna", LogMessage{Level::kInfo, "s", "t"}));
  EXPECT_FALSE(holds("text=t", UnknownRecord{}));
  EXPECT_TRUE(holds("level=warning", LogMessage{Level::kWarning, "s", "t"}));
}

TEST(FieldTest, KnowsThreeFieldsOfAnUpdate) {
  PvUpdate update;
  update.value = 2.5;
  update.alarm = {Severity::kMajor, 3};
  EXPECT_TRUE(holds("value>2", update));
  EXPECT_TRUE(holds("severity=MAJOR", update));
  EXPECT_TRUE(holds("severity>=1", update));
  EXPECT_TRUE(holds("status=HIHI", update));
  EXPECT_FALSE(holds("user=anna", update));
  update.value = 0.1f;
  EXPECT_TRUE(holds("value=0.1", update)) << "in its own precision";
  update.value = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(holds("value=nan", update));
  EXPECT_FALSE(holds("value!=nan", update));
  EXPECT_FALSE(holds("value>0", update));
  update.value = SharedArray(std::vector<std::int16_t>{1, 2, 30});
  EXPECT_TRUE(holds("value>=30", update));
  EXPECT_FALSE(holds("value>30", update));
  update.value = EnumIndex{2};
  EXPECT_TRUE(holds("value=2", update));
  update.value = std::string("ON");
  EXPECT_TRUE(holds("value=ON", update));
  update.event = PvUpdate::Event::kDisconnected;
  EXPECT_FALSE(holds("value!=2", update));
  EXPECT_TRUE(is_of_updates(parse_field_test("value>1").value()));
  EXPECT_FALSE(is_of_updates(parse_field_test("data.value>1").value()));
}

TEST(FieldTest, SaysWhatIsWrong) {
  using testing::HasSubstr;
  EXPECT_THAT(error_of("user"), HasSubstr("no test of a field"));
  EXPECT_THAT(error_of("=anna"), HasSubstr("no test of a field"));
  EXPECT_THAT(error_of("user!anna"), HasSubstr("no test of a field"));
  EXPECT_THAT(error_of("usr=anna"), HasSubstr("no record has a field 'usr'"));
  EXPECT_THAT(error_of("usr=anna"), HasSubstr("user"));
  EXPECT_THAT(error_of("user>anna"), HasSubstr("texts have no order"));
  EXPECT_THAT(error_of("user=" + std::string(kFieldTestBytesMax, 'a')), HasSubstr("longer than"));
}

}  // namespace
}  // namespace tidemark::model
