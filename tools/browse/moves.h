// tools/browse/moves.h
//
// The cursor among the lines, and what must be asked of the journal so that there are some around
// it. Moves over what is not here yet are owed until it comes.

#pragma once

#include "tools/browse/state.h"

namespace tidemark::tools::browse {

void say(BrowseState& state, std::string text, bool is_error = false);
void ask(BrowseState& state, Purpose purpose, Question question, Actions& actions);
void forget(BrowseState& state, Purpose purpose, Actions& actions);

/// The line under the cursor. None: there are no lines.
const KeptLine* current(const BrowseState& state);

/// From the line that the cursor is on; below 0: up.
void move_by(BrowseState& state, long rows);
/// As far as the lines that came allow.
void pay_owed(BrowseState& state);

/// To that line, or the next that the filter lets through. Remembers where the cursor was.
void jump_to(BrowseState& state, std::uint64_t line, Actions& actions);
void to_begin(BrowseState& state, Actions& actions);
void to_end(BrowseState& state, Actions& actions);
/// The same without a jump: what was here is nowhere any more, or is left behind.
void begin_at_end(BrowseState& state, Actions& actions);

/// Reads all anew around the cursor: the filter is another one.
void read_anew(BrowseState& state, Actions& actions);

/// Asks for lines, marks, details and the pulse, whatever is wanted and not asked yet.
void ask_for_what_is_wanted(BrowseState& state, const Now& now, Actions& actions);

}  // namespace tidemark::tools::browse
