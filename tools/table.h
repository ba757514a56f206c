// tools/table.h
//
// Tables for people: columns aligned by what is seen, not by bytes, and cut to the terminal.
// Text from an IOC may hold anything: control characters are shown, never sent.

#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace tidemark::tools {

enum class Color : std::uint8_t { kNone, kBold, kDim, kRed, kGreen, kYellow, kMagenta };

struct Cell {
  std::string text;
  Color color = Color::kNone;
  Cell(std::string t, Color c = Color::kNone) : text(std::move(t)), color(c) {}
  Cell(std::string_view t, Color c = Color::kNone) : text(t), color(c) {}
  Cell(const char* t, Color c = Color::kNone) : text(t), color(c) {}
};

struct Column {
  std::string title;
  bool right = false;  // numbers
  bool cut = true;     // may be shortened to fit the terminal; an id may not
};

/// Columns of a terminal that `text` takes: 0 for combining marks, 2 for East Asian wide ones.
std::size_t display_width(std::string_view text);
/// Control characters as \n, \t, \x1b; bytes that are not UTF-8 as \xff.
std::string printable(std::string_view text);
/// At most `width` columns, the last one "…" when something was cut off.
std::string shorten(std::string_view text, std::size_t width);
/// The longest beginning that takes at most so many columns.
std::string_view first_columns(std::string_view text, std::size_t columns);
/// What is right of the first `columns` columns.
std::string_view beyond(std::string_view text, std::size_t columns);
/// The words one after the other, `between` between them.
std::string joined(const std::vector<std::string>& words, std::string_view between);
/// With the colour's escape sequences, when `colored`.
std::string paint(std::string_view text, Color color, bool colored);

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// One cell per column.
  void add(std::vector<Cell> row);
  bool empty() const { return rows_.empty(); }
  std::size_t size() const { return rows_.size(); }

  /// `width` 0: as wide as it is.
  void print(std::ostream& out, std::size_t width, bool colored) const;

 private:
  std::vector<std::size_t> widths(std::size_t width) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace tidemark::tools
