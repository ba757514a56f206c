#include "tools/table.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <numeric>
#include <ostream>
#include <utility>

#include "base/check.h"

namespace tidemark::tools {
namespace {

constexpr std::size_t kGap = 2;       // columns between columns
constexpr std::size_t kCutWidth = 8;  // no column is cut below this
constexpr std::string_view kEllipsis = "…";

struct Glyph {
  std::size_t bytes;
  char32_t code;
  bool valid;
};

/// The first code point of `text`, which is not empty.
Glyph first_glyph(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto lead = byte(0);
  if (lead < 0x80) return {1, lead, true};
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) return {1, lead, false};
  auto code = static_cast<char32_t>(lead & (0x7f >> bytes));
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {1, lead, false};
    code = (code << 6) | (byte(i) & 0x3f);
  }
  return {bytes, code, true};
}

template <std::size_t N>
bool among(char32_t code, const std::array<std::pair<char32_t, char32_t>, N>& ranges) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](auto& range) { return code >= range.first && code <= range.second; });
}

/// Not wcwidth(): that depends on the locale, which is often "C" where scripts run.
std::size_t glyph_width(char32_t code) {
  constexpr std::array<std::pair<char32_t, char32_t>, 5> kNothing = {
      {{0x300, 0x36f}, {0x1ab0, 0x1aff}, {0x200b, 0x200f}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}}};
  constexpr std::array<std::pair<char32_t, char32_t>, 8> kWide = {{{0x1100, 0x115f},
                                                                   {0x2e80, 0x303e},
                                                                   {0x3041, 0xa4cf},
                                                                   {0xac00, 0xd7a3},
                                                                   {0xf900, 0xfaff},
                                                                   {0xfe30, 0xfe6f},
                                                                   {0xff00, 0xff60},
                                                                   {0x1f300, 0x1faff}}};
  if (among(code, kNothing)) return 0;
  return among(code, kWide) ? 2 : 1;
}

const char* escape(Color color) {
  switch (color) {
    case Color::kNone: break;
    case Color::kBold: return "\x1b[1m";
    case Color::kDim: return "\x1b[2m";
    case Color::kRed: return "\x1b[31m";
    case Color::kGreen: return "\x1b[32m";
    case Color::kYellow: return "\x1b[33m";
    case Color::kMagenta: return "\x1b[35m";
  }
  return "";
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const auto glyph = first_glyph(text);
    width += glyph_width(glyph.code);
    text.remove_prefix(glyph.bytes);
  }
  return width;
}

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto glyph = first_glyph(text);
    const bool control = glyph.code < 0x20 || (glyph.code >= 0x7f && glyph.code < 0xa0);
    // Marks that turn the direction of writing can make a line read as another one.
    const bool turns = (glyph.code >= 0x202a && glyph.code <= 0x202e) ||
                       (glyph.code >= 0x2066 && glyph.code <= 0x2069);
    if (glyph.valid && glyph.code == '\n') {
      out += "\\n";
    } else if (glyph.valid && glyph.code == '\t') {
      out += "\\t";
    } else if (!glyph.valid || control || turns) {
      for (const char c : text.substr(0, glyph.bytes)) {
        char hex[8];
        std::snprintf(hex, sizeof hex, "\\x%02x",
                      static_cast<unsigned>(static_cast<unsigned char>(c)));
        out += hex;
      }
    } else {
      out += text.substr(0, glyph.bytes);
    }
    text.remove_prefix(glyph.bytes);
  }
  return out;
}

std::string shorten(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) return std::string(text);
  if (width == 0) return "";
  std::string out;
  std::size_t used = 0;
  while (!text.empty()) {
    const auto glyph = first_glyph(text);
    used += glyph_width(glyph.code);
    if (used > width - 1) break;
    out += text.substr(0, glyph.bytes);
    text.remove_prefix(glyph.bytes);
  }
  return out + std::string(kEllipsis);
}

std::string_view first_columns(std::string_view text, std::size_t columns) {
  std::size_t used = 0;
  std::size_t bytes = 0;
  while (bytes < text.size()) {
    const auto glyph = first_glyph(text.substr(bytes));
    used += glyph_width(glyph.code);
    if (used > columns) break;
    bytes += glyph.bytes;
  }
  return text.substr(0, bytes);
}

std::string_view beyond(std::string_view text, std::size_t columns) {
  std::size_t used = 0;
  while (!text.empty() && used < columns) {
    const auto glyph = first_glyph(text);
    used += glyph_width(glyph.code);
    text.remove_prefix(glyph.bytes);
  }
  // What is combined with the last one goes with it.
  while (!text.empty() && columns > 0 && glyph_width(first_glyph(text).code) == 0) {
    text.remove_prefix(first_glyph(text).bytes);
  }
  return text;
}

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  std::string out;
  for (const auto& word : words) {
    if (!out.empty()) out += between;
    out += word;
  }
  return out;
}

std::string paint(std::string_view text, Color color, bool colored) {
  if (!colored || color == Color::kNone) return std::string(text);
  return escape(color) + std::string(text) + "\x1b[0m";
}

void Table::add(std::vector<Cell> row) {
  TIDEMARK_CHECK(row.size() == columns_.size());
  for (auto& cell : row) cell.text = printable(cell.text);
  rows_.push_back(std::move(row));
}

std::vector<std::size_t> Table::widths(std::size_t width) const {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    auto widest = display_width(columns_[i].title);
    for (const auto& row : rows_) widest = std::max(widest, display_width(row[i].text));
    out.push_back(widest);
  }
  if (width == 0) return out;
  auto total = std::accumulate(out.begin(), out.end(), kGap * (out.size() - 1));
  while (total > width) {  // The widest gives, a column at a time: all end up about alike.
    std::size_t widest = columns_.size();
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (!columns_[i].cut || out[i] <= kCutWidth) continue;
      if (widest == columns_.size() || out[i] > out[widest]) widest = i;
    }
    if (widest == columns_.size()) break;
    out[widest] -= 1;
    total -= 1;
  }
  return out;
}

void Table::print(std::ostream& out, std::size_t width, bool colored) const {
  const auto sizes = widths(width);
  const auto line = [&](auto&& cell_of) {
    std::string text;
    std::size_t owed = 0;  // Spaces before the next cell: none at the end of a line.
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const Cell cell = cell_of(i);
      const auto shown = shorten(cell.text, sizes[i]);
      const auto room = sizes[i] - std::min(sizes[i], display_width(shown));
      if (columns_[i].right) owed += room;
      if (!shown.empty()) {
        text += std::string(owed, ' ') + paint(shown, cell.color, colored);
        owed = 0;
      }
      owed += kGap + (columns_[i].right ? 0 : room);
    }
    out << text << "\n";
  };
  line([&](std::size_t i) { return Cell(columns_[i].title, Color::kBold); });
  for (const auto& row : rows_) line([&](std::size_t i) { return row[i]; });
}

}  // namespace tidemark::tools
