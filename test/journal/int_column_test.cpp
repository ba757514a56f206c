// test/journal/int_column_test.cpp

#include "journal/int_column.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <limits>
#include <random>
#include <vector>

namespace tidemark::journal {
namespace {

using Numbers = std::vector<std::int64_t>;

Bytes packed(const Numbers& numbers, unsigned tries = kAsAny) {
  Bytes out;
  append_column(out, numbers, tries);
  return out;
}

/// What is taken from the bytes, which must be used up.
Numbers taken(BytesView bytes, std::size_t count) {
  Numbers numbers(count);
  VarintReader from(bytes);
  EXPECT_TRUE(take_column(from, numbers));
  EXPECT_EQ(from.left(), 0u);
  return numbers;
}

/// As columns are: small, steady, sparse or wild.
rc::Gen<Numbers> any_numbers() {
  return rc::gen::exec([] {
    const auto shape = *rc::gen::inRange(0, 6);
    const auto divisor = *rc::gen::element<std::int64_t>(1, 1, 1000, 8);
    Numbers numbers = *rc::gen::arbitrary<Numbers>();
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      auto& each = numbers[i];
      switch (shape) {
        case 0: break;
        case 1: each = (each % 100) * divisor; break;
        case 2: each = sum += (each % 100) * divisor; break;
        case 3: each = static_cast<std::int64_t>(i) * 100'000'007 + each % 1000; break;
        case 4: each = each % 16 == 0 ? each / divisor * divisor : 4711; break;
        default: each = each % 2 == 0 ? std::numeric_limits<std::int64_t>::min() : each;
      }
    }
    return numbers;
  });
}

RC_GTEST_PROP(IntColumn, GivesBackAnyNumbers, ()) {
  const auto numbers = *any_numbers();
  const auto tries = *rc::gen::inRange(1u, 16u);
  RC_ASSERT(taken(packed(numbers, tries), numbers.size()) == numbers);
}

TEST(IntColumn, GivesBackTheExtremes) {
  constexpr auto kMin = std::numeric_limits<std::int64_t>::min();
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  for (const auto& numbers : {Numbers{}, Numbers{kMin}, Numbers{kMin, kMax}, Numbers{kMax, kMin, 0},
                              Numbers(300, kMin), Numbers{0, kMin, kMax, kMin, kMax, -1, 1}}) {
    EXPECT_EQ(taken(packed(numbers), numbers.size()), numbers);
  }
}

TEST(IntColumn, WhatRepeatsTakesAFewBytes) {
  EXPECT_LE(packed(Numbers(65'536, 7)).size(), 2u);
  Numbers steady;
  for (int i = 0; i < 65'536; ++i) steady.push_back(1'000'000 + 2000 * i);
  EXPECT_LE(packed(steady).size(), 8u);
  Numbers rare(65'536, 0);
  for (std::size_t i = 0; i < rare.size(); i += 1000) rare[i] = 3;
  EXPECT_LE(packed(rare).size(), 120u);
}

TEST(IntColumn, RandomNumbersTakeTheirBits) {
  std::mt19937_64 random(4711);
  Numbers numbers;
  for (int i = 0; i < 4000; ++i) numbers.push_back(static_cast<std::int64_t>(random() & 0xffff));
  EXPECT_LE(packed(numbers).size(), 2 * numbers.size() + 8);
  for (auto& each : numbers) each *= 1000;  // microseconds in a column of nanoseconds
  EXPECT_LE(packed(numbers).size(), 2 * numbers.size() + 8);
}

TEST(IntColumn, ANormalDistributionTakesLittleMoreThanItsEntropy) {
  std::mt19937_64 random(4711);
  std::normal_distribution<> normal(2000, 26);
  Numbers numbers;
  std::int64_t sum = 0;
  for (int i = 0; i < 4000; ++i) {
    numbers.push_back(sum += static_cast<std::int64_t>(normal(random)));
  }
  // log2(26 * sqrt(2 * pi * e)) = 6.7 bits.
  EXPECT_LE(packed(numbers).size() * 8, numbers.size() * 72 / 10);
}

TEST(IntColumn, WritesTheBytesOfTheFormatPage) {
  // 100, 107, 114, 122: steps from 100, packed above 7 in one bit: 0, 0, 1.
  EXPECT_EQ(packed({100, 107, 114, 122}, kAsSteps), (Bytes{0x05, '\xc8', 0x01, 0x0e, 0x01, 0x04}));
}

TEST(IntColumn, RefusesWhatIsCutOff) {
  for (const auto& numbers : {Numbers{1, 2, 4, 8, 1'000'000}, Numbers(100, 5), Numbers{0, 0, 9}}) {
    const auto sound = packed(numbers);
    for (std::size_t length = 0; length < sound.size(); ++length) {
      Numbers found(numbers.size());
      VarintReader from(BytesView(sound).substr(0, length));
      EXPECT_FALSE(take_column(from, found)) << length;
    }
  }
}

}  // namespace
}  // namespace tidemark::journal
