// tools/browse/keys.h
//
// What each key means: in the lines as in less and vim, in the list of marks, and in the help.

#pragma once

#include <string_view>
#include <vector>

#include "tools/browse/state.h"

namespace tidemark::tools::browse {

void on_key(BrowseState& state, const Key& key, const Now& now, Actions& actions);

/// For h and --help: keys, and what they do. An empty row stands between groups.
struct KeyHelp {
  std::string_view keys;
  std::string_view what;
};
const std::vector<KeyHelp>& key_help();

}  // namespace tidemark::tools::browse
