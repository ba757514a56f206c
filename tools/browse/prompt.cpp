#include "tools/browse/prompt.h"

#include <algorithm>

#include "tools/browse/moves.h"
#include "tools/browse/searching.h"
#include "tools/moment.h"

namespace tidemark::tools::browse {
namespace {

constexpr std::size_t kTypedMax = 50;  // earlier lines of a prompt

void remember(std::vector<std::string>& typed, const std::string& text) {
  if (text.empty()) return;
  std::erase(typed, text);
  typed.push_back(text);
  if (typed.size() > kTypedMax) typed.erase(typed.begin());
}

/// An end that a line or a mark stands for. Times are in the request.
void set_end(BrowseState& state, Purpose purpose, const std::optional<api::Moment>& end,
             std::optional<std::uint64_t>& line, Actions& actions) {
  forget(state, purpose, actions);
  if (!end || end->time) return;
  if (end->mark.empty()) {
    line = end->line;
  } else {
    ask(state, purpose, *end, actions);
  }
}

/// What was typed is complete. Errors: it is not right, and stays to be corrected.
Result<Unit> enter(BrowseState& state, const Now& now, Actions& actions) {
  const auto& text = state.edit.text();
  switch (state.prompt) {
    case PromptFor::kSearch:
    case PromptFor::kSearchBack:
      search(state, text, state.prompt == PromptFor::kSearch, actions);
      return Unit{};
    case PromptFor::kFilter: {
      const auto words = parse_filter_words(text);
      if (!words) return words.error();
      return set_filter(state, words.value(), now, actions);
    }
    case PromptFor::kMoment: break;
  }
  if (text.empty()) return Unit{};
  return find_moment(state, text, now, actions);
}

}  // namespace

void open_prompt(BrowseState& state, PromptFor what) {
  state.mode = Mode::kPrompt;
  state.prompt = what;
  // A filter is mostly a small change of the last one.
  const auto begins_with = what == PromptFor::kFilter ? filter_words_text(state.filter) : "";
  state.edit = LineEdit(begins_with, state.typed[what]);
}

void on_prompt_key(BrowseState& state, const Key& key, const Now& now, Actions& actions) {
  const bool leaves = key.name == KeyName::kEscape || key.name == KeyName::kInterrupt ||
                      (key.name == KeyName::kBackspace && state.edit.text().empty());
  if (leaves) {
    state.mode = Mode::kLines;
  } else if (key.name != KeyName::kEnter) {
    state.edit.take(key);
  } else if (const auto entered = enter(state, now, actions); entered) {
    remember(state.typed[state.prompt], state.edit.text());
    state.mode = Mode::kLines;
  } else {
    say(state, entered.error().message, true);
  }
}

Result<Unit> set_filter(BrowseState& state, const LogFilter& filter, const Now& now,
                        Actions& actions) {
  auto request = read_request(filter, now.utc);
  if (!request) return request.error();
  const auto ends = ends_of(filter, now.utc);
  if (!ends) return ends.error();
  state.filter = filter;
  state.request = std::move(request).value();
  state.span = {};
  set_end(state, Purpose::kFilterSince, ends.value().since, state.span.first, actions);
  set_end(state, Purpose::kFilterUntil, ends.value().until, state.span.last, actions);
  forget(state, Purpose::kFilterMark, actions);
  if (!filter.mark.empty()) {
    // Between two pages there may come a newer one of that name.
    api::MarksQuery query;
    query.mark = filter.mark;
    query.limit = 1;
    ask(state, Purpose::kFilterMark, query, actions);
  }
  read_anew(state, actions);
  return Unit{};
}

Result<Unit> find_moment(BrowseState& state, const std::string& text, const Now& now,
                         Actions& actions) {
  const auto moment = parse_moment(text, now.utc);
  if (!moment) return moment.error();
  ask(state, Purpose::kMoment, moment.value(), actions);
  return Unit{};
}

}  // namespace tidemark::tools::browse
