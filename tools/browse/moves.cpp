#include "tools/browse/moves.h"

#include <algorithm>
#include <utility>

namespace tidemark::tools::browse {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kPage = 500;          // lines; some screens
constexpr std::uint32_t kMarksBeside = 2000;  // in a window, the newest
constexpr auto kWait = 5s;                    // for a newer line
constexpr auto kPulse = 2s;                   // between questions whether the journal is there
constexpr auto kMarksAnew = 2s;               // while following: marks may end, or be set
constexpr std::size_t kJumpRow = 3;           // a third of the screen above where one jumps to

/// From here on the screen shows what the state says, also when lines come.
void settle(BrowseState& state) {
  const auto shown = visible(state);
  if (!shown) return;
  state.cursor = state.window.lines()[shown->cursor].line;
  state.cursor_row = shown->cursor - shown->first;
}

void forget_lines(BrowseState& state, Actions& actions) {
  forget(state, Purpose::kOlder, actions);
  forget(state, Purpose::kNewer, actions);
  forget(state, Purpose::kSearch, actions);
  state.search.running = false;
  state.owed = 0;
  state.newer_at = {};
}

void ask_lines(BrowseState& state, const Now& now, Actions& actions) {
  const auto rows = layout_of(state).lines;
  const auto margin = 2 * rows + 1;
  const auto at = state.window.position(state.cursor);
  const auto size = state.window.lines().size();
  const auto above = at ? *at : 0;
  const auto below = at ? size - 1 - *at : 0;
  const auto beyond = [&state](bool newest_first, std::uint64_t from) {
    auto request = state.request;
    request.limit = kPage;
    request.newest_first = newest_first;
    request.from = from;
    keep_within(state.span, request);
    return request;
  };
  const auto older = state.window.older_from();
  if (older && above < margin && !state.asked[static_cast<std::size_t>(Purpose::kOlder)]) {
    ask(state, Purpose::kOlder, beyond(true, *older), actions);
  }
  const auto newer = state.window.newer_from();
  if (!newer || state.asked[static_cast<std::size_t>(Purpose::kNewer)]) return;
  const bool wanted =
      state.follow ? now.steady >= state.newer_at : below < margin && !state.window.at_end();
  if (!wanted) return;
  auto request = beyond(false, *newer);
  if (state.follow) request.wait = kWait;
  ask(state, Purpose::kNewer, request, actions);
}

/// The marks of the lines that are here, when the screen has some whose marks are not known.
void ask_marks(BrowseState& state, const Now& now, Actions& actions) {
  const auto shown = visible(state);
  if (!shown || state.asked[static_cast<std::size_t>(Purpose::kGutter)]) return;
  const auto& lines = state.window.lines();
  const bool known = lines[shown->first].line >= state.marks_first &&
                     lines[shown->first + shown->count - 1].line <= state.marks_last;
  const bool old = now.steady >= state.marks_at + kMarksAnew;
  if (known && !(state.follow && old)) return;
  // Following, each line that comes would be beyond what is known.
  if (state.follow && !old && state.marks_last >= state.marks_first) return;
  api::MarksQuery query;
  query.since = lines.front().recorded_at;
  if (!state.window.at_end()) query.until = lines.back().recorded_at;
  query.limit = kMarksBeside;
  state.marks_first = lines.front().line;
  state.marks_last = state.window.at_end() ? kNewestLine : lines.back().line;
  state.marks_at = now.steady;
  ask(state, Purpose::kGutter, query, actions);
}

void ask_details(BrowseState& state, Actions& actions) {
  const auto* line = current(state);
  if (!state.details || line == nullptr || line->line == state.details_of) return;
  state.details_of = line->line;
  state.details_scroll = 0;
  api::ReadRequest request;
  request.from = request.to = line->line;
  request.limit = 1;
  ask(state, Purpose::kDetails, request, actions);
}

}  // namespace

void say(BrowseState& state, std::string text, bool is_error) {
  state.message = std::move(text);
  state.is_error = is_error;
}

void ask(BrowseState& state, Purpose purpose, Question question, Actions& actions) {
  state.asked.set(static_cast<std::size_t>(purpose));
  actions.push_back(Ask{purpose, std::move(question)});
}

void forget(BrowseState& state, Purpose purpose, Actions& actions) {
  const auto index = static_cast<std::size_t>(purpose);
  if (!state.asked[index]) return;
  state.asked.reset(index);
  actions.push_back(Forget{purpose});
}

const KeptLine* current(const BrowseState& state) {
  const auto at = state.window.position(state.cursor);
  return at ? &state.window.lines()[*at] : nullptr;
}

void move_by(BrowseState& state, long rows) {
  settle(state);
  state.owed += rows;
  if (rows > 0) state.window.ask_end_again();
  pay_owed(state);
}

void pay_owed(BrowseState& state) {
  const auto at = state.window.position(state.cursor);
  if (!at || state.owed == 0) return;
  const auto last = static_cast<long>(state.window.lines().size()) - 1;
  const auto from = static_cast<long>(*at);
  const auto to = std::clamp(from + state.owed, 0L, last);
  state.owed -= to - from;
  state.cursor = state.window.lines()[static_cast<std::size_t>(to)].line;
  const auto row_max = static_cast<long>(std::max<std::size_t>(layout_of(state).lines, 1)) - 1;
  const auto row = static_cast<long>(std::min<std::size_t>(state.cursor_row, 1u << 20));
  state.cursor_row = static_cast<std::size_t>(std::clamp(row + to - from, 0L, row_max));
  const bool no_more = state.owed > 0 ? state.window.at_end() : state.window.at_begin();
  if (no_more) state.owed = 0;
}

void jump_to(BrowseState& state, std::uint64_t line, Actions& actions) {
  if (const auto* here = current(state)) state.left = here->line;
  if (state.follow) forget(state, Purpose::kNewer, actions);
  state.follow = false;
  state.owed = 0;
  state.cursor = std::max<std::uint64_t>(line, 1);
  state.cursor_row = layout_of(state).lines / kJumpRow;
  if (state.window.covers(state.cursor)) return;
  forget_lines(state, actions);
  state.window.reset(state.cursor);
}

void to_begin(BrowseState& state, Actions& actions) {
  jump_to(state, 1, actions);
  state.cursor_row = 0;
}

void to_end(BrowseState& state, Actions& actions) {
  if (const auto* here = current(state)) state.left = here->line;
  begin_at_end(state, actions);
}

void begin_at_end(BrowseState& state, Actions& actions) {
  state.cursor = kNewestLine;
  state.cursor_row = std::max<std::size_t>(layout_of(state).lines, 1) - 1;
  forget_lines(state, actions);
  state.window.reset_to_end();
}

void read_anew(BrowseState& state, Actions& actions) {
  const auto* here = current(state);
  const auto line = here == nullptr ? state.cursor : here->line;
  forget_lines(state, actions);
  if (state.follow || line == kNewestLine) {
    begin_at_end(state, actions);
    return;
  }
  state.cursor = line;
  state.window.reset(line);
}

void ask_for_what_is_wanted(BrowseState& state, const Now& now, Actions& actions) {
  for (const auto each : {Purpose::kFilterMark, Purpose::kFilterSince, Purpose::kFilterUntil}) {
    if (state.asked[static_cast<std::size_t>(each)]) return;
  }
  if (now.steady < state.retry_at) return;
  ask_lines(state, now, actions);
  ask_marks(state, now, actions);
  ask_details(state, actions);
  const bool waits = state.asked[static_cast<std::size_t>(Purpose::kNewer)] ||
                     state.asked[static_cast<std::size_t>(Purpose::kPulse)];
  if (waits || now.steady < state.pulse_at) return;
  state.pulse_at = now.steady + kPulse;
  ask(state, Purpose::kPulse, api::Moment{}, actions);
}

}  // namespace tidemark::tools::browse
