// tools/browse/answers.h
//
// What the journal answered: lines, marks, a moment, or that it is away.

#pragma once

#include "tools/browse/state.h"

namespace tidemark::tools::browse {

void on_answer(BrowseState& state, const Answer& answer, const Now& now, Actions& actions);

}  // namespace tidemark::tools::browse
