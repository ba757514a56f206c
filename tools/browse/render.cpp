#include "tools/browse/render.h"

#include <algorithm>
#include <iterator>

#include "tools/browse/keys.h"
#include "tools/browse/moves.h"
#include "tools/browse/render_parts.h"
#include "tools/browse/row_writer.h"
#include "tools/marks.h"
#include "tools/show.h"

namespace tidemark::tools::browse {
namespace {

std::size_t columns_of(const BrowseState& state) { return state.size.columns; }

Row title(const BrowseState& state) {
  RowWriter writer(columns_of(state), true);
  auto words = filter_words_text(state.filter);
  writer.add(" " + state.site + "  " + (words.empty() ? "all lines" : printable(words)));
  if (const auto* here = current(state)) {
    writer.add_at_end("  " + to_iso(here->recorded_at, 0).substr(0, 10) + " UTC ");
  }
  return writer.row();
}

// ---- the row at the bottom ----------------------------------------------------------------------

std::string prompt_text(PromptFor what) {
  switch (what) {
    case PromptFor::kSearch: return "/";
    case PromptFor::kSearchBack: return "?";
    case PromptFor::kFilter: return "filter: ";
    case PromptFor::kMoment: return "to: ";
  }
  return "";
}

/// What is being typed; its beginning is left out when it does not fit.
Row prompt(const BrowseState& state, std::optional<std::size_t>& caret) {
  RowWriter writer(columns_of(state));
  writer.add(prompt_text(state.prompt), Color::kBold);
  const auto room = writer.left() > 0 ? writer.left() - 1 : 0;  // for the caret at the end
  const auto before = printable(state.edit.text().substr(0, state.edit.cursor()));
  const auto after = printable(state.edit.text().substr(state.edit.cursor()));
  const auto width = display_width(before);
  const auto shown = beyond(before, width - std::min(width, room));
  caret = columns_of(state) - writer.left() + display_width(shown);
  if (*caret > 0 && *caret >= columns_of(state)) caret = columns_of(state) - 1;
  writer.add(shown).add(after);
  // What is wrong with it stands behind it, as far as there is room.
  if (!state.message.empty()) writer.add("  " + state.message, Color::kRed);
  return writer.row();
}

std::string position_text(const BrowseState& state) {
  std::string out;
  if (state.search.running) out += "searching at " + std::to_string(state.search.at) + "  ";
  if (state.follow) out += "following  ";
  if (const auto* here = current(state)) {
    out += std::to_string(here->line) + " of " + std::to_string(state.last_line);
  }
  return out;
}

/// What there is to say about the lines, and its colour.
Span said(const BrowseState& state) {
  if (state.mode == Mode::kBookmark) return {"bookmark: press a letter"};
  if (state.mode == Mode::kGoTo) return {"go to bookmark: its letter, or ' for where you were"};
  if (!state.message.empty()) {
    return {state.message, state.is_error ? Color::kRed : Color::kNone};
  }
  if (!state.away.empty()) {
    return {"the journal is away, waiting for it: " + state.away, Color::kRed};
  }
  const auto* here = current(state);
  return {here == nullptr ? "" : within(state.marks, here->line)};
}

Row status(const BrowseState& state) {
  RowWriter writer(columns_of(state), true);
  const auto position = " " + position_text(state) + " ";
  const auto width = display_width(position) + 1;
  const auto room = columns_of(state) - std::min(columns_of(state), width);
  const auto& [text, color, reverse] = said(state);
  // In a narrow window a message is worth more than where one is.
  const bool narrow = room < width && !text.empty();
  return writer.add(shorten(" " + text, narrow ? columns_of(state) : room), color)
      .add_at_end(position)
      .row();
}

// ---- what covers the lines ----------------------------------------------------------------------

std::vector<Row> help(const BrowseState& state, std::size_t rows) {
  constexpr std::size_t kKeys = 22;  // columns
  std::vector<Row> out;
  const auto& all = key_help();
  for (auto i = state.help_scroll; i < all.size() && out.size() < rows; ++i) {
    RowWriter writer(columns_of(state));
    out.push_back(
        writer.add(" ").add_padded(all[i].keys, kKeys, Color::kBold).add(all[i].what).row());
  }
  return out;
}

std::vector<Row> mark_list(const BrowseState& state, std::size_t rows) {
  std::vector<Row> out;
  const auto first = state.list_cursor - std::min(state.list_cursor, rows > 0 ? rows - 1 : 0);
  for (auto i = first; i < state.list.size() && out.size() < rows; ++i) {
    const auto& mark = state.list[i];
    RowWriter writer(columns_of(state), i == state.list_cursor);
    const auto& point = mark.begin ? mark.begin : mark.end;
    writer.add(" ").add(point ? time_text(point->at, 0) : "-").add("  ");
    writer.add_padded(lasted_text(mark), 8, mark.end ? Color::kNone : Color::kGreen).add("  ");
    writer.add(printable(mark.name));
    for (const auto& tag : mark.tags) writer.add("  " + printable(tag), Color::kDim);
    out.push_back(writer.row());
  }
  if (state.list.empty()) {
    out.push_back(RowWriter(columns_of(state)).add(" The journal has no marks.").row());
  }
  return out;
}

Row covered_title(const BrowseState& state) {
  RowWriter writer(columns_of(state), true);
  if (state.mode == Mode::kHelp) return writer.add(" Keys of tidemark browse").row();
  writer.add(" " + std::to_string(state.list.size()) + " marks, the newest first");
  if (state.list_found > state.list.size()) {
    writer.add(", of " + std::to_string(state.list_found));
  }
  return writer.row();
}

Row covered_status(const BrowseState& state) {
  RowWriter writer(columns_of(state), true);
  if (!state.message.empty()) return writer.add(" " + state.message, Color::kRed).row();
  return writer
      .add(state.mode == Mode::kHelp
               ? " j k scroll, any other key goes back"
               : " Enter: to its begin, e: to its end, o: only what is inside, q: back")
      .row();
}

}  // namespace

Frame render(const BrowseState& state) {
  Frame frame;
  const auto rows = state.size.rows;
  const auto layout = layout_of(state);
  const auto append = [&](std::vector<Row> more) {
    std::move(more.begin(), more.end(), std::back_inserter(frame.rows));
  };
  const bool covered = state.mode == Mode::kHelp || state.mode == Mode::kMarks;
  if (layout.title > 0) frame.rows.push_back(covered ? covered_title(state) : title(state));
  const auto room = layout.lines + layout.details;
  if (covered) {
    append(state.mode == Mode::kHelp ? help(state, room) : mark_list(state, room));
  } else {
    append(line_rows(state));
    frame.rows.resize(layout.title + layout.lines);
    append(detail_rows(state));
  }
  if (rows == 0) return frame;
  frame.rows.resize(rows - 1);
  if (state.mode == Mode::kPrompt) {
    frame.rows.push_back(prompt(state, frame.caret));
  } else {
    frame.rows.push_back(covered ? covered_status(state) : status(state));
  }
  return frame;
}

std::string text_of(const Row& row) {
  std::string text;
  for (const auto& span : row.spans) text += span.text;
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

}  // namespace tidemark::tools::browse
