#include "tools/plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "base/check.h"
#include "tools/show.h"

namespace tidemark::tools {
namespace {

using model::Range;
using model::Severity;

constexpr std::size_t kLabelWidth = 12;  // characters left of the axis
constexpr std::size_t kAxisWidth = 2;    // a space and the axis
constexpr std::size_t kCellColumns = 2;  // dots in a character
constexpr std::size_t kCellRows = 4;
constexpr std::size_t kDots = kPlotRows * kCellRows;
constexpr std::size_t kLabelEvery = 7;  // rows: at the top, in the middle and at the bottom
constexpr std::size_t kCharactersMin = 10;

/// Dots of a character by row and column, as Unicode numbers them.
constexpr std::array<std::array<unsigned, kCellColumns>, kCellRows> kBits = {
    {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}};

std::string braille(unsigned bits) {
  std::string out = "\xe2";  // U+2800 and the bits, in UTF-8
  out += static_cast<char>(0xa0 | (bits >> 6));
  out += static_cast<char>(0x80 | (bits & 0x3f));
  return out;
}

/// What the rows reach over. A constant value lies in the middle.
Range extent(const Plot& what) {
  std::optional<Range> all;
  const auto grow = [&](double value) {
    if (!std::isfinite(value)) return;
    if (!all) all = Range{value, value};
    all->low = std::min(all->low, value);
    all->high = std::max(all->high, value);
  };
  for (const auto& column : what.columns) {
    if (!column.band) continue;
    grow(column.band->low);
    grow(column.band->high);
  }
  if (!all) return {-1, 1};
  // Indices lie on rows of their own.
  if (!what.labels.empty()) return {all->low, std::max(all->high, all->low + 1)};
  if (all->low < all->high) return *all;
  const auto room = all->low == 0 ? 1.0 : std::fabs(all->low) * 0.01;
  return {all->low - room, all->high + room};
}

/// Which dot from the top.
std::size_t dot_of(double value, const Range& range) {
  if (value >= range.high) return 0;
  if (value <= range.low) return kDots - 1;
  // Halves: the whole range may be more than a double holds.
  const auto share = (range.high / 2 - value / 2) / (range.high / 2 - range.low / 2);
  return static_cast<std::size_t>(std::lround(share * static_cast<double>(kDots - 1)));
}

std::string number_text(double value, const Plot& what, const Range& range) {
  if (what.precision > 0) {
    // The precision, if neighbouring labels then differ.
    const auto text = value_text(value, {}, what.precision);
    const auto step = (range.high / 2 - range.low / 2) / 2;
    if (text.size() <= kLabelWidth && step >= std::pow(10.0, -what.precision)) return text;
  }
  char text[64];
  for (int digits = 7; digits > 0; --digits) {
    std::snprintf(text, sizeof text, "%.*g", digits, value);
    if (std::string_view(text).size() <= kLabelWidth) break;
  }
  return text;
}

std::string label_of(std::size_t row, const Plot& what, const Range& range) {
  if (!what.labels.empty()) {
    // The state that lies in this row, if any does.
    for (auto index = range.low; index <= range.high; ++index) {
      if (dot_of(index, range) / kCellRows != row) continue;
      const auto at = static_cast<std::size_t>(index);
      return shorten(printable(at < what.labels.size() ? what.labels[at] : std::to_string(at)),
                     kLabelWidth);
    }
    return "";
  }
  if (row % kLabelEvery != 0) return "";
  const auto share = static_cast<double>(row) / static_cast<double>(kPlotRows - 1);
  return number_text(range.high * (1 - share) + range.low * share, what, range);
}

Color color_of(const PlotColumn& column) {
  if (column.disconnected) return Color::kMagenta;
  return alarm_color({column.worst, 0});
}

char mark_of(const PlotColumn& column) {
  if (column.disconnected) return 'x';
  constexpr std::string_view kMarks = " mM!";
  return kMarks[std::min<std::size_t>(static_cast<std::size_t>(column.worst), 3)];
}

/// The dots of one character's width, worst alarm first.
struct Cells {
  std::array<unsigned, kPlotRows> bits{};
  PlotColumn worst;
};

std::vector<Cells> cells_of(const Plot& what, const Range& range) {
  std::vector<Cells> cells((what.columns.size() + kCellColumns - 1) / kCellColumns);
  for (std::size_t i = 0; i < what.columns.size(); ++i) {
    const auto& column = what.columns[i];
    auto& cell = cells[i / kCellColumns];
    cell.worst.worst = std::max(cell.worst.worst, column.worst);
    cell.worst.disconnected |= column.disconnected;
    if (!column.band) continue;
    const auto bottom = dot_of(column.band->low, range);
    for (auto dot = dot_of(column.band->high, range); dot <= bottom; ++dot) {
      cell.bits[dot / kCellRows] |= kBits[dot % kCellRows][i % kCellColumns];
    }
  }
  return cells;
}

std::string left(const std::string& label, const char* axis) {
  const auto used = std::min(display_width(label), kLabelWidth);
  return std::string(kLabelWidth - used, ' ') + label + axis;
}

void trim(std::string& line) { line.erase(line.find_last_not_of(' ') + 1); }

/// The shortest that tells begin and end apart, in UTC.
std::string clock_text(UtcTime time, Duration length) {
  using namespace std::chrono_literals;
  const auto iso = to_iso(time, 3);
  if (length >= 72h) return iso.substr(5, 5);                            // 11-21
  if (length >= 12h) return iso.substr(5, 5) + " " + iso.substr(11, 5);  // 11-21 14:05
  if (length >= 30min) return iso.substr(11, 5);                         // 14:05
  if (length >= 10s) return iso.substr(11, 8);                           // 14:05:07
  return iso.substr(11, 12);
}

std::string times_line(const Plot& what, std::size_t characters) {
  const auto length = what.end - what.begin;
  const auto first = clock_text(what.begin, length);
  if (characters < first.size() * 2 + 1) return first + " UTC";
  const auto steps = std::max<std::size_t>(1, characters / (first.size() * 2 + 4));
  std::string line(characters, ' ');
  for (std::size_t i = 0; i <= steps; ++i) {
    const auto share = static_cast<std::int64_t>(steps);
    const auto text =
        clock_text(what.begin + length / share * static_cast<std::int64_t>(i), length);
    const auto at = characters * i / steps;
    const auto begin = i == 0 ? 0 : i == steps ? characters - text.size() : at - text.size() / 2;
    line.replace(begin, text.size(), text);
  }
  return line + " UTC";
}

}  // namespace

std::size_t plot_columns(std::size_t width) {
  constexpr std::size_t kBeside = kLabelWidth + kAxisWidth + 4;  // " UTC" behind the times
  const auto characters = width > kBeside ? width - kBeside : 0;
  return std::max(characters, kCharactersMin) * kCellColumns;
}

std::vector<std::string> plot(const Plot& what, std::size_t width, bool colored) {
  TIDEMARK_CHECK(what.columns.size() <= plot_columns(width));
  const auto range = extent(what);
  const auto cells = cells_of(what, range);
  std::vector<std::string> lines;
  if (!what.units.empty()) lines.push_back(left(shorten(printable(what.units), kLabelWidth), ""));
  for (std::size_t row = 0; row < kPlotRows; ++row) {
    const auto label = label_of(row, what, range);
    auto line = left(label, label.empty() ? " │" : " ┤");
    std::string dots;
    for (const auto& cell : cells) {
      dots +=
          cell.bits[row] == 0 ? " " : paint(braille(cell.bits[row]), color_of(cell.worst), colored);
    }
    trim(dots);
    lines.push_back(line + dots);
  }
  auto axis = left("", " └");
  for (std::size_t i = 0; i < cells.size(); ++i) axis += "─";
  lines.push_back(std::move(axis));
  std::string marks;
  bool any = false;
  for (const auto& cell : cells) {
    const auto mark = mark_of(cell.worst);
    any = any || mark != ' ';
    marks += mark == ' ' ? " " : paint(std::string(1, mark), color_of(cell.worst), colored);
  }
  trim(marks);
  if (any) lines.push_back(left("alarms", "  ") + marks);
  lines.push_back(left("", "  ") + times_line(what, cells.size()));
  return lines;
}

}  // namespace tidemark::tools
