#include "tools/browse/state.h"

#include <algorithm>

#include "tools/table.h"

namespace tidemark::tools::browse {

Layout layout_of(const BrowseState& state) {
  constexpr std::size_t kTitleFrom = 6;    // rows; smaller windows are for lines
  constexpr std::size_t kBesideFrom = 12;  // rows; below, details take the place of the lines
  Layout layout;
  auto rows = state.size.rows;
  if (rows > 0) --rows;  // the status
  if (state.size.rows >= kTitleFrom) {
    layout.title = 1;
    --rows;
  }
  if (state.details) layout.details = state.size.rows >= kBesideFrom ? rows / 2 : rows;
  layout.lines = rows - layout.details;
  return layout;
}

std::optional<Visible> visible(const BrowseState& state) {
  const auto cursor = state.window.position(state.cursor);
  if (!cursor) return std::nullopt;
  const auto size = state.window.lines().size();
  const auto rows = std::max<std::size_t>(layout_of(state).lines, 1);
  const auto row = std::min(state.cursor_row, rows - 1);
  auto first = *cursor - std::min(*cursor, row);
  if (first + rows > size) first = size - std::min(size, rows);
  return Visible{first, std::min(rows, size - first), *cursor};
}

std::vector<std::string_view> detail_texts(const BrowseState& state) {
  constexpr std::size_t kTextsMax = 2000;  // nobody scrolls further
  std::vector<std::string_view> out;
  const auto at = state.window.position(state.cursor);
  if (!at || state.window.lines()[*at].line != state.whole_line) return out;
  const auto columns = std::max<std::size_t>(state.size.columns, 2);  // a wide character fits
  for (std::string_view text : state.whole) {
    do {
      out.push_back(first_columns(text, columns));
      text.remove_prefix(out.back().size());
    } while (!text.empty() && out.size() < kTextsMax);
  }
  return out;
}

}  // namespace tidemark::tools::browse
