#include "tools/browse/searching.h"

#include <algorithm>

#include "base/ascii.h"
#include "tools/browse/moves.h"
#include "tools/table.h"

namespace tidemark::tools::browse {
namespace {

constexpr std::uint32_t kSearchPage = 5000;  // lines; tens of milliseconds of the journal's time

template <class Line>
bool has(const Line& line, std::string_view text) {
  const auto in = [&](std::string_view where) {
    return find_in_any_case(where, text) != std::string_view::npos;
  };
  return in(line.subject) || in(line.text) || in(model::to_string(line.kind)) || in(line.origin);
}

/// In the lines that are here, from behind the cursor on.
const KeptLine* find_here(const BrowseState& state, bool forward) {
  const auto& lines = state.window.lines();
  const auto at = state.window.position(state.cursor);
  if (!at) return nullptr;
  if (forward) {
    for (auto i = *at + 1; i < lines.size(); ++i) {
      if (has(lines[i], state.search.text)) return &lines[i];
    }
  } else {
    for (auto i = *at; i-- > 0;) {
      if (has(lines[i], state.search.text)) return &lines[i];
    }
  }
  return nullptr;
}

void not_found(BrowseState& state) {
  state.search.running = false;
  say(state,
      "'" + printable(state.search.text) + "' is nowhere " + (state.search.way ? "below" : "above"),
      true);
}

void ask_from(BrowseState& state, std::uint64_t from, Actions& actions) {
  auto request = state.request;
  request.newest_first = !state.search.way;
  request.from = from;
  request.limit = kSearchPage;
  keep_within(state.span, request);
  state.search.running = true;
  state.search.at = from;
  ask(state, Purpose::kSearch, request, actions);
}

void run(BrowseState& state, bool forward, Actions& actions) {
  forget(state, Purpose::kSearch, actions);
  state.search.way = forward;
  state.search.running = false;
  if (const auto* found = find_here(state, forward)) {
    jump_to(state, found->line, actions);
    return;
  }
  const auto from = forward ? state.window.newer_from() : state.window.older_from();
  if (!from || *from == 0) {
    not_found(state);
  } else {
    ask_from(state, *from, actions);
  }
}

}  // namespace

std::size_t find_in_any_case(std::string_view text, std::string_view part, std::size_t from) {
  if (from > text.size()) return std::string_view::npos;
  const auto at =
      std::search(text.begin() + static_cast<std::ptrdiff_t>(from), text.end(), part.begin(),
                  part.end(), [](char a, char b) { return lower(a) == lower(b); });
  if (at == text.end() && !part.empty()) return std::string_view::npos;
  return static_cast<std::size_t>(at - text.begin());
}

void search(BrowseState& state, const std::string& text, bool forward, Actions& actions) {
  if (!text.empty()) state.search.text = text;
  if (state.search.text.empty()) return;
  state.search.forward = forward;
  run(state, forward, actions);
}

void search_again(BrowseState& state, bool same_way, Actions& actions) {
  if (state.search.text.empty()) {
    say(state, "nothing to search for yet: / or ? and a text", true);
    return;
  }
  run(state, same_way == state.search.forward, actions);
}

void on_searched(BrowseState& state, const api::ReadReply& reply, Actions& actions) {
  for (const auto& line : reply.lines) {
    if (!has(line, state.search.text)) continue;
    state.search.running = false;
    say(state, "");
    jump_to(state, line.line, actions);
    return;
  }
  const bool over = reply.end || reply.next == 0;
  if (over) {
    not_found(state);
  } else {
    ask_from(state, reply.next, actions);
  }
}

}  // namespace tidemark::tools::browse
