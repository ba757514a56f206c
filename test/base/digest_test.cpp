#include "base/digest.h"

#include <gtest/gtest.h>

#include <string>

namespace tidemark {
namespace {

std::string hex(const Digest& digest) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (const auto byte : digest) {
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

TEST(Crc32, IsTheOneOfTheCatalogueOfCrcs) {
  EXPECT_EQ(crc32("123456789"), 0xcbf43926u);  // CRC-32/ISO-HDLC, its check value
  EXPECT_EQ(crc32(""), 0u);
}

TEST(Crc32, ContinuesWhereItsSeedEnded) {
  EXPECT_EQ(crc32("6789", crc32("12345")), crc32("123456789"));
}

TEST(Digest, IsBlake2bOfSixteenBytes) {
  // As Python's hashlib.blake2b(…, digest_size=16) gives them.
  EXPECT_EQ(hex(digest("")), "cae66941d9efbd404e4d88758ea67670");
  EXPECT_EQ(hex(digest("abc")), "cf4ab791c62b8d2b2109c90275287816");
}

TEST(Digest, OfTwoPartsIsThatOfTheWhole) { EXPECT_EQ(digest("ab", "c"), digest("abc")); }

TEST(Digest, DiffersWhenOneBitDoes) { EXPECT_NE(digest("abc"), digest("abb")); }

}  // namespace
}  // namespace tidemark
