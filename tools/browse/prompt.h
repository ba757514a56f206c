// tools/browse/prompt.h
//
// What is typed below the lines: a search, a filter, a moment.

#pragma once

#include <string>

#include "tools/browse/state.h"

namespace tidemark::tools::browse {

void open_prompt(BrowseState& state, PromptFor what);
void on_prompt_key(BrowseState& state, const Key& key, const Now& now, Actions& actions);

/// From now on only such lines. The cursor stays, or is on the next line that is still there.
/// Errors: kInvalidArgument; nothing has changed.
Result<Unit> set_filter(BrowseState& state, const LogFilter& filter, const Now& now,
                        Actions& actions);

/// Asks the journal which line that is; its answer moves the cursor.
/// Errors: kInvalidArgument.
Result<Unit> find_moment(BrowseState& state, const std::string& text, const Now& now,
                         Actions& actions);

}  // namespace tidemark::tools::browse
