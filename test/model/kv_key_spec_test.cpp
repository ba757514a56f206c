#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>

#include "kv_arbitrary.h"
#include "model/kv/key_spec.h"

namespace tidemark::model::kv {
namespace {

using testing::HasSubstr;

constexpr auto kInt64Max = std::numeric_limits<std::int64_t>::max();
constexpr auto kUint64Max = std::numeric_limits<std::uint64_t>::max();

KeySpec key(std::string name, std::string_view type) {
  KeySpec spec;
  spec.name = std::move(name);
  spec.type = parse_type(type).value();
  return spec;
}

KeySpec setpoint(std::string_view type = "double") {
  auto spec = key("setpoint", type);
  spec.unit = "A";
  spec.low = 0;
  spec.high = 100;
  return spec;
}

Value taken(const KeySpec& spec, const Value& value) {
  const auto conforming = conform(spec, value);
  EXPECT_TRUE(conforming.ok()) << (conforming.ok() ? "" : conforming.error().message);
  return conforming.ok() ? conforming.value() : Value();
}

std::string refused(const KeySpec& spec, const Value& value) {
  const auto conforming = conform(spec, value);
  EXPECT_FALSE(conforming.ok());
  if (conforming.ok()) return "";
  EXPECT_EQ(conforming.error().code, Code::kInvalidArgument);
  return conforming.error().message;
}

std::string incoherent(const KeySpec& spec) {
  const auto checked = check_spec(spec);
  EXPECT_FALSE(checked.ok());
  return checked.ok() ? "" : checked.error().message;
}

TEST(KvKeyName, IsSegmentsOfPlainCharacters) {
  EXPECT_TRUE(check_key_name("rf.1/voltage").ok());
  EXPECT_TRUE(check_key_name("MAG:Q1-set_point").ok());
  EXPECT_TRUE(check_key_name(std::string(255, 'x')).ok());
  for (const auto* name : {"", "/a", "a/", "a//b", "a b", "rf.*", "a?", "ä"}) {
    EXPECT_FALSE(check_key_name(name).ok()) << name;
  }
  EXPECT_FALSE(check_key_name(std::string(256, 'x')).ok());
  EXPECT_THAT(check_key_name("rf.*/v").error().message, HasSubstr("at offset 3"));
}

RC_GTEST_PROP(KvConform, TakesAnyValueOfItsTypeAsItIs, ()) {
  KeySpec spec;
  spec.name = "key";
  spec.type = arbitrary::any_type();
  const auto value = arbitrary::any_value_of(spec.type);
  const auto conforming = conform(spec, value);
  RC_ASSERT(conforming.ok());
  RC_ASSERT(same_value(conforming.value(), value));
}

RC_GTEST_PROP(KvConform, GivesBackTheTypeThatTheBusLost, ()) {
  KeySpec spec;
  spec.name = "key";
  spec.type = arbitrary::any_type();
  const auto value = arbitrary::any_value_of(spec.type);
  const auto received = unpack<Value>(pack(value));
  RC_ASSERT(received.ok());
  const auto conforming = conform(spec, received.value());
  RC_ASSERT(conforming.ok());
  RC_ASSERT(same_value(conforming.value(), value));
}

TEST(KvConform, TakesIntegersWhereTheyLoseNothing) {
  EXPECT_EQ(taken(key("n", "int64"), 7u), Value(7));
  EXPECT_EQ(taken(key("n", "uint64"), 7), Value(7u));
  EXPECT_EQ(taken(key("n", "double"), 7), Value(7.0));
  EXPECT_EQ(taken(key("n", "double"), std::int64_t{1} << 53), Value(0x1p53));
  EXPECT_EQ(taken(key("n", "double"), std::numeric_limits<std::int64_t>::min()), Value(-0x1p63));
}

TEST(KvConform, RefusesIntegersThatWouldLoseSomething) {
  EXPECT_EQ(refused(key("n", "uint64"), -1), "n: expected uint64, not int64 -1");
  refused(key("n", "int64"), kUint64Max);
  refused(key("n", "double"), (std::int64_t{1} << 53) + 1);
  refused(key("n", "double"), kInt64Max);
  refused(key("n", "double"), kUint64Max);
}

TEST(KvConform, TakesNoKindForAnother) {
  EXPECT_EQ(refused(key("n", "int64"), 3.0), "n: expected int64, not double 3");
  EXPECT_EQ(refused(key("n", "double"), "3"), "n: expected double, not string 3");
  EXPECT_EQ(refused(key("n", "double"), Value()), "n: expected double, not none");
  refused(key("n", "int64"), true);
  refused(key("n", "bool"), 1);
  refused(key("n", "string"), Blob{"x"});
  refused(key("n", "timestamp"), Duration{1});
}

TEST(KvConform, TakesAnythingForAny) {
  EXPECT_EQ(taken(key("n", "any"), Value()), Value());
  EXPECT_EQ(taken(key("n", "any[]"), Array{1, "x"}), Value(Array{1, "x"}));
}

TEST(KvConform, TakesAnEnumByIndexOrLabel) {
  const auto spec = key("state", "enum(off|on)");
  const Value on = EnumValue{1, "on"};
  EXPECT_EQ(taken(spec, on), on);
  EXPECT_EQ(taken(spec, EnumValue{1, ""}), on);
  EXPECT_EQ(taken(spec, 1), on);
  EXPECT_EQ(taken(spec, 1u), on);
  EXPECT_EQ(taken(spec, "on"), on);
  EXPECT_EQ(refused(spec, "moving"), "state: expected enum(off|on), not string moving");
  refused(spec, 2);
  refused(spec, -1);
  refused(spec, 65537);
  refused(spec, 1.0);
  refused(spec, EnumValue{1, "off"});  // One of the two is wrong, and nobody knows which.
}

TEST(KvConform, NamesTheLimitWithItsUnit) {
  EXPECT_EQ(taken(setpoint(), 100), Value(100.0));
  EXPECT_EQ(refused(setpoint(), 140), "setpoint: 140 A is above the limit of 100 A");
  EXPECT_EQ(refused(setpoint(), -0.5), "setpoint: -0.5 A is below the limit of 0 A");
  EXPECT_EQ(refused(setpoint("int64"), 101), "setpoint: 101 A is above the limit of 100 A");
  EXPECT_EQ(refused(setpoint("uint64"), kUint64Max),
            "setpoint: 18446744073709551615 A is above the limit of 100 A");
}

TEST(KvConform, LetsNanThroughOnlyWhereNothingLimitsIt) {
  EXPECT_TRUE(std::isnan(*taken(key("x", "double"), std::nan("")).get_if<double>()));
  EXPECT_EQ(refused(setpoint(), std::nan("")), "setpoint: nan is not within any limit");
  auto low_only = setpoint();
  low_only.high.reset();
  refused(low_only, std::nan(""));
}

TEST(KvConform, CountsStepsFromTheLowLimitWithTolerance) {
  auto spec = setpoint();
  spec.step = 0.1;
  taken(spec, 0.3);
  taken(spec, 99.9);
  EXPECT_EQ(refused(spec, 0.25), "setpoint: 0.25 A is not a whole number of steps of 0.1 A");
  spec.low = 0.05;
  taken(spec, 0.25);
  EXPECT_THAT(refused(spec, 0.3), HasSubstr("steps of 0.1 A from 0.05 A"));
  spec.low.reset();
  spec.high.reset();
  taken(spec, 1e12 + 0.1);
  refused(spec, std::numeric_limits<double>::infinity());
}

TEST(KvConform, NamesTheElementAndTheField) {
  EXPECT_EQ(refused(setpoint("double[]"), std::vector<double>{1, 2, 3, 140}),
            "setpoint[3]: 140 A is above the limit of 100 A");
  const auto pose = key("pose", "{x: double, at: {n: int64[]}[]}");
  EXPECT_EQ(refused(pose, Struct{{"x", "a"}, {"at", Array{}}}),
            "pose.x: expected double, not string a");
  EXPECT_EQ(refused(pose, Struct{{"x", 1}, {"at", Array{Value(Struct{{"n", Array{1, 1.5}}})}}}),
            "pose.at[0].n[1]: expected int64, not double 1.5");
}

TEST(KvConform, KeepsTheLengthOfAFixedArray) {
  EXPECT_EQ(taken(key("v", "int64[2]"), Array{1, 2}), Value(Array{1, 2}));
  EXPECT_EQ(refused(key("v", "int64[2]"), Array{1}), "v: expected 2 elements, not 1");
}

TEST(KvConform, PutsFieldsInTheOrderOfTheType) {
  const auto pose = key("pose", "{x: double, y: double}");
  EXPECT_EQ(taken(pose, Struct{{"y", 2}, {"x", 1}}), Value(Struct{{"x", 1.0}, {"y", 2.0}}));
  EXPECT_EQ(refused(pose, Struct{{"y", 2}}), "pose: the field x is missing");
  EXPECT_EQ(refused(pose, Struct{{"x", 1}, {"y", 2}, {"z", 3}}), "pose: the field z is unknown");
  EXPECT_EQ(refused(pose, Struct{{"x", 1}, {"y", 2}, {"x", 3}}), "pose: a field is there twice");
}

TEST(KvConform, RefusesWhatNobodyWouldDecode) {
  Value deep = 1;
  for (std::size_t level = 0; level < kValueDepthMax; ++level) deep = Array{deep};
  EXPECT_THAT(refused(key("x", "any"), deep), HasSubstr("16 levels"));
}

TEST(KvKeySpec, AcceptsWhatIsCoherent) {
  auto spec = setpoint("double[2][]");
  spec.step = 0.5;
  spec.default_value = Array{Value(Array{1, 2.5})};
  EXPECT_TRUE(check_spec(spec).ok()) << check_spec(spec).error().message;
}

TEST(KvKeySpec, NamesWhatContradictsItself) {
  auto spec = setpoint();
  spec.low = 200;
  EXPECT_EQ(incoherent(spec), "setpoint: the low limit 200 is above the high limit 100");
  spec.low = std::nan("");
  EXPECT_EQ(incoherent(spec), "setpoint: a limit is nan");
  spec = setpoint();
  spec.step = 0;
  EXPECT_EQ(incoherent(spec), "setpoint: the step 0 is not a positive number");
  spec.step = 1;
  spec.low = -std::numeric_limits<double>::infinity();
  EXPECT_EQ(incoherent(spec), "setpoint: no step counts from an infinite limit");
  spec = setpoint();
  spec.default_value = 140;
  EXPECT_EQ(incoherent(spec), "default of setpoint: 140 A is above the limit of 100 A");
  EXPECT_EQ(incoherent(setpoint("string")), "setpoint: limits are for numbers, not for string");
  spec = setpoint();
  spec.readable = false;
  EXPECT_EQ(incoherent(spec), "setpoint: neither readable, writable nor published");
  spec = setpoint();
  spec.name = "set point";
  EXPECT_THAT(incoherent(spec), HasSubstr("'set point'"));
  spec = setpoint();
  spec.type = enum_of({"on", "on"});
  EXPECT_EQ(incoherent(spec), "setpoint: two of one name: an enum label");
}

TEST(KvKeySpec, ReadsBackFromItsBytes) {
  auto spec = setpoint("enum(off|on)[3]");
  spec.writable = true;
  spec.description = "of the dipole";
  spec.step = 0.1;
  spec.default_value = Array{EnumValue{1, "on"}};
  const auto read = unpack<KeySpec>(pack(spec));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read.value(), spec);
}

}  // namespace
}  // namespace tidemark::model::kv
