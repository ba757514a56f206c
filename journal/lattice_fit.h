// journal/lattice_fit.h
//
// Guesses the lattice that values lie on. Only for writing: a bad guess costs bytes, never a value.

#pragma once

#include <cmath>
#include <optional>
#include <span>

namespace tidemark::journal {

/// Values near `far + (near + count * step)`: two numbers for the offset, because one is too coarse
/// to be right within a fraction of the last place.
struct Lattice {
  double far = 0;
  double near = 0;
  double step = 0;  // not negative; 0: all values are one
};

/// `values` are finite, one at least. `epsilon`: the distance from 1 to the next number of their
/// type.
std::optional<Lattice> fit_lattice(std::span<const double> values, double epsilon);

/// The digits behind the point, when nearly all values are decimal fractions of few digits; as near
/// as a Number comes to them.
template <class Number>
std::optional<unsigned> fit_decimal(std::span<const double> values, unsigned digits_max) {
  double unit = 1;
  for (unsigned digits = 0; digits <= digits_max; ++digits, unit *= 10) {
    auto others = values.size() / 16 + 1;
    for (const auto value : values) {
      const auto scaled = std::nearbyint(value * unit);
      const bool is_one = std::abs(scaled) <= 0x1p53 &&
                          static_cast<double>(static_cast<Number>(scaled / unit)) == value;
      if (!is_one && --others == 0) break;
    }
    if (others > 0) return digits;
  }
  return std::nullopt;
}

}  // namespace tidemark::journal
