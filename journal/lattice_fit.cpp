#include "journal/lattice_fit.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace tidemark::journal {
namespace {

/// More values say nothing new about the step, and sorting costs.
constexpr std::size_t kFitValues = 1024;
/// A step of fewer roundings cannot be told from them.
constexpr double kFinestStep = 16;
/// Differences of values are good to so many roundings.
constexpr double kTolerance = 3;

/// The step of which all gaps (ascending) are multiples, but for some `rounding`: Euclid's
/// algorithm with a tolerance. The small gaps come first, so that each next one is counted in steps
/// that are known well enough.
std::optional<double> common_step(const std::vector<double>& gaps, double rounding) {
  double start = gaps.front();
  double start_error = kTolerance * rounding;
  while (start >= kFinestStep * rounding) {
    double length = 0;
    double steps = 0;
    double error = start_error;  // of the step
    double step = start;
    double rest = 0;
    for (const auto gap : gaps) {
      const auto count = std::nearbyint(gap / step);
      const auto tolerance = kTolerance * rounding + count * error;
      if (tolerance > step / 4) return std::nullopt;
      rest = std::abs(gap - count * step);
      if (rest > tolerance) {
        start_error = tolerance;
        break;
      }
      rest = 0;
      length += gap;
      steps += count;
      step = length / steps;
      error = kTolerance * rounding / std::sqrt(steps);
    }
    if (rest == 0) return step;
    start = rest;
  }
  return std::nullopt;
}

/// Of values that do not lie on it only those few are left out.
std::optional<double> find_step(const std::vector<double>& gaps, double rounding) {
  const auto of_all = common_step(gaps, rounding);
  if (of_all || gaps.size() < 16) return of_all;
  const auto parts = std::min<std::size_t>(gaps.size() / 8, 16);  // one stray value spoils two gaps
  for (std::size_t part = 0; part < parts; ++part) {
    std::vector<double> some;
    for (auto i = part; i < gaps.size(); i += parts) some.push_back(gaps[i]);
    const auto step = common_step(some, rounding);
    if (step) return step;
  }
  return std::nullopt;
}

struct Point {
  double count = 0;
  double value = 0;
};

/// Values (ascending) that lie on the lattice of the first of them, and the counts of their steps.
/// Each is counted from the one before, so that an error of the step does not add up.
std::vector<Point> on_lattice(std::span<const double> values, double step, double rounding) {
  std::vector<Point> points{{0, values.front()}};
  for (const auto value : values.subspan(1)) {
    const auto distance = value - points.back().value;
    const auto more = std::nearbyint(distance / step);
    if (std::abs(distance - more * step) > 2 * kTolerance * rounding + step / 64) continue;
    points.push_back({points.back().count + more, value});
  }
  return points;
}

/// A straight line through them, by least squares. It starts at the value nearest to zero, whose
/// neighbours are the finest.
Lattice through(std::vector<Point>& points) {
  auto start = points.front();
  for (const auto& each : points) {
    if (std::abs(each.value) < std::abs(start.value)) start = each;
  }
  const auto length = points.back().value - points.front().value;
  const auto steps = points.back().count - points.front().count;
  const auto about = steps > 0 ? length / steps : 0;
  // What the line is off, in one rounding: sums of the values themselves would not be exact enough.
  double sum_x = 0;
  double sum_y = 0;
  double sum_xx = 0;
  double sum_xy = 0;
  for (const auto& each : points) {
    const auto x = each.count - start.count;
    const auto y = std::fma(-x, about, each.value - start.value);
    sum_x += x;
    sum_y += y;
    sum_xx += x * x;
    sum_xy += x * y;
  }
  const auto n = static_cast<double>(points.size());
  const auto spread = sum_xx - sum_x * sum_x / n;
  const auto slope = spread > 0 ? (sum_xy - sum_x * sum_y / n) / spread : 0;
  return Lattice{start.value, (sum_y - slope * sum_x) / n, about + slope};
}

}  // namespace

std::optional<Lattice> fit_lattice(std::span<const double> values, double epsilon) {
  std::vector<double> sorted;
  const auto stride = (values.size() + kFitValues - 1) / kFitValues;
  for (std::size_t i = 0; i < values.size(); i += stride) sorted.push_back(values[i]);
  std::sort(sorted.begin(), sorted.end());
  const auto largest = std::max(std::abs(sorted.front()), std::abs(sorted.back()));
  if (!std::isfinite(sorted.back() - sorted.front())) return std::nullopt;
  const auto rounding = largest * epsilon / 2;
  std::vector<double> gaps;
  std::vector<double> levels{sorted.front()};
  for (const auto value : sorted) {
    if (value - levels.back() <= 4 * rounding) continue;
    gaps.push_back(value - levels.back());
    levels.push_back(value);
  }
  if (gaps.empty()) return Lattice{sorted.front(), 0, 0};
  std::sort(gaps.begin(), gaps.end());
  const auto step = find_step(gaps, rounding);
  if (!step) return std::nullopt;
  // The first ones may be strays.
  for (std::size_t first = 0; first < std::min<std::size_t>(levels.size(), 4); ++first) {
    auto points = on_lattice(std::span(levels).subspan(first), *step, rounding);
    if (points.size() * 2 > levels.size()) return through(points);
  }
  return std::nullopt;
}

}  // namespace tidemark::journal
