// tools/browse/render_parts.h
//
// The parts of a frame that have a file of their own: the lines with the gutter of marks, and the
// pane of details.

#pragma once

#include <vector>

#include "tools/browse/render.h"

namespace tidemark::tools::browse {

/// At most as many as the layout has for lines.
std::vector<Row> line_rows(const BrowseState& state);
/// At most as many as the layout has for details.
std::vector<Row> detail_rows(const BrowseState& state);

}  // namespace tidemark::tools::browse
