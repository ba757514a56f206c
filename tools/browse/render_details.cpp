#include <algorithm>

#include "tools/browse/render_parts.h"
#include "tools/browse/row_writer.h"

namespace tidemark::tools::browse {

std::vector<Row> detail_rows(const BrowseState& state) {
  std::vector<Row> rows;
  const auto room = layout_of(state).details;
  if (room == 0) return rows;
  const auto texts = detail_texts(state);
  const auto body = room - 1;  // below the head
  RowWriter head(state.size.columns, true);
  head.add(" details");
  if (texts.size() > body) head.add(", " + std::to_string(texts.size()) + " rows: J K scroll");
  rows.push_back(head.row());
  const auto first = std::min(state.details_scroll, texts.size() - std::min(texts.size(), body));
  for (auto i = first; i < texts.size() && rows.size() < room; ++i) {
    rows.push_back(RowWriter(state.size.columns).add(texts[i]).row());
  }
  return rows;
}

}  // namespace tidemark::tools::browse
