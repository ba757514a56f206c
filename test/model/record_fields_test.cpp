#include "model/record_fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace tidemark::model {
namespace {

using kv::Array;
using kv::EnumValue;
using kv::Struct;
using kv::Value;

Value field(const Record& record, const char* name) {
  const Value fields(fields_of(record));
  const auto* found = fields.field(name);
  return found == nullptr ? Value("no such field") : *found;
}

TEST(RecordFields, AreThoseOfTheRecordByName) {
  const auto job = Uuid::derive("job");
  const PutIntended put{ChannelId{7}, "QUAD:1", PvValue(1.5f), job};
  EXPECT_EQ(fields_of(put), (Struct{{"channel", std::uint32_t{7}},
                                    {"address", "QUAD:1"},
                                    {"value", 1.5},
                                    {"job", job.text()}}));
}

TEST(RecordFields, SayLevelsByNameAndTimesThatThereAre) {
  const LogMessage said{Level::kWarning,        "psu.1", "x",
                        Struct{{"shot", 4711}}, "beam",  UtcTime{Duration{5}}};
  EXPECT_EQ(field(said, "level"), Value("warning"));
  EXPECT_EQ(field(said, "data"), Value(Struct{{"shot", 4711}}));
  EXPECT_EQ(field(said, "at"), Value(UtcTime{Duration{5}}));
  EXPECT_EQ(field(MarkBegin{}, "at"), Value());
  EXPECT_EQ(field(MarkBegin{}, "mark"), Value());
}

TEST(RecordFields, HaveListsAndValuesOfPvsAsKeysWould) {
  EXPECT_EQ(field(NodeRestarted{"monitor", 1, 1, "x", 11, {"a", "b"}}, "last_words"),
            Value(Array{"a", "b"}));
  EXPECT_EQ(to_kv(PvValue(std::int16_t{-3})), Value(-3));
  EXPECT_EQ(to_kv(PvValue(EnumIndex{2})), Value(EnumValue{2, ""}));
  EXPECT_EQ(to_kv(SharedArray(std::vector<std::uint8_t>{1, 255})), Value(Array{1, 255}));
  EXPECT_EQ(to_kv(PvValue()), Value());
}

TEST(RecordFields, AreFoundOneByOne) {
  const MarkBegin mark{Uuid{}, "shot", {"beam"}, "anna", Struct{{"shot", 4711}}, UtcTime{}};
  for (const auto& each : fields_of(mark)) EXPECT_EQ(field_of(mark, each.name), each.value);
  EXPECT_FALSE(field_of(mark, "user"));
  EXPECT_FALSE(field_of(UnknownRecord{99, "packed"}, "packed"));
}

TEST(RecordFields, HaveNamesThatAreKnown) {
  EXPECT_THAT(field_names(), testing::IsSupersetOf({"user", "data", "last_words", "reason"}));
  EXPECT_TRUE(std::is_sorted(field_names().begin(), field_names().end()));
  EXPECT_THAT(field_names(), testing::Not(testing::Contains("packed")));
}

TEST(RecordFields, OfALaterVersionAreItsBytes) {
  const UnknownRecord later{99, "packed"};
  EXPECT_EQ(field(later, "packed"), Value(Blob{"packed"}));
}

}  // namespace
}  // namespace tidemark::model
