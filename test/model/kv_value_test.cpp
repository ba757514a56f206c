#include <gtest/gtest.h>

#include <cmath>

#include "model/kv/type.h"
#include "model/kv/value.h"

namespace tidemark::model::kv {
namespace {

using namespace std::chrono_literals;

TEST(KvValue, IsMadeFromWhatCppWrites) {
  EXPECT_EQ(kind_of(Value()), Kind::kAny);
  EXPECT_EQ(kind_of(Value(true)), Kind::kBool);
  EXPECT_EQ(kind_of(Value(-1)), Kind::kInt64);
  EXPECT_EQ(kind_of(Value(std::int16_t{1})), Kind::kInt64);
  EXPECT_EQ(kind_of(Value(1u)), Kind::kUint64);
  EXPECT_EQ(kind_of(Value(1.5F)), Kind::kDouble);
  EXPECT_EQ(kind_of(Value("on")), Kind::kString);
  EXPECT_EQ(kind_of(Value(Blob{"ab"})), Kind::kBytes);
  EXPECT_EQ(kind_of(Value(EnumValue{1, "on"})), Kind::kEnum);
  EXPECT_EQ(kind_of(Value(UtcTime{})), Kind::kTimestamp);
  EXPECT_EQ(kind_of(Value(5s)), Kind::kDuration);
  EXPECT_EQ(kind_of(Value(std::vector<double>{1, 2})), Kind::kArray);
  EXPECT_EQ(kind_of(Value(std::array<bool, 2>{true, false})), Kind::kArray);
  EXPECT_EQ(kind_of(Value(Struct{{"x", 1}, {"y", "two"}})), Kind::kStruct);
}

TEST(KvValue, GivesItsContentOnlyAsWhatItIs) {
  const Value value = 1.5;
  ASSERT_TRUE(value.get_if<double>());
  EXPECT_EQ(*value.get_if<double>(), 1.5);
  EXPECT_EQ(value.get_if<std::int64_t>(), nullptr);
  EXPECT_EQ(value.get_if<Array>(), nullptr);
  EXPECT_FALSE(value.is_none());
  EXPECT_TRUE(Value().is_none());
}

TEST(KvValue, FindsFieldsByName) {
  const Value pose = Struct{{"x", 1.5}, {"n", std::vector<std::int64_t>{1, 2}}};
  ASSERT_TRUE(pose.field("x"));
  EXPECT_EQ(*pose.field("x"), Value(1.5));
  EXPECT_EQ(*pose.field("n"), Value(Array{1, 2}));
  EXPECT_EQ(pose.field("y"), nullptr);
  EXPECT_EQ(Value(1).field("x"), nullptr);
}

TEST(KvValue, SharesAnArrayWithItsCopies) {
  const Value original = std::vector<double>(1000);
  const Value copy = original;
  EXPECT_EQ(copy.get_if<Array>(), original.get_if<Array>());
}

TEST(KvValue, IsEqualByKindAndContent) {
  EXPECT_EQ(Value(Array{1, "a"}), Value(Array{1, "a"}));
  EXPECT_NE(Value(Array{1, "a"}), Value(Array{1}));
  EXPECT_NE(Value(1), Value(1.0));
  EXPECT_NE(Value(1), Value(1u));
  EXPECT_NE(Value(Struct{{"x", 1}}), Value(Struct{{"y", 1}}));
}

TEST(KvValue, IsTheSameWhereNobodyCouldTell) {
  const Value nan = Struct{{"x", Array{std::nan(""), 1}}};
  EXPECT_NE(nan, nan);
  EXPECT_TRUE(same_value(nan, nan));
  EXPECT_FALSE(same_value(nan, Value(Struct{{"x", Array{0.0, 1}}})));
}

TEST(KvValue, HasALimitOfLevelsAndElements) {
  Value deep = 1;
  for (std::size_t level = 1; level < kValueDepthMax; ++level) deep = Array{deep};
  EXPECT_TRUE(check_size(deep).ok());
  EXPECT_FALSE(check_size(Array{deep}).ok());

  EXPECT_TRUE(check_size(Array(kValueElementsMax)).ok());
  EXPECT_FALSE(check_size(Array{Value(Array(kValueElementsMax))}).ok());
}

}  // namespace
}  // namespace tidemark::model::kv
