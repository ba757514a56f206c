#include "model/parse_value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace tidemark::model {
namespace {

using testing::HasSubstr;

const std::vector<std::string> kLabels = {"Off", "On", "3"};

PvValue parsed(std::string_view text, std::string_view type,
               const std::vector<std::string>& labels = {}) {
  const auto value = parse_value(text, type, labels);
  EXPECT_TRUE(value.ok()) << (value.ok() ? "" : value.error().message);
  return value.ok() ? value.value() : PvValue{};
}

std::string refused(std::string_view text, std::string_view type,
                    const std::vector<std::string>& labels = {}) {
  const auto value = parse_value(text, type, labels);
  EXPECT_FALSE(value.ok()) << to_text(value.value());
  if (value.ok()) return "";
  EXPECT_EQ(value.error().code, Code::kInvalidArgument);
  return value.error().message;
}

TEST(ParseValue, GivesANumberTheTypeOfThePv) {
  EXPECT_EQ(parsed("1.5", "double"), PvValue{1.5});
  EXPECT_EQ(parsed("-2e3", "float"), PvValue{-2000.0F});
  EXPECT_EQ(parsed("-70000", "long"), PvValue{std::int32_t{-70000}});
  EXPECT_EQ(parsed("+7", "short"), PvValue{std::int16_t{7}});
  EXPECT_EQ(parsed(" 255 ", "char"), PvValue{std::uint8_t{255}});
}

TEST(ParseValue, TakesNumbersThatAreNotFinite) {
  EXPECT_TRUE(std::isnan(std::get<double>(parsed("nan", "double"))));
  EXPECT_EQ(parsed("-inf", "double"), PvValue{-std::numeric_limits<double>::infinity()});
}

TEST(ParseValue, RefusesWhatIsOutOfTheRangeOfTheType) {
  EXPECT_THAT(refused("32768", "short"), HasSubstr("-32768 to 32767"));
  EXPECT_THAT(refused("-1", "char"), HasSubstr("0 to 255"));
  EXPECT_THAT(refused("1e999", "double"), HasSubstr("a number"));
}

TEST(ParseValue, RefusesWhatIsNotANumberToItsEnd) {
  refused("", "double");
  refused("12 mA", "double");
  refused("1.5", "long");
  refused("+-1", "long");
}

TEST(ParseValue, TakesAnEnumByLabelFirstThenByIndex) {
  EXPECT_EQ(parsed("On", "enum", kLabels), PvValue{EnumIndex{1}});
  EXPECT_EQ(parsed("0", "enum", kLabels), PvValue{EnumIndex{0}});
  EXPECT_EQ(parsed("3", "enum", kLabels), PvValue{EnumIndex{2}});  // a label that is a number
}

TEST(ParseValue, NamesTheLabelsOfAnEnumThatItRefuses) {
  EXPECT_THAT(refused("Maybe", "enum", kLabels), HasSubstr("one of: Off, On, 3"));
  refused("4", "enum", kLabels);
}

TEST(ParseValue, TakesAnyIndexOfAnEnumWithoutLabels) {
  EXPECT_EQ(parsed("12", "enum"), PvValue{EnumIndex{12}});
}

TEST(ParseValue, TakesAStringAsItIs) {
  EXPECT_EQ(parsed(" a b ", "string"), PvValue{std::string(" a b ")});
  EXPECT_EQ(parsed("", "string"), PvValue{std::string()});
}

TEST(ParseValue, TakesArraysInBrackets) {
  EXPECT_EQ(parsed("[1, 2.5,3]", "double[]"), PvValue{SharedArray(std::vector<double>{1, 2.5, 3})});
  EXPECT_EQ(parsed("[]", "long[]"), PvValue{SharedArray(std::vector<std::int32_t>{})});
  EXPECT_EQ(parsed("[a, b c]", "string[]"),
            PvValue{SharedArray(std::vector<std::string>{"a", "b c"})});
}

TEST(ParseValue, RefusesBrokenArrays) {
  refused("1, 2", "double[]");
  refused("[1, 2", "double[]");
  refused("[1,,2]", "double[]");
  refused("[1,]", "double[]");
  refused("[256]", "char[]");
}

TEST(ParseValue, NamesATypeThatNothingCanBeWrittenTo) {
  EXPECT_THAT(refused("1", "none"), HasSubstr("'none'"));
}

}  // namespace
}  // namespace tidemark::model
