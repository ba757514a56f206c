#include "base/uuid.h"

#include <gtest/gtest.h>

#include <set>

namespace tidemark {
namespace {

TEST(Uuid, ReadsBackItsText) {
  for (int i = 0; i < 100; ++i) {
    const auto id = Uuid::random();
    EXPECT_EQ(Uuid::parse(id.text()), id);
  }
}

TEST(Uuid, IsWrittenInTheUsualForm) {
  const auto id = Uuid::parse("0123ABCD-4567-89ab-cdef-0123456789AB");
  ASSERT_TRUE(id);
  EXPECT_EQ(id->text(), "0123abcd-4567-89ab-cdef-0123456789ab");
  EXPECT_EQ(id->bytes[0], 0x01);
  EXPECT_EQ(id->bytes[15], 0xab);
}

TEST(Uuid, RefusesEveryOtherForm) {
  for (const auto* text :
       {"", "0123abcd456789abcdef0123456789ab", "{0123abcd-4567-89ab-cdef-0123456789ab}",
        "0123abcd-4567-89ab-cdef-0123456789a", "0123abcd-4567-89ab-cdef-0123456789abc",
        "0123abcg-4567-89ab-cdef-0123456789ab", "0123abcd+4567-89ab-cdef-0123456789ab"}) {
    EXPECT_FALSE(Uuid::parse(text)) << text;
  }
}

TEST(Uuid, RandomOnesAreOfVersionFourAndDiffer) {
  std::set<Uuid> seen;
  for (int i = 0; i < 1000; ++i) {
    const auto id = Uuid::random();
    EXPECT_EQ(id.bytes[6] >> 4, 4);
    EXPECT_EQ(id.bytes[8] >> 6, 2);
    seen.insert(id);
  }
  EXPECT_EQ(seen.size(), 1000u);
}

TEST(Uuid, DerivedOnesFollowFromTheirText) {
  EXPECT_EQ(Uuid::derive("keeper"), Uuid::derive("keeper"));
  EXPECT_NE(Uuid::derive("keeper"), Uuid::derive("monitor"));
  EXPECT_EQ(Uuid::derive("keeper").bytes[6] >> 4, 8);
}

TEST(Uuid, StartsNil) {
  EXPECT_TRUE(Uuid{}.is_nil());
  EXPECT_FALSE(Uuid::random().is_nil());
}

}  // namespace
}  // namespace tidemark
