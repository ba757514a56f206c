// tools/browse/row_writer.h
//
// Fills one row of the screen from the left, and cuts what does not fit. Pure.

#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "tools/browse/render.h"

namespace tidemark::tools::browse {

class RowWriter {
 public:
  explicit RowWriter(std::size_t columns, bool reverse = false) : left_(columns) {
    row_.reverse = reverse;
  }

  RowWriter& add(std::string_view text, Color color = Color::kNone, bool reverse = false) {
    auto cut = shorten(text, left_);
    if (cut.empty()) return *this;
    left_ -= std::min(left_, display_width(cut));
    row_.spans.push_back({std::move(cut), color, reverse});
    return *this;
  }
  /// `text`, and spaces up to `width` columns.
  RowWriter& add_padded(std::string_view text, std::size_t width, Color color = Color::kNone) {
    auto cut = shorten(text, width);
    cut.append(width - std::min(width, display_width(cut)), ' ');
    return add(cut, color);
  }
  /// Spaces, so that `text` ends the row; nothing when it does not fit.
  RowWriter& add_at_end(std::string_view text, Color color = Color::kNone) {
    const auto width = display_width(text);
    if (width > left_) return *this;
    return add(std::string(left_ - width, ' ')).add(text, color);
  }

  std::size_t left() const { return left_; }
  Row row() { return std::move(row_); }

 private:
  std::size_t left_;
  Row row_;
};

}  // namespace tidemark::tools::browse
