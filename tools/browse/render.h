// tools/browse/render.h
//
// From the state to rows of text with styles. Pure, so what the screen shows is tested as text.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/browse/state.h"
#include "tools/table.h"

namespace tidemark::tools::browse {

struct Span {
  std::string text;  // printable
  Color color = Color::kNone;
  bool reverse = false;
};
struct Row {
  std::vector<Span> spans;  // at most as wide as the screen
  bool reverse = false;     // the whole row: the cursor, the title, the status
};
struct Frame {
  std::vector<Row> rows;             // as many as the screen has
  std::optional<std::size_t> caret;  // column in the last row, while something is typed
};

Frame render(const BrowseState& state);

/// Without styles and without spaces at the end.
std::string text_of(const Row& row);

}  // namespace tidemark::tools::browse
