#include "epics/put_value.h"

#include <gmock/gmock.h>

#include <limits>

namespace tidemark::epics {
namespace {

using model::EnumIndex;
using model::PvArray;
using model::PvValue;
using model::SharedArray;
using testing::HasSubstr;

model::PvMeta type(std::string name, std::uint32_t count = 1) {
  model::PvMeta meta;
  meta.native_type = std::move(name);
  meta.count = count;
  if (meta.native_type == "enum") meta.labels = {"Off", "On", "2"};
  return meta;
}

PvValue made(const PvValue& value, const model::PvMeta& meta) {
  const auto result = to_native(value, meta);
  EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().message);
  return result.ok() ? result.value() : PvValue{};
}
std::string refusal(const PvValue& value, const model::PvMeta& meta) {
  const auto result = to_native(value, meta);
  EXPECT_FALSE(result.ok());
  return result.ok() ? "" : result.error().message;
}
PvValue text(const char* characters) { return std::string(characters); }

TEST(PutValue, TakesNumbersThatTheTypeHolds) {
  EXPECT_EQ(made(std::int32_t{7}, type("double")), PvValue(7.0));
  EXPECT_EQ(made(7.0, type("long")), PvValue(std::int32_t{7}));
  EXPECT_EQ(made(-3.0, type("short")), PvValue(std::int16_t{-3}));
  EXPECT_EQ(made(255.0, type("char")), PvValue(std::uint8_t{255}));
  EXPECT_EQ(made(0.1, type("float")), PvValue(0.1f));
  EXPECT_EQ(made(EnumIndex{2}, type("double")), PvValue(2.0));
  EXPECT_EQ(made(text("1e3"), type("long")), PvValue(std::int32_t{1000}));
}

TEST(PutValue, RefusesNumbersThatItDoesNot) {
  EXPECT_EQ(refusal(7.5, type("long")), "7.5 is no long");
  EXPECT_EQ(refusal(40'000.0, type("short")), "40000 is no short");
  EXPECT_EQ(refusal(-1.0, type("char")), "-1 is no char");
  EXPECT_EQ(refusal(std::numeric_limits<double>::quiet_NaN(), type("long")), "nan is no long");
  EXPECT_EQ(refusal(1e300, type("float")), "1e+300 is too large for a float");
  EXPECT_EQ(refusal(text("7 A"), type("double")), "'7 A' is no number");
  EXPECT_EQ(refusal(PvValue{}, type("double")), "no value");
}

TEST(PutValue, KeepsNanAndInfinityWhereTheyFit) {
  const auto nan = made(std::numeric_limits<double>::quiet_NaN(), type("float"));
  EXPECT_TRUE(model::same_value(nan, std::numeric_limits<float>::quiet_NaN()));
  EXPECT_EQ(made(std::numeric_limits<float>::infinity(), type("double")),
            PvValue(std::numeric_limits<double>::infinity()));
}

TEST(PutValue, FindsAStateByItsLabelFirstThenByItsNumber) {
  EXPECT_EQ(made(text("On"), type("enum")), PvValue(EnumIndex{1}));
  EXPECT_EQ(made(text("2"), type("enum")), PvValue(EnumIndex{2}));
  EXPECT_EQ(made(text("0"), type("enum")), PvValue(EnumIndex{0}));
  EXPECT_EQ(made(1.0, type("enum")), PvValue(EnumIndex{1}));
  EXPECT_EQ(refusal(text("Half"), type("enum")), "'Half' is no label of it");
  EXPECT_EQ(refusal(EnumIndex{3}, type("enum")), "3 is none of its 3 states");
  EXPECT_EQ(refusal(0.5, type("enum")), "0.5 is none of its 3 states");
}

TEST(PutValue, WritesScalarsAsTextButNotLongerThanItFits) {
  EXPECT_EQ(made(1.5, type("string")), text("1.5"));
  EXPECT_EQ(made(std::string(39, 'a'), type("string")), PvValue(std::string(39, 'a')));
  EXPECT_THAT(refusal(std::string(40, 'a'), type("string")), HasSubstr("40 bytes"));
  EXPECT_EQ(made(std::string(99, 'a'), type("string", 100)), PvValue(std::string(99, 'a')));
  EXPECT_THAT(refusal(std::string(100, 'a'), type("string", 100)), HasSubstr("100 bytes"));
}

TEST(PutValue, TurnsArraysElementByElement) {
  const PvValue longs = SharedArray(PvArray(std::vector<std::int32_t>{1, 2}));
  const PvValue doubles = SharedArray(PvArray(std::vector<double>{1, 2}));
  EXPECT_EQ(made(longs, type("double[]", 2)), doubles);
  EXPECT_EQ(made(doubles, type("long[]", 4)), longs);
  EXPECT_EQ(made(1.0, type("double[]", 2)), PvValue(SharedArray(PvArray(std::vector{1.0}))));
  EXPECT_EQ(made(SharedArray(PvArray(std::vector{4.0})), type("long")), PvValue(std::int32_t{4}));
  EXPECT_THAT(refusal(doubles, type("double[]", 1)), HasSubstr("2 elements; it holds 1"));
  EXPECT_THAT(refusal(doubles, type("double")), HasSubstr("it is a scalar"));
  EXPECT_EQ(refusal(SharedArray(PvArray(std::vector{0.5})), type("long[]", 2)), "0.5 is no long");
}

}  // namespace
}  // namespace tidemark::epics
