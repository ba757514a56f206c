#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "gateway/json_input.h"
#include "gateway/json_writer.h"
#include "gateway/query.h"
#include "gateway/utf8.h"

namespace tidemark::gateway {
namespace {

TEST(Target, IsCutBeforeItIsDecoded) {
  const auto target = parse_target("/a%2Fb/c?x=1&y=%26&x=2+3&z");
  ASSERT_TRUE(target.ok());
  EXPECT_EQ(target.value().segments, (std::vector<std::string>{"a/b", "c"}));
  EXPECT_EQ(*target.value().find("x"), "2 3");
  EXPECT_EQ(*target.value().find("y"), "&");
  EXPECT_EQ(*target.value().find("z"), "");
  EXPECT_EQ(target.value().find("w"), nullptr);
  EXPECT_EQ(target.value().all("x"), (std::vector<std::string>{"1", "2 3"}));
}

TEST(Target, KeepsAPlusInThePath) {
  EXPECT_EQ(parse_target("/a+b").value().segments, std::vector<std::string>{"a+b"});
}

TEST(Target, RefusesWhatItCannotDecode) {
  for (const auto* bad : {"", "*", "a", "http://x/", "/%", "/%4", "/%4g", "/?%", "/?a=%80"}) {
    EXPECT_FALSE(parse_target(bad).ok()) << bad;
  }
}

TEST(Utf8, KnowsWellFormedSequences) {
  for (const auto* good : {"", "a", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}) {
    EXPECT_TRUE(is_utf8(good)) << good;
  }
  for (const auto* bad : {"\x80", "\xc0\xaf", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80", "\xe2\x82",
                          "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
    EXPECT_FALSE(is_utf8(bad));
  }
}

TEST(JsonWriterTest, WritesAnyBytesAsValidJson) {
  std::mt19937 random(20261121);
  for (int i = 0; i < 1000; ++i) {
    std::string bytes(random() % 40, ' ');
    for (auto& byte : bytes) byte = static_cast<char>(random());
    JsonWriter json;
    json.text(bytes);
    const auto text = json.take();
    const auto parsed = nlohmann::json::parse(text);
    if (!is_utf8(bytes)) continue;
    EXPECT_EQ(parsed.get<std::string>(), bytes);
  }
}

TEST(JsonWriterTest, NumbersComeBackTheSame) {
  std::mt19937_64 random(20261121);
  for (int i = 0; i < 10'000; ++i) {
    double number = 0;
    const auto bits = random();
    std::memcpy(&number, &bits, sizeof number);
    if (!std::isfinite(number)) continue;
    JsonWriter json;
    json.number(number);
    const auto parsed = nlohmann::json::parse(json.take());
    EXPECT_TRUE(parsed.is_number_float());
    EXPECT_EQ(parsed.get<double>(), number);
  }
}

TEST(JsonWriterTest, WritesTimesLikeToIso) {
  for (const auto* text : {"1970-01-01T00:00:00.000000Z", "2000-02-29T23:59:59.999999Z",
                           "1969-12-31T23:59:59.500000Z", "2026-11-21T14:05:00.123456Z"}) {
    JsonWriter json;
    json.iso(*parse_iso(text));
    EXPECT_EQ(json.take(), '"' + std::string(text) + '"');
  }
}

TEST(JsonInput, CountsDepthOutsideOfStringsOnly) {
  const std::string deep(32, '[');
  EXPECT_TRUE(std::holds_alternative<LiveBody>(
      parse_live_body(R"({"pv_names":["[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\""]})")));
  const auto too_deep = parse_live_body(R"({"x":)" + deep + std::string(32, ']') + "}");
  EXPECT_EQ(std::get<Problems>(too_deep)[0].type, "json_invalid");
}

TEST(JsonInput, AGroupWithoutTagsFiltersNothing) {
  const auto group = Uuid::derive("group").text();
  EXPECT_TRUE(parse_tag_filters(R"({")" + group + R"(":[]})")->empty());
  EXPECT_TRUE(parse_tag_filters("{}")->empty());
  EXPECT_FALSE(parse_tag_filters("null").has_value());
}

}  // namespace
}  // namespace tidemark::gateway
