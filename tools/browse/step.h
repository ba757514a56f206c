// tools/browse/step.h
//
// What an event does to the state, and what is to be done about it. Pure: the same events give the
// same state, so a test needs no terminal and no journal.

#pragma once

#include <string>

#include "tools/browse/state.h"

namespace tidemark::tools::browse {

/// What browse begins with, from its options.
struct Beginning {
  LogFilter filter;
  std::string from;  // a moment, or a mark; empty: the journal's end
  bool follow = false;
};
/// Errors: kInvalidArgument, as read_request() and parse_moment().
Result<Actions> begin(BrowseState& state, const Beginning& beginning, const Now& now);

Actions step(BrowseState& state, const Event& event, const Now& now);

}  // namespace tidemark::tools::browse
