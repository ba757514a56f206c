#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>

#include "kv_arbitrary.h"
#include "model/kv/text.h"

namespace tidemark::model::kv {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using testing::HasSubstr;

Value parsed(std::string_view text, std::string_view type) {
  const auto value = parse_text(text, parse_type(type).value());
  EXPECT_TRUE(value.ok()) << (value.ok() ? "" : value.error().message);
  return value.ok() ? value.value() : Value();
}

std::string refused(std::string_view text, std::string_view type) {
  const auto value = parse_text(text, parse_type(type).value());
  EXPECT_FALSE(value.ok()) << (value.ok() ? to_text(value.value()) : "");
  if (value.ok()) return "";
  EXPECT_EQ(value.error().code, Code::kInvalidArgument);
  return value.error().message;
}

RC_GTEST_PROP(KvText, ReadsBackAnyValueOfAKnownType, ()) {
  const auto type = arbitrary::any_type();
  const auto value = arbitrary::any_value_of(type);
  const auto read = parse_text(to_text(value), type);
  RC_ASSERT(read.ok());
  RC_ASSERT(same_value(read.value(), value));
}

RC_GTEST_PROP(KvText, NeverThrowsOnAnyText, ()) {
  const auto text =
      *rc::gen::container<std::string>(rc::gen::elementOf("[]{}\"\\,: x10.-e\0\xff"s));
  (void)parse_text(text, arbitrary::any_type());
  (void)parse_text(text, Type{});
}

TEST(KvText, IsForPeople) {
  EXPECT_EQ(to_text(Value()), "none");
  EXPECT_EQ(to_text(true), "true");
  EXPECT_EQ(to_text(0.1), "0.1");
  EXPECT_EQ(to_text(-std::numeric_limits<double>::infinity()), "-inf");
  EXPECT_EQ(to_text("a b"), "a b");
  EXPECT_EQ(to_text(Blob{std::string("\0\xff", 2)}), "0x00ff");
  EXPECT_EQ(to_text(EnumValue{1, "on"}), "on");
  EXPECT_EQ(to_text(EnumValue{1, ""}), "1");
  EXPECT_EQ(to_text(UtcTime{1ns}), "1970-01-01T00:00:00.000000001Z");
  EXPECT_EQ(to_text(1500ms), "1500ms");
  EXPECT_EQ(to_text(2min), "120s");
  EXPECT_EQ(to_text(Duration{-7}), "-7ns");
  EXPECT_EQ(to_text(Array{1, 2, 3}), "[1, 2, 3]");
  EXPECT_EQ(to_text(Struct{{"x", 1}, {"the name", "a b"}}), "{x: 1, \"the name\": \"a b\"}");
}

TEST(KvText, ShowsTheFirstElementsOfALongArray) {
  const Value trace = std::vector<int>{1, 2, 3, 4};
  EXPECT_EQ(to_text(trace, 4), "[1, 2, 3, 4]");
  EXPECT_EQ(to_text(trace, 2), "[1, 2, … 4]");
  EXPECT_EQ(to_text(trace, 0), "[… 4]");
}

TEST(KvText, TakesWhatPeopleType) {
  EXPECT_EQ(parsed(" +7 ", "int64"), Value(7));
  EXPECT_EQ(parsed("1e3", "double"), Value(1000.0));
  EXPECT_EQ(parsed(" \"a\" ", "string"), Value(" \"a\" "));
  EXPECT_EQ(parsed("in position", "enum(off|\"in position\")"), Value(EnumValue{1, "in position"}));
  EXPECT_EQ(parsed("0", "enum(off|on)"), Value(EnumValue{0, "off"}));
  EXPECT_EQ(parsed("1", "enum(off|on|1)"), Value(EnumValue{2, "1"}));  // a label that is a number
  EXPECT_EQ(parsed("2026-11-21", "timestamp"), Value(*parse_iso("2026-11-21")));
  EXPECT_EQ(parsed("1.5s", "duration"), Value(1500ms));
  EXPECT_EQ(parsed("2h", "duration"), Value(2h));
  EXPECT_EQ(parsed("[ a b,\"c, d\" ]", "string[]"), Value(Array{"a b", "c, d"}));
  EXPECT_EQ(parsed("{y:2,x:[]}", "{x: int64[], y: double}"),
            Value(Struct{{"y", 2.0}, {"x", Array{}}}));
}

TEST(KvText, GuessesWhereAnythingGoes) {
  EXPECT_EQ(parsed("none", "any"), Value());
  EXPECT_EQ(parsed("true", "any"), Value(true));
  EXPECT_EQ(parsed("7", "any"), Value(7));
  EXPECT_EQ(parsed("18446744073709551615", "any"), Value(18446744073709551615u));
  EXPECT_EQ(parsed("1.5", "any"), Value(1.5));
  EXPECT_EQ(parsed("\"7\"", "any"), Value("7"));
  EXPECT_EQ(parsed("hello, world", "any"), Value("hello, world"));
  EXPECT_EQ(parsed("[1, {x: on}]", "any"), Value(Array{1, Value(Struct{{"x", "on"}})}));
}

TEST(KvText, NamesThePositionAndWhatWasExpected) {
  EXPECT_EQ(refused("1.5", "int64"),
            "position 0: expected a whole number from -9223372036854775808 to "
            "9223372036854775807, not '1.5'");
  EXPECT_EQ(refused("[1, x]", "double[]"), "position 4: expected a number, not 'x]'");
  EXPECT_EQ(refused("moving", "enum(off|on)"),
            "position 0: expected one of: off, on, not 'moving'");
  EXPECT_EQ(refused("{z: 1}", "{x: int64}"), "position 1: expected one of: x, not 'z: 1}'");
  EXPECT_THAT(refused("[1,]", "int64[]"), HasSubstr("position 3: expected an element"));
  EXPECT_THAT(refused("[1", "int64[]"), HasSubstr("position 2: expected , or ]"));
  EXPECT_THAT(refused("[1] 2", "int64[]"), HasSubstr("position 4: expected the end"));
  EXPECT_THAT(refused("yes", "bool"), HasSubstr("true or false"));
  EXPECT_THAT(refused("0x0", "bytes"), HasSubstr("0x00ff"));
  EXPECT_THAT(refused("0x-1", "bytes"), HasSubstr("0x00ff"));
  EXPECT_THAT(refused("soon", "timestamp"), HasSubstr("a time such as"));
  EXPECT_THAT(refused("99999999999999999d", "duration"), HasSubstr("a duration such as"));
  EXPECT_THAT(refused("[\"\\q\"]", "string[]"), HasSubstr("\\xNN"));
  refused("", "int64");
}

TEST(KvText, HasALimitOfLevels) {
  EXPECT_THAT(refused(std::string(100'000, '['), "any"), HasSubstr("16 levels"));
}

}  // namespace
}  // namespace tidemark::model::kv
