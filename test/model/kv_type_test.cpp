#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "kv_arbitrary.h"
#include "model/kv/type.h"

namespace tidemark::model::kv {
namespace {

using testing::HasSubstr;

std::string refused(std::string_view text) {
  const auto type = parse_type(text);
  EXPECT_FALSE(type.ok()) << text;
  return type.ok() ? "" : type.error().message;
}

RC_GTEST_PROP(KvType, ReadsBackTheTextOfAnyType, ()) {
  const auto type = arbitrary::any_type();
  const auto read = parse_type(to_text(type));
  RC_ASSERT(read.ok());
  RC_ASSERT(read.value() == type);
}

RC_GTEST_PROP(KvType, ReadsBackTheBytesOfAnyType, ()) {
  const auto type = arbitrary::any_type();
  const auto read = unpack<Type>(pack(type));
  RC_ASSERT(read.ok());
  RC_ASSERT(read.value() == type);
}

TEST(KvType, IsWrittenAsPeopleWriteIt) {
  EXPECT_EQ(to_text(Type{}), "any");
  EXPECT_EQ(to_text(enum_of({"off", "in position"})), "enum(off|\"in position\")");
  EXPECT_EQ(to_text(array_of(array_of(scalar(Kind::kInt64), 3))), "int64[3][]");
  EXPECT_EQ(to_text(struct_of({{"x", type_of<double>()}, {"n", type_of<std::vector<int>>()}})),
            "{x: double, n: int64[]}");
}

TEST(KvType, FollowsFromACppType) {
  EXPECT_EQ(to_text(type_of<bool>()), "bool");
  EXPECT_EQ(to_text(type_of<std::int16_t>()), "int64");
  EXPECT_EQ(to_text(type_of<std::uint8_t>()), "uint64");
  EXPECT_EQ(to_text(type_of<float>()), "double");
  EXPECT_EQ(to_text(type_of<std::string>()), "string");
  EXPECT_EQ(to_text(type_of<Blob>()), "bytes");
  EXPECT_EQ(to_text(type_of<UtcTime>()), "timestamp");
  EXPECT_EQ(to_text(type_of<Duration>()), "duration");
  EXPECT_EQ(to_text(type_of<std::vector<std::array<double, 3>>>()), "double[3][]");
  EXPECT_EQ(to_text(type_of<Value>()), "any");
}

TEST(KvType, NamesThePositionOfAMistake) {
  EXPECT_THAT(refused("float"), HasSubstr("position 0: expected any, bool"));
  EXPECT_THAT(refused("double[3"), HasSubstr("position 8: expected ], not the end"));
  EXPECT_THAT(refused("double[x]"), HasSubstr("position 7: expected a length"));
  EXPECT_THAT(refused("double[4294967296]"), HasSubstr("position 7: expected a length"));
  EXPECT_THAT(refused("{x double}"), HasSubstr("position 3: expected a colon"));
  EXPECT_THAT(refused("{x: double"), HasSubstr("position 10: expected , or }"));
  EXPECT_THAT(refused("enum(off|)"), HasSubstr("position 9: expected a name, not ')'"));
  EXPECT_THAT(refused("enum(\"off)"), HasSubstr("position 5: expected quotes that end"));
  EXPECT_THAT(refused("int64 int64"), HasSubstr("position 6: expected the end"));
}

TEST(KvType, RefusesPartsThatContradictEachOther) {
  EXPECT_THAT(refused("enum(on|on)"), HasSubstr("two of one name: an enum label"));
  EXPECT_THAT(refused("{x: bool, x: bool}"), HasSubstr("two of one name: a struct field"));
  EXPECT_THAT(refused("enum(\"\"|on)"), HasSubstr("an enum label without a name"));
  EXPECT_FALSE(check_type(enum_of({})).ok());
  EXPECT_FALSE(check_type(scalar(Kind::kArray)).ok());
  EXPECT_FALSE(check_type(scalar(static_cast<Kind>(12))).ok());

  auto labelled = scalar(Kind::kDouble);
  labelled.labels = {"on"};
  EXPECT_FALSE(check_type(labelled).ok());
}

TEST(KvType, HasALimitOfLevels) {
  std::string text = "int64";
  for (std::size_t level = 1; level < kTypeDepthMax; ++level) text += "[]";
  const auto type = parse_type(text);
  ASSERT_TRUE(type.ok());
  EXPECT_TRUE(unpack<Type>(pack(type.value())).ok());
  EXPECT_THAT(refused(text + "[]"), HasSubstr("8 levels"));
  EXPECT_THAT(refused("{x: " + text + "}"), HasSubstr("8 levels"));
  EXPECT_EQ(unpack<Type>(pack(array_of(type.value()))).error().code, Code::kCorruption);
  refused(std::string(100'000, '{'));

  auto deepest = type_of<bool>();
  for (std::size_t level = 1; level < kTypeDepthMax; ++level) deepest = struct_of({{"x", deepest}});
  EXPECT_TRUE(unpack<Type>(pack(deepest)).ok());
}

TEST(KvType, IsRefusedFromTheBusWhenItContradictsItself) {
  EXPECT_EQ(unpack<Type>(pack(scalar(Kind::kArray))).error().code, Code::kCorruption);
  EXPECT_EQ(unpack<Type>(pack(scalar(static_cast<Kind>(99)))).error().code, Code::kCorruption);
}

}  // namespace
}  // namespace tidemark::model::kv
