// journal/lattice.cpp
//
// u8 form · what the form needs · a column of counts · a column of how far off each value is.
// Form 1, decimal: u8 digits d; value = count / 10^d. Form 2, affine: far, near and step, f64 each;
// value = far + (near + count * step). For floats the result is rounded to one.

#include "journal/lattice.h"

#include <array>
#include <bit>
#include <cmath>
#include <vector>

#include "journal/int_column.h"
#include "journal/lattice_fit.h"

namespace tidemark::journal {
namespace {

constexpr std::uint8_t kDecimal = 1;
constexpr std::uint8_t kAffine = 2;
constexpr std::array<double, 10> kPowers = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};

template <class Bits>
struct Of;
template <>
struct Of<std::uint64_t> {
  using Number = double;
  static constexpr double kEpsilon = 0x1p-52;
  static constexpr unsigned kDigits = 9;
};
template <>
struct Of<std::uint32_t> {
  using Number = float;
  static constexpr double kEpsilon = 0x1p-23;
  static constexpr unsigned kDigits = 4;  // with more, any float is a decimal
};
template <class Bits>
using Number = typename Of<Bits>::Number;

/// Neighbours of floating point are neighbours here: -0 is -1, and below it all bits but the sign
/// are turned round.
template <class Bits>
std::int64_t place(Bits bits) {
  using Signed = std::make_signed_t<Bits>;
  const auto number = static_cast<Signed>(bits);
  const auto turn = static_cast<Bits>(number >> (8 * sizeof(Bits) - 1)) >> 1;
  return static_cast<Signed>(bits ^ turn);
}
/// Wraps, so that any distance leads somewhere.
template <class Bits>
Bits at_place(std::int64_t place) {
  using Signed = std::make_signed_t<Bits>;
  const auto bits = static_cast<Bits>(static_cast<std::uint64_t>(place));
  const auto turn = static_cast<Bits>(static_cast<Signed>(bits) >> (8 * sizeof(Bits) - 1)) >> 1;
  return static_cast<Bits>(bits ^ turn);
}

template <class Bits>
std::int64_t distance(Bits to, Bits from) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(place(to)) -
                                   static_cast<std::uint64_t>(place(from)));
}

struct Form {
  std::uint8_t kind = kAffine;
  unsigned digits = 0;
  Lattice lattice;
};

/// The arithmetic of the format.
template <class Bits>
Bits value_at(const Lattice& lattice, std::int64_t count) {
  const double product = static_cast<double>(count) * lattice.step;
  const double near = lattice.near + product;
  return std::bit_cast<Bits>(static_cast<Number<Bits>>(lattice.far + near));
}
template <class Bits>
Bits decimal_at(unsigned digits, std::int64_t count) {
  const double value = static_cast<double>(count) / kPowers[digits];
  return std::bit_cast<Bits>(static_cast<Number<Bits>>(value));
}

/// 0 for what no count comes near to.
std::int64_t count_of(double number) {
  return std::abs(number) <= 0x1p53 ? static_cast<std::int64_t>(std::nearbyint(number)) : 0;
}

template <class Bits>
std::optional<Form> fit(std::span<const Bits> values) {
  std::vector<double> finite;
  finite.reserve(values.size());
  for (const auto bits : values) {
    const double value = std::bit_cast<Number<Bits>>(bits);
    if (std::isfinite(value)) finite.push_back(value);
  }
  if (finite.size() * 2 < values.size()) return std::nullopt;
  Form form;
  if (const auto digits = fit_decimal<Number<Bits>>(finite, Of<Bits>::kDigits)) {
    form.kind = kDecimal;
    form.digits = *digits;
    return form;
  }
  const auto lattice = fit_lattice(finite, Of<Bits>::kEpsilon);
  if (!lattice) return std::nullopt;
  form.lattice = *lattice;
  return form;
}

template <class Bits>
bool append(Bytes& out, std::span<const Bits> values) {
  const auto form = fit(values);
  if (!form) return false;
  const auto begin = out.size();
  out.push_back(static_cast<char>(form->kind));
  std::vector<std::int64_t> counts(values.size());
  std::vector<std::int64_t> off(values.size());
  const auto& lattice = form->lattice;
  if (form->kind == kDecimal) {
    out.push_back(static_cast<char>(form->digits));
    for (std::size_t i = 0; i < values.size(); ++i) {
      counts[i] = count_of(std::bit_cast<Number<Bits>>(values[i]) * kPowers[form->digits]);
      off[i] = distance(values[i], decimal_at<Bits>(form->digits, counts[i]));
    }
  } else {
    for (const double each : {lattice.far, lattice.near, lattice.step}) {
      append_le(out, std::bit_cast<std::uint64_t>(each));
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double value = std::bit_cast<Number<Bits>>(values[i]);
      if (lattice.step > 0)
        counts[i] = count_of((value - lattice.far - lattice.near) / lattice.step);
      off[i] = distance(values[i], value_at<Bits>(lattice, counts[i]));
    }
  }
  append_column(out, counts, kAsValues | kAsSteps | kAsBends);
  append_column(out, off, kAsValues);
  if (out.size() - begin < values.size_bytes()) return true;
  out.resize(begin);
  return false;
}

template <class Bits>
bool take(VarintReader& from, std::span<Bits> values) {
  const auto kind = from.take_byte();
  Lattice lattice;
  unsigned digits = 0;
  if (kind == kDecimal) {
    digits = from.take_byte();
    if (digits >= kPowers.size()) return false;
  } else if (kind == kAffine) {
    const auto bytes = from.take_bytes(3 * sizeof(double));
    if (!from.ok()) return false;
    lattice = {std::bit_cast<double>(read_le<std::uint64_t>(bytes, 0)),
               std::bit_cast<double>(read_le<std::uint64_t>(bytes, 8)),
               std::bit_cast<double>(read_le<std::uint64_t>(bytes, 16))};
    // Then there is no NaN on the way: which one that is differs between machines.
    for (const double each : {lattice.far, lattice.near, lattice.step}) {
      if (!std::isfinite(each)) return false;
    }
  } else {
    return false;
  }
  std::vector<std::int64_t> counts(values.size());
  std::vector<std::int64_t> off(values.size());
  if (!take_column(from, counts) || !take_column(from, off)) return false;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto bits =
        kind == kDecimal ? decimal_at<Bits>(digits, counts[i]) : value_at<Bits>(lattice, counts[i]);
    const auto there = static_cast<std::uint64_t>(place(bits)) + static_cast<std::uint64_t>(off[i]);
    values[i] = at_place<Bits>(static_cast<std::int64_t>(there));
  }
  return true;
}

}  // namespace

bool append_lattice(Bytes& out, std::span<const std::uint64_t> doubles) {
  return append(out, doubles);
}
bool append_lattice(Bytes& out, std::span<const std::uint32_t> floats) {
  return append(out, floats);
}
bool take_lattice(VarintReader& from, std::span<std::uint64_t> doubles) {
  return take(from, doubles);
}
bool take_lattice(VarintReader& from, std::span<std::uint32_t> floats) {
  return take(from, floats);
}

}  // namespace tidemark::journal
