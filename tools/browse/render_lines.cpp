#include <algorithm>

#include "tools/browse/moves.h"
#include "tools/browse/render_parts.h"
#include "tools/browse/row_writer.h"
#include "tools/browse/searching.h"
#include "tools/log_filter.h"
#include "tools/show.h"

namespace tidemark::tools::browse {
namespace {

constexpr std::size_t kWideFrom = 110;      // columns: there is room for the origin
constexpr std::size_t kVeryWideFrom = 150;  // and for the date
constexpr std::size_t kKind = 14;
constexpr std::size_t kOrigin = 10;
constexpr std::size_t kSubject = 24;  // then the text begins further right
constexpr std::size_t kNumberMin = 5;

Color lane_color(std::size_t lane) {
  constexpr Color kColors[] = {Color::kGreen, Color::kMagenta, Color::kYellow, Color::kRed};
  return kColors[lane % std::size(kColors)];
}

const char* level_letter(model::Level level) {
  switch (level) {
    case model::Level::kDebug: return "d";
    case model::Level::kInfo: return " ";
    case model::Level::kWarning: return "W";
    case model::Level::kError: break;
  }
  return "E";
}

/// `text` less what is left of the screen, with what was searched for marked.
void add_found(RowWriter& writer, std::string_view text, std::string_view wanted, Color color) {
  while (!wanted.empty()) {
    const auto at = find_in_any_case(text, wanted);
    if (at == std::string_view::npos) break;
    writer.add(text.substr(0, at), color).add(text.substr(at, wanted.size()), color, true);
    text.remove_prefix(at + wanted.size());
  }
  writer.add(text, color);
}

/// What all rows of a screen share.
struct Columns {
  std::size_t lanes = 0;
  std::size_t number = kNumberMin;
};

Columns columns_of(const BrowseState& state, const Visible& shown) {
  Columns columns;
  const auto& lines = state.window.lines();
  const auto last = lines[shown.first + shown.count - 1].line;
  columns.number = std::max(kNumberMin, std::to_string(std::max(last, state.last_line)).size());
  columns.lanes = lanes_used(state.marks, lines[shown.first].line, last);
  return columns;
}

std::string bookmark_of(const BrowseState& state, std::uint64_t line) {
  for (const auto& [letter, marked] : state.bookmarks) {
    if (marked == line && letter < 0x7f) return std::string(1, static_cast<char>(letter));
  }
  return " ";
}

Row line_row(const BrowseState& state, const Visible& shown, std::size_t index,
             const Columns& columns) {
  const auto& lines = state.window.lines();
  const auto& line = lines[index];
  const auto width = state.size.columns;
  RowWriter writer(width, index == shown.cursor);
  if (columns.lanes > 0) {
    const auto before = index > 0 ? lines[index - 1].line : 0;
    const auto after = index + 1 < lines.size() ? lines[index + 1].line : kNewestLine;
    const auto gutter = gutter_of(state.marks, before, line.line, after);
    for (std::size_t lane = 0; lane < columns.lanes; ++lane) {
      writer.add(gutter[lane], lane_color(lane));
    }
  }
  writer.add(bookmark_of(state, line.line), Color::kBold);
  const auto number = std::to_string(line.line);
  writer.add(std::string(columns.number - std::min(columns.number, number.size()), ' ') + number);
  const auto iso = to_iso(line.recorded_at, 3);
  writer.add(" " + (width >= kVeryWideFrom ? iso : iso.substr(11, 12)) + " ", Color::kDim);
  const auto color = level_color(line.level);
  writer.add(level_letter(line.level), color).add(" ");
  writer.add_padded(model::to_string(line.kind), kKind, color).add(" ");
  if (width >= kWideFrom) writer.add_padded(line.origin, kOrigin, Color::kDim).add(" ");

  // Subject and text move to the side together.
  auto subject = line.subject;
  const auto used = display_width(subject);
  if (width >= kWideFrom && used < kSubject) subject.append(kSubject - used, ' ');
  if (!subject.empty()) subject += "  ";
  const auto subject_width = display_width(subject);
  const auto& found = state.search.text;
  if (state.shift < subject_width) add_found(writer, beyond(subject, state.shift), found, color);
  const auto text_shift = state.shift - std::min(state.shift, subject_width);
  const auto alarm = alarm_color(line.alarm);
  add_found(writer, beyond(line.text, text_shift), found, alarm == Color::kNone ? color : alarm);
  return writer.row();
}

}  // namespace

std::vector<Row> line_rows(const BrowseState& state) {
  std::vector<Row> rows;
  const auto shown = visible(state);
  const auto room = layout_of(state).lines;
  if (!shown) {
    const bool done = state.window.at_begin() && state.window.at_end();
    if (room > 0) {
      RowWriter writer(state.size.columns);
      rows.push_back(writer.add(done ? " No line matches." : " looking…", Color::kDim).row());
    }
    return rows;
  }
  const auto columns = columns_of(state, *shown);
  for (std::size_t i = 0; i < std::min(shown->count, room); ++i) {
    rows.push_back(line_row(state, *shown, shown->first + i, columns));
  }
  return rows;
}

}  // namespace tidemark::tools::browse
