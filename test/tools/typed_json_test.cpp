#include "tools/typed_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace tidemark::tools {
namespace {

using model::Blob;
using model::kv::Array;
using model::kv::EnumValue;
using model::kv::Struct;
using model::kv::Value;
using testing::HasSubstr;

Value there_and_back(const Value& value) {
  const auto text = to_typed_json(Value(Struct{{"it", value}})).dump();
  const auto json = parse_json_line(text);
  EXPECT_TRUE(json.ok()) << text;
  const auto back = from_typed_json(json.value());
  EXPECT_TRUE(back.ok()) << text;
  return *back.value().field("it");
}

TEST(TypedJson, GivesBackWhatWasWritten) {
  const std::vector<Value> values = {Value(),
                                     true,
                                     0,
                                     -5,
                                     std::numeric_limits<std::int64_t>::min(),
                                     std::numeric_limits<std::int64_t>::max(),
                                     std::numeric_limits<std::uint64_t>::max(),
                                     1.0,
                                     -0.0,
                                     0.1,
                                     1e300,
                                     std::numeric_limits<double>::denorm_min(),
                                     std::numeric_limits<double>::infinity(),
                                     -std::numeric_limits<double>::infinity(),
                                     std::nan(""),
                                     "",
                                     "a \"b\"\n\xc3\xa4",
                                     Blob{Bytes("\x00\xff\x10", 3)},
                                     EnumValue{3, "on"},
                                     UtcTime{Duration{1'764'000'000'123'456'789}},
                                     Duration{-1500},
                                     Array{1, 2.0, "x", Array{}},
                                     Struct{},
                                     Struct{{"a", 1}, {"b", Struct{{"c", Array{std::nan("")}}}}},
                                     Struct{{"$time", "now"}},
                                     Struct{{"$x", 1}, {"y", 2}}};
  for (const auto& value : values) {
    EXPECT_TRUE(same_value(there_and_back(value), value)) << to_typed_json(value).dump();
  }
  EXPECT_TRUE(std::signbit(*there_and_back(-0.0).get_if<double>()));
}

TEST(TypedJson, SaysWhereSomethingIsWrong) {
  const auto error = [](const char* text) {
    const auto value = from_typed_json(parse_json_line(text).value());
    return value ? std::string("none") : value.error().message;
  };
  EXPECT_THAT(error(R"({"a": {"b": [1, {"$time": "noon"}]}})"), HasSubstr("a.b[1]: not a $time"));
  EXPECT_THAT(error(R"({"a": {"$bytes": "0"}})"), HasSubstr("a: not a $bytes"));
  EXPECT_THAT(error(R"({"a": {"$enum": [70000, "x"]}})"), HasSubstr("not a $enum"));
  EXPECT_THAT(error(R"({"a": {"$new": 1}})"), HasSubstr("not a $new"));
  EXPECT_THAT(error(R"({"": 1})"), HasSubstr("without a name"));
}

TEST(TypedJson, TakesOthersDollarsAsTheyAre) {
  const auto json = parse_json_line(R"({"a": {"$time": "noon"}})");
  const auto value = from_plain_json(json.value());
  ASSERT_TRUE(value.ok());
  EXPECT_EQ(*value.value().field("a")->field("$time"), Value("noon"));
}

TEST(TypedJson, LooksAtDepthBeforeItBuildsAnything) {
  const std::string deep = "{\"a\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  EXPECT_THAT(parse_json_line(deep).error().message, HasSubstr("levels"));
  const std::string quoted = R"({"a":"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"["})";
  EXPECT_TRUE(parse_json_line(quoted).ok());
  const std::string values = "{\"a\":" + std::string(20, '[') + std::string(20, ']') + "}";
  EXPECT_THAT(from_typed_json(parse_json_line(values).value()).error().message,
              HasSubstr("too many levels"));
}

TEST(TypedJson, TakesOneObjectALine) {
  for (const auto* text : {"", "[]", "1", "{", "{} {}", "{'a': 1}", "{\"a\": nan}"}) {
    EXPECT_FALSE(parse_json_line(text).ok()) << text;
  }
}

}  // namespace
}  // namespace tidemark::tools
