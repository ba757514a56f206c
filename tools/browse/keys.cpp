#include "tools/browse/keys.h"

#include <algorithm>

#include "tools/browse/moves.h"
#include "tools/browse/prompt.h"
#include "tools/browse/searching.h"

namespace tidemark::tools::browse {
namespace {

constexpr std::uint32_t kListMax = 1000;        // marks in the list, the newest
constexpr std::uint32_t kBoundariesMax = 1000;  // marks to find the next boundary among
constexpr std::size_t kShift = 16;              // columns a step to the side

/// Keys that do the same as a letter.
char32_t letter_of(const Key& key) {
  switch (key.name) {
    case KeyName::kUp: return 'k';
    case KeyName::kDown: return 'j';
    case KeyName::kPageUp: return 'b';
    case KeyName::kPageDown: return ' ';
    case KeyName::kHome: return 'g';
    case KeyName::kEnd: return 'G';
    case KeyName::kCharacter:
      if (key.character == ctrl('F')) return ' ';
      if (key.character == ctrl('B')) return 'b';
      if (key.character == ctrl('N')) return 'j';
      if (key.character == ctrl('P')) return 'k';
      return key.character;
    default: return 0;
  }
}

/// How far a key moves, on pages of `rows`; 0: it does not.
long move_of(char32_t letter, std::size_t rows) {
  const auto page = static_cast<long>(std::max<std::size_t>(rows, 1));
  switch (letter) {
    case 'j': return 1;
    case 'k': return -1;
    case ' ': return page;
    case 'b': return -page;
    case 'd': return std::max(page / 2, 1L);
    case 'u': return -std::max(page / 2, 1L);
    default: return 0;
  }
}

void stop_following(BrowseState& state, Actions& actions) {
  if (state.follow) forget(state, Purpose::kNewer, actions);
  state.follow = false;
}

void set_level(BrowseState& state, const char* level, const Now& now, Actions& actions) {
  auto filter = state.filter;
  filter.level = filter.level == level ? "" : level;  // again: all of them
  if (const auto set = set_filter(state, filter, now, actions); !set) {
    say(state, set.error().message, true);
  }
}

void ask_boundary(BrowseState& state, bool next, Actions& actions) {
  const auto* here = current(state);
  if (here == nullptr) return;
  state.boundary_next = next;
  api::MarksQuery query;
  query.newest_first = !next;
  (next ? query.since : query.until) = here->recorded_at;
  query.limit = kBoundariesMax;
  ask(state, Purpose::kBoundary, query, actions);
}

void open_list(BrowseState& state, Actions& actions) {
  api::MarksQuery query;
  query.limit = kListMax;
  ask(state, Purpose::kMarkList, query, actions);
}

/// Ctrl-C and Escape end what goes on; they never end the program.
void stop_something(BrowseState& state, Actions& actions) {
  if (state.search.running) {
    forget(state, Purpose::kSearch, actions);
    state.search.running = false;
    say(state, "the search was stopped at line " + std::to_string(state.search.at));
  } else if (state.follow) {
    stop_following(state, actions);
  } else if (state.details) {
    state.details = false;
  } else if (!state.search.text.empty()) {
    state.search.text.clear();
  } else {
    say(state, "q quits");
  }
}

void scroll_details(BrowseState& state) {
  const auto rows = layout_of(state).details;
  if (state.details_scroll + rows <= detail_texts(state).size()) ++state.details_scroll;
}

void command(BrowseState& state, char32_t letter, const Now& now, Actions& actions) {
  switch (letter) {
    case 'q': state.quit = true; break;
    case 'h':
      state.mode = Mode::kHelp;
      state.help_scroll = 0;
      break;
    case 'g': to_begin(state, actions); break;
    case 'G': to_end(state, actions); break;
    case 'F':
      if (state.frozen) {
        say(state, "a directory is read as it was when it was opened", true);
        break;
      }
      state.follow = true;
      to_end(state, actions);
      break;
    case '/': open_prompt(state, PromptFor::kSearch); break;
    case '?': open_prompt(state, PromptFor::kSearchBack); break;
    case '&':
    case 'f': open_prompt(state, PromptFor::kFilter); break;
    case 't': open_prompt(state, PromptFor::kMoment); break;
    case 'n': search_again(state, true, actions); break;
    case 'N': search_again(state, false, actions); break;
    case 'w': set_level(state, "warning", now, actions); break;
    case 'e': set_level(state, "error", now, actions); break;
    case 'i': set_level(state, "info", now, actions); break;
    case 'm': state.mode = Mode::kBookmark; break;
    case '\'': state.mode = Mode::kGoTo; break;
    case '[': ask_boundary(state, false, actions); break;
    case ']': ask_boundary(state, true, actions); break;
    case 'M': open_list(state, actions); break;
    case 'J': scroll_details(state); break;
    case 'K': state.details_scroll -= std::min<std::size_t>(state.details_scroll, 1); break;
    case ctrl('L'):
      state.marks_first = 1;
      state.marks_last = 0;
      state.window.ask_end_again();
      actions.push_back(Repaint{});
      break;
    default: say(state, "h shows what the keys do"); break;
  }
}

void on_line_key(BrowseState& state, const Key& key, const Now& now, Actions& actions) {
  const auto letter = letter_of(key);
  const auto rows = move_of(letter, layout_of(state).lines);
  if (rows != 0) {
    if (rows > 0 && state.follow) return;  // It is at the end, and stays there.
    stop_following(state, actions);
    move_by(state, rows);
    return;
  }
  state.owed = 0;
  switch (key.name) {
    case KeyName::kEnter: state.details = !state.details; return;
    case KeyName::kRight: state.shift = std::min(state.shift + kShift, kTextMax); return;
    case KeyName::kLeft: state.shift -= std::min(state.shift, kShift); return;
    case KeyName::kEscape:
    case KeyName::kInterrupt: stop_something(state, actions); return;
    default: break;
  }
  if (letter == 'g' || letter == '/' || letter == '?') stop_following(state, actions);
  if (letter != 0) command(state, letter, now, actions);
}

void on_bookmark_key(BrowseState& state, const Key& key, Actions& actions) {
  const bool sets = state.mode == Mode::kBookmark;
  state.mode = Mode::kLines;
  if (key.name != KeyName::kCharacter || key.character < 0x20) return;
  if (sets) {
    if (const auto* here = current(state)) state.bookmarks[key.character] = here->line;
    return;
  }
  if (key.character == '\'') {
    if (state.left != 0) jump_to(state, state.left, actions);
    return;
  }
  const auto found = state.bookmarks.find(key.character);
  if (found == state.bookmarks.end()) {
    say(state, "there is no such bookmark: m and a letter set one", true);
  } else {
    jump_to(state, found->second, actions);
  }
}

void on_list_key(BrowseState& state, const Key& key, const Now& now, Actions& actions) {
  const auto letter = letter_of(key);
  const auto rows = state.size.rows > 2 ? state.size.rows - 2 : 1;
  const auto last = state.list.empty() ? 0 : static_cast<long>(state.list.size()) - 1;
  const auto to = static_cast<long>(state.list_cursor) + move_of(letter, rows);
  state.list_cursor = static_cast<std::size_t>(std::clamp(to, 0L, last));
  if (letter == 'g') state.list_cursor = 0;
  if (letter == 'G') state.list_cursor = static_cast<std::size_t>(last);
  const bool leaves = letter == 'q' || letter == 'M' || key.name == KeyName::kEscape ||
                      key.name == KeyName::kInterrupt;
  if (leaves) state.mode = Mode::kLines;
  if (state.list.empty()) return;
  const auto& mark = state.list[state.list_cursor];
  if (key.name == KeyName::kEnter || letter == 'e') {
    const auto& point = key.name == KeyName::kEnter ? mark.begin : mark.end;
    if (point) {
      state.mode = Mode::kLines;
      jump_to(state, point->line, actions);
    } else {
      say(state, key.name == KeyName::kEnter ? "the journal has only its end" : "it is open", true);
    }
  } else if (letter == 'o') {
    state.mode = Mode::kLines;
    auto filter = state.filter;
    filter.mark = mark.id.text();
    if (const auto set = set_filter(state, filter, now, actions); !set) {
      say(state, set.error().message, true);
    }
  }
}

void on_help_key(BrowseState& state, const Key& key) {
  const auto rows = state.size.rows > 2 ? state.size.rows - 2 : 1;
  const auto moves = move_of(letter_of(key), rows);
  if (moves == 0) {
    state.mode = Mode::kLines;
    return;
  }
  const auto all = key_help().size();
  const auto last = static_cast<long>(all - std::min(all, rows));
  const auto to = static_cast<long>(state.help_scroll) + moves;
  state.help_scroll = static_cast<std::size_t>(std::clamp(to, 0L, last));
}

}  // namespace

void on_key(BrowseState& state, const Key& key, const Now& now, Actions& actions) {
  say(state, "");
  switch (state.mode) {
    case Mode::kLines: on_line_key(state, key, now, actions); break;
    case Mode::kPrompt: on_prompt_key(state, key, now, actions); break;
    case Mode::kBookmark:
    case Mode::kGoTo: on_bookmark_key(state, key, actions); break;
    case Mode::kMarks: on_list_key(state, key, now, actions); break;
    case Mode::kHelp: on_help_key(state, key); break;
  }
}

const std::vector<KeyHelp>& key_help() {
  static const std::vector<KeyHelp> kHelp = {
      {"j k, arrows", "a line down, up"},
      {"space b, PgDn PgUp", "a page down, up; d u: half of one"},
      {"g G, Home End", "to the oldest line, the newest"},
      {"F", "follow: show lines as they come; k, b, Ctrl-C end it"},
      {"t", "to a moment: @184223, 14:05, 10m ago, monday 08:00, shot 12.end"},
      {"left right", "move long lines to the side"},
      {"", ""},
      {"/ ?", "search for a text, forward or back; n N: again, the other way"},
      {"f &", "filter: level=warning kind=PutRefused subject=QUAD:* text=beam"},
      {"", "since=-10m until=14:05 in='shot 12' origin=psu.* regex='beam (on|off)'"},
      {"", "field=data.shot=4711; an empty one shows all lines"},
      {"w e i", "only warnings and errors; errors; no debug. Again: all levels"},
      {"", ""},
      {"Enter", "details of the line, and away again; J K scroll them"},
      {"[ ]", "to where a mark begins or ends, before and after"},
      {"M", "list of marks: Enter goes to its begin, e to its end,"},
      {"", "o shows only what is inside"},
      {"m a, ' a", "set a bookmark named a; go to it. '': to where you were"},
      {"", ""},
      {"Ctrl-C, Esc", "stop a search, following, the details"},
      {"Ctrl-L", "paint the screen anew"},
      {"h", "this help"},
      {"q", "quit"},
  };
  return kHelp;
}

}  // namespace tidemark::tools::browse
