// test/journal/lattice_test.cpp

#include "journal/lattice.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace tidemark::journal {
namespace {

using Doubles = std::vector<double>;

std::vector<std::uint64_t> bits_of(const Doubles& values) {
  std::vector<std::uint64_t> bits;
  for (const auto each : values) bits.push_back(std::bit_cast<std::uint64_t>(each));
  return bits;
}

template <class Bits>
void expect_back(const std::vector<Bits>& bits) {
  Bytes out = "x";
  if (!append_lattice(out, std::span(bits))) {
    ASSERT_EQ(out, "x");
    return;
  }
  ASSERT_LT(out.size() - 1, bits.size() * sizeof(Bits));
  VarintReader from(BytesView(out).substr(1));
  std::vector<Bits> found(bits.size());
  ASSERT_TRUE(take_lattice(from, std::span(found)));
  ASSERT_EQ(from.left(), 0u);
  ASSERT_EQ(found, bits);
}

/// Bytes for each of `values`, which must come back. As many as there are when they lie on none.
double bytes_each(const Doubles& values) {
  const auto bits = bits_of(values);
  expect_back(bits);
  Bytes out;
  if (!append_lattice(out, std::span<const std::uint64_t>(bits))) return sizeof(double);
  return static_cast<double>(out.size()) / static_cast<double>(values.size());
}

/// Readings of a converter of so many bits.
template <class Convert>
Doubles readings(unsigned bits, Convert&& convert, std::size_t count = 260) {
  std::mt19937_64 random(4711);
  Doubles values;
  for (std::size_t i = 0; i < count; ++i) {
    values.push_back(convert(static_cast<double>(random() >> (64 - bits))));
  }
  return values;
}

TEST(Lattice, AReadingTakesTheBitsOfItsConverter) {
  // ai: RVAL * ESLO + EOFF. calc: A + (RNDM - 0.5) * B.
  EXPECT_LT(bytes_each(readings(16, [](double n) { return n * 0.00030517578 + 2; })), 2.35);
  EXPECT_LT(bytes_each(readings(12, [](double n) { return n * 0.0244200244 + 273.15; })), 2.0);
  // Near zero places are finer than what the conversion rounded to: that costs.
  EXPECT_LT(bytes_each(readings(16, [](double n) { return n * 0.00030517578 - 10; })), 2.9);
  EXPECT_LT(bytes_each(readings(16, [](double n) { return 350 + (n / 65535 - 0.5) * 2; })), 2.35);
  EXPECT_LT(bytes_each(readings(16, [](double n) { return 0.7312 + (n / 65535 - 0.5) * 0.1; })),
            2.4);
  EXPECT_LT(
      bytes_each(readings(16, [](double n) { return 1.5e9 * (1 + (n / 65535 - 0.5) * 0.02); })),
      2.5);
  EXPECT_LT(
      bytes_each(readings(16, [](double n) { return 57.3 * (1 + 0.001 * (n / 65535 - 0.5)); })),
      2.5);
  EXPECT_LT(bytes_each(readings(24, [](double n) { return n * 1.192e-7; })), 3.4);
}

TEST(Lattice, DecimalsTakeTheirDigits) {
  EXPECT_LT(bytes_each(readings(10, [](double n) { return std::round(n) / 100; })), 1.3);
  EXPECT_LT(bytes_each(readings(10, [](double n) { return n; })), 1.3);
  EXPECT_LT(bytes_each(readings(10, [](double n) { return std::round(n * 3.7 - 1000) / 1e5; })),
            1.7);
}

TEST(Lattice, WhatStandsStillTakesNothing) {
  EXPECT_LT(bytes_each(Doubles(1000, M_PI)), 0.04);
  Doubles rare(1000, M_PI);
  rare[100] = rare[101] = 3;
  EXPECT_LT(bytes_each(rare), 0.2);
}

TEST(Lattice, AFewStrayValuesDoNotCostTheLattice) {
  auto values = readings(16, [](double n) { return n * 0.00030517578 + 2; });
  values[17] = std::numeric_limits<double>::quiet_NaN();
  values[99] = std::sqrt(2);
  values[200] = -0.0;
  values[201] = std::numeric_limits<double>::infinity();
  // Without a lattice 7.3. The readings alone take less than 2.35, so a stray costs some 75 bytes.
  EXPECT_LT(bytes_each(values), 3.8);
}

TEST(Lattice, RandomDoublesLieOnNone) {
  std::mt19937_64 random(4711);
  std::uniform_real_distribution<> uniform(0, 1);
  Doubles values;
  for (int i = 0; i < 260; ++i) values.push_back(std::sin(uniform(random)) * uniform(random));
  EXPECT_EQ(bytes_each(values), sizeof(double));
}

TEST(Lattice, FloatsHaveOneToo) {
  std::mt19937_64 random(4711);
  std::vector<std::uint32_t> bits;
  for (int i = 0; i < 260; ++i) {
    const auto count = static_cast<float>(random() % 4096);
    bits.push_back(std::bit_cast<std::uint32_t>(count * 0.0244200244F + 5));
  }
  expect_back(bits);
  Bytes out;
  ASSERT_TRUE(append_lattice(out, std::span<const std::uint32_t>(bits)));
  EXPECT_LT(out.size(), bits.size() * 19 / 10);
}

/// Doubles of all kinds: any bits, or on some lattice, with some of any bits among them.
rc::Gen<std::vector<std::uint64_t>> any_doubles() {
  return rc::gen::exec([] {
    const auto counts = *rc::gen::arbitrary<std::vector<std::int32_t>>();
    const auto offset = std::bit_cast<double>(*rc::gen::arbitrary<std::uint64_t>());
    const auto slope = *rc::gen::element(0.0, 1e-3, 0.25, -1.0 / 3, 1e300, 5e-324);
    const auto shape = *rc::gen::inRange(0, 4);
    std::vector<std::uint64_t> bits;
    for (const auto count : counts) {
      const auto any = *rc::gen::arbitrary<std::uint64_t>();
      const bool stray = shape == 0 || any % 16 == 0;
      const double on = shape == 1 ? count * slope : (offset + count % 1000 * slope);
      bits.push_back(stray ? any : std::bit_cast<std::uint64_t>(on));
    }
    return bits;
  });
}

RC_GTEST_PROP(Lattice, GivesBackAnyDoublesBitByBit, ()) {
  const auto bits = *any_doubles();
  RC_PRE(!bits.empty());
  expect_back(bits);
}

RC_GTEST_PROP(Lattice, GivesBackAnyFloatsBitByBit, ()) {
  std::vector<std::uint32_t> floats;
  for (const auto bits : *any_doubles()) floats.push_back(static_cast<std::uint32_t>(bits >> 20));
  RC_PRE(!floats.empty());
  expect_back(floats);
}

}  // namespace
}  // namespace tidemark::journal
