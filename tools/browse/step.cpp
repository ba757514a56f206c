#include "tools/browse/step.h"

#include "tools/browse/answers.h"
#include "tools/browse/keys.h"
#include "tools/browse/moves.h"
#include "tools/browse/prompt.h"

namespace tidemark::tools::browse {

Result<Actions> begin(BrowseState& state, const Beginning& beginning, const Now& now) {
  Actions actions;
  const auto filtered = set_filter(state, beginning.filter, now, actions);
  if (!filtered) return filtered.error();
  state.follow = beginning.follow;
  if (!beginning.from.empty()) {
    const auto found = find_moment(state, beginning.from, now, actions);
    if (!found) return Error{found.error().code, "--from: " + found.error().message};
  } else {
    to_end(state, actions);
    ask_for_what_is_wanted(state, now, actions);
  }
  return actions;
}

Actions step(BrowseState& state, const Event& event, const Now& now) {
  Actions actions;
  if (const auto* key = std::get_if<Key>(&event)) on_key(state, *key, now, actions);
  if (const auto* answer = std::get_if<Answer>(&event)) on_answer(state, *answer, now, actions);
  if (const auto* size = std::get_if<Size>(&event)) {
    state.size = *size;
    if (state.follow) state.cursor_row = size->rows;
  }
  // Until it is known where to begin, the end would only flash by.
  const bool lost =
      state.window.lines().empty() && state.asked[static_cast<std::size_t>(Purpose::kMoment)];
  if (!state.quit && !lost) ask_for_what_is_wanted(state, now, actions);
  return actions;
}

}  // namespace tidemark::tools::browse
