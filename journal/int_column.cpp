// journal/int_column.cpp
//
// u8 form · what the form needs first · [base] · [divisor] · codes. The form: bits 0-1 what is
// stored, bits 2-3 the coding, bit 4 a divisor follows. A stored number is base + divisor * code.

#include "journal/int_column.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <optional>
#include <vector>

#include "journal/bits.h"
#include "journal/wrapping.h"

namespace tidemark::journal {
namespace {

enum class Order : std::uint8_t { kValues = 0, kSteps = 1, kBends = 2, kSlope = 3 };
enum class Coding : std::uint8_t { kConstant = 0, kPacked = 1, kRice = 2, kSparse = 3 };
constexpr std::uint8_t kDivisor = 16;
constexpr std::uint8_t kForms = 32;

constexpr unsigned kSlopeShift = 16;  // a slope counts 1/65536 per row
/// A Rice code of so many zeros is followed by the number itself: a far one costs 88 bits.
constexpr unsigned kRiceEscape = 24;
constexpr unsigned kRiceBitsMax = 56;

/// How far the line has gone at row `at`.
std::int64_t along(std::int64_t slope, std::size_t at) {
  return times(slope, static_cast<std::int64_t>(at)) >> kSlopeShift;
}
std::uint64_t distance(std::int64_t a, std::int64_t b) {
  return static_cast<std::uint64_t>(a < b ? minus(b, a) : minus(a, b));
}
unsigned bit_count(std::uint64_t value) { return static_cast<unsigned>(std::bit_width(value)); }

/// What is stored in place of the values, and what comes before it.
struct Stored {
  Order order = Order::kValues;
  std::int64_t first = 0;   // all but kValues
  std::int64_t second = 0;  // the first step of kBends, the slope of kSlope
  std::vector<std::int64_t> numbers;
};

Stored store_as(Order order, std::span<const std::int64_t> values) {
  Stored stored;
  stored.order = order;
  stored.first = values[0];
  auto& numbers = stored.numbers;
  numbers.reserve(values.size());
  switch (order) {
    case Order::kValues: numbers.assign(values.begin(), values.end()); break;
    case Order::kSteps:
      for (std::size_t i = 1; i < values.size(); ++i) {
        numbers.push_back(minus(values[i], values[i - 1]));
      }
      break;
    case Order::kBends: {
      auto step = stored.second = minus(values[1], values[0]);
      for (std::size_t i = 2; i < values.size(); ++i) {
        const auto next = minus(values[i], values[i - 1]);
        numbers.push_back(minus(next, step));
        step = next;
      }
      break;
    }
    case Order::kSlope: {
      const auto rows = static_cast<double>(values.size() - 1);
      const auto rise = static_cast<double>(minus(values.back(), values[0]));
      // Steeper ones overflow; such a column has no line.
      const auto slope = std::clamp(rise / rows, -1e14, 1e14) * (1u << kSlopeShift);
      stored.second = static_cast<std::int64_t>(slope);
      for (std::size_t i = 1; i < values.size(); ++i) {
        numbers.push_back(minus(minus(values[i], stored.first), along(stored.second, i)));
      }
      break;
    }
  }
  return stored;
}

std::int64_t median(std::vector<std::int64_t> numbers) {
  const auto middle = numbers.begin() + static_cast<std::ptrdiff_t>(numbers.size() / 2);
  std::nth_element(numbers.begin(), middle, numbers.end());
  return *middle;
}

/// Roughly the bits that the numbers need, around their median.
std::uint64_t weight(const std::vector<std::int64_t>& numbers) {
  if (numbers.empty()) return 0;
  const auto middle = median(numbers);
  std::uint64_t bits = 0;
  for (const auto each : numbers) bits += bit_count(zigzag(minus(each, middle)));
  return bits;
}

Stored best_order(std::span<const std::int64_t> values, unsigned tries) {
  std::optional<Stored> best;
  std::uint64_t least = 0;
  for (unsigned order = 0; order < 4; ++order) {
    const std::size_t needs = order < 2 ? 1 : 2;
    const bool wanted = (tries & 1u << order) != 0 && values.size() >= needs;
    if (!wanted && !(order == 0 && values.size() < 3)) continue;
    auto stored = store_as(static_cast<Order>(order), values);
    // Of noise all orders weigh the same, but only its values have a narrow range.
    const auto bits = weight(stored.numbers) + (order == 0 ? 0 : 8 * order + values.size() / 4);
    if (best && bits >= least) continue;
    least = bits;
    best = std::move(stored);
    if (bits == 0) break;
  }
  return std::move(*best);
}

std::uint64_t rice_bits(const std::vector<std::uint64_t>& codes, unsigned low) {
  std::uint64_t bits = 0;
  for (const auto each : codes) {
    const auto high = each >> low;
    bits += high < kRiceEscape ? high + 1 + low : kRiceEscape + 64;
  }
  return bits;
}

void put_packed(Bytes& out, const std::vector<std::uint64_t>& codes, unsigned width) {
  out.push_back(static_cast<char>(width));
  BitWriter bits(out);
  for (const auto each : codes) bits.put(each, width);
  bits.finish();
}

void put_rice(Bytes& out, const std::vector<std::uint64_t>& codes, unsigned low) {
  out.push_back(static_cast<char>(low));
  BitWriter bits(out);
  for (const auto each : codes) {
    const auto high = each >> low;
    if (high < kRiceEscape) {
      bits.put(std::uint64_t{1} << high, static_cast<unsigned>(high) + 1);
      bits.put(each & low_bits(low), low);
    } else {
      bits.put(0, kRiceEscape);
      bits.put(each, 64);
    }
  }
  bits.finish();
}

/// How the numbers are coded around their median, or above the least of them.
class Coder {
 public:
  explicit Coder(const std::vector<std::int64_t>& numbers) : numbers_(numbers) {
    base_ = median(numbers);
    const auto [least, greatest] = std::minmax_element(numbers.begin(), numbers.end());
    least_ = *least;
    range_ = static_cast<std::uint64_t>(minus(*greatest, *least));
    for (const auto each : numbers) {
      if (each == base_) continue;
      ++others_;
      if (divisor_ != 1) {
        divisor_ = std::gcd(divisor_, distance(each, base_));
      }
    }
    if (divisor_ == 0 || range_ >> 62 != 0) divisor_ = 1;
    for (const auto each : numbers) {
      far_.push_back(zigzag(minus(each, base_) / static_cast<std::int64_t>(divisor_)));
    }
  }

  void put(Bytes& out, Order order, std::int64_t first, std::int64_t second, bool may_be_sparse) {
    const auto coding = choose(may_be_sparse);
    const bool divides = divisor_ > 1 && coding != Coding::kConstant;
    out.push_back(static_cast<char>(static_cast<unsigned>(order) |
                                    static_cast<unsigned>(coding) << 2 | (divides ? kDivisor : 0)));
    if (order != Order::kValues) append_varint(out, zigzag(first));
    if (order == Order::kBends || order == Order::kSlope) append_varint(out, zigzag(second));
    append_varint(out, zigzag(coding == Coding::kPacked ? least_ : base_));
    if (divides) append_varint(out, divisor_);
    switch (coding) {
      case Coding::kConstant: return;
      case Coding::kPacked: {
        std::vector<std::uint64_t> above;
        above.reserve(numbers_.size());
        for (const auto each : numbers_) {
          above.push_back(static_cast<std::uint64_t>(minus(each, least_)) / divisor_);
        }
        return put_packed(out, above, width());
      }
      case Coding::kRice: return put_rice(out, far_, low_);
      case Coding::kSparse: return put_sparse(out);
    }
  }

 private:
  unsigned width() const { return bit_count(range_ / divisor_); }

  Coding choose(bool may_be_sparse) {
    if (others_ == 0) return Coding::kConstant;
    const auto packed = width() * numbers_.size();
    std::uint64_t sum = 0;
    std::uint64_t lengths = 0;
    for (const auto each : far_) {
      sum += std::min(each, ~std::uint64_t{0} >> 17);
      lengths += bit_count(each);
    }
    const auto about = bit_count(sum / far_.size());
    std::uint64_t rice = ~std::uint64_t{0};
    for (unsigned low = about < 2 ? 0 : about - 2; low <= std::min(about, kRiceBitsMax); ++low) {
      const auto bits = rice_bits(far_, low);
      if (bits >= rice) continue;
      rice = bits;
      low_ = low;
    }
    if (may_be_sparse && others_ <= numbers_.size() / 4) {
      // Each of the others: how far from the one before, and what it is. And two more heads.
      const auto gap = bit_count(numbers_.size() / others_);
      const auto sparse = others_ * (gap + 2) + lengths + others_ + 64;
      if (sparse < std::min<std::uint64_t>(packed, rice)) return Coding::kSparse;
    }
    return packed <= rice ? Coding::kPacked : Coding::kRice;
  }

  void put_sparse(Bytes& out) const {
    std::vector<std::int64_t> gaps;
    std::vector<std::int64_t> codes;
    std::size_t next = 0;
    for (std::size_t i = 0; i < far_.size(); ++i) {
      if (far_[i] == 0) continue;
      gaps.push_back(static_cast<std::int64_t>(i - next));
      codes.push_back(unzigzag(far_[i]));
      next = i + 1;
    }
    append_varint(out, gaps.size());
    Coder(gaps).put(out, Order::kValues, 0, 0, false);
    Coder(codes).put(out, Order::kValues, 0, 0, false);
  }

  const std::vector<std::int64_t>& numbers_;
  std::int64_t base_ = 0;
  std::int64_t least_ = 0;
  std::uint64_t range_ = 0;
  std::uint64_t divisor_ = 0;
  std::uint64_t others_ = 0;  // than the base
  std::vector<std::uint64_t> far_;
  unsigned low_ = 0;  // bits of a Rice code that are as they are
};

/// What precedes the stored numbers.
struct ColumnHead {
  Order order{};
  Coding coding{};
  std::int64_t first = 0;
  std::int64_t second = 0;
  std::int64_t base = 0;
  std::int64_t divisor = 1;
};

bool take_numbers(VarintReader& from, const ColumnHead& head, std::span<std::int64_t> numbers,
                  bool may_be_sparse);

bool take_head(VarintReader& from, ColumnHead& head) {
  const auto form = from.take_byte();
  if (!from.ok() || form >= kForms) return false;
  head.order = static_cast<Order>(form & 3);
  head.coding = static_cast<Coding>(form >> 2 & 3);
  if (head.order != Order::kValues) head.first = from.take_signed();
  if (head.order == Order::kBends || head.order == Order::kSlope) head.second = from.take_signed();
  head.base = from.take_signed();
  if ((form & kDivisor) != 0) head.divisor = static_cast<std::int64_t>(from.take());
  return from.ok();
}

bool take_sparse(VarintReader& from, const ColumnHead& head, std::span<std::int64_t> numbers) {
  const auto count = from.take();
  if (!from.ok() || count == 0 || count > numbers.size()) return false;
  std::vector<std::int64_t> gaps(count);
  std::vector<std::int64_t> codes(count);
  for (auto* column : {&gaps, &codes}) {
    ColumnHead inner;
    if (!take_head(from, inner) || inner.order != Order::kValues) return false;
    if (!take_numbers(from, inner, *column, false)) return false;
  }
  std::fill(numbers.begin(), numbers.end(), head.base);
  std::size_t at = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto gap = static_cast<std::uint64_t>(gaps[i]);
    if (gap >= numbers.size() - at) return false;
    at += gap;
    numbers[at++] = plus(head.base, times(head.divisor, codes[i]));
  }
  return true;
}

bool take_numbers(VarintReader& from, const ColumnHead& head, std::span<std::int64_t> numbers,
                  bool may_be_sparse) {
  switch (head.coding) {
    case Coding::kConstant: std::fill(numbers.begin(), numbers.end(), head.base); return true;
    case Coding::kPacked: {
      const unsigned width = from.take_byte();
      if (!from.ok() || width > 64) return false;
      BitReader bits(from.rest());
      for (auto& each : numbers) {
        const auto code = static_cast<std::int64_t>(bits.take(width));
        each = plus(head.base, times(head.divisor, code));
      }
      (void)from.take_bytes(bits.bytes());
      return from.ok();
    }
    case Coding::kRice: {
      const unsigned low = from.take_byte();
      if (!from.ok() || low > kRiceBitsMax) return false;
      BitReader bits(from.rest());
      for (auto& each : numbers) {
        const auto next = bits.peek();
        std::uint64_t code = 0;
        if ((next & low_bits(kRiceEscape)) != 0) {
          const auto high = static_cast<unsigned>(std::countr_zero(next));
          bits.skip(high + 1);
          code = static_cast<std::uint64_t>(high) << low | bits.take(low);
        } else {
          if (!bits.ok()) return false;  // nothing but zeros is left
          bits.skip(kRiceEscape);
          code = bits.take(64);
        }
        each = plus(head.base, times(head.divisor, unzigzag(code)));
      }
      (void)from.take_bytes(bits.bytes());
      return from.ok();
    }
    case Coding::kSparse: return may_be_sparse && take_sparse(from, head, numbers);
  }
  return false;
}

}  // namespace

void append_column(Bytes& out, std::span<const std::int64_t> values, unsigned tries) {
  if (values.empty()) return;
  auto stored = best_order(values, tries);
  if (stored.numbers.empty()) stored.numbers.push_back(0);  // one for all none of them
  Coder(stored.numbers).put(out, stored.order, stored.first, stored.second, true);
}

bool take_column(VarintReader& from, std::span<std::int64_t> values) {
  if (values.empty()) return true;
  ColumnHead head;
  if (!take_head(from, head)) return false;
  const std::size_t first = head.order == Order::kValues ? 0 : head.order == Order::kBends ? 2 : 1;
  if (first > values.size()) return false;
  if (!take_numbers(from, head, values.subspan(first), true)) return false;
  switch (head.order) {
    case Order::kValues: break;
    case Order::kSteps:
      values[0] = head.first;
      for (std::size_t i = 1; i < values.size(); ++i) values[i] = plus(values[i], values[i - 1]);
      break;
    case Order::kBends: {
      values[0] = head.first;
      values[1] = plus(head.first, head.second);
      auto step = head.second;
      for (std::size_t i = 2; i < values.size(); ++i) {
        step = plus(step, values[i]);
        values[i] = plus(values[i - 1], step);
      }
      break;
    }
    case Order::kSlope:
      values[0] = head.first;
      for (std::size_t i = 1; i < values.size(); ++i) {
        values[i] = plus(plus(values[i], head.first), along(head.second, i));
      }
      break;
  }
  return true;
}

}  // namespace tidemark::journal
