// tools/browse/searching.h
//
// Search for a text in what the rows show: subject, text, kind and origin, in any case. First in
// the lines that are here, then page by page in the journal, while the keys go on.

#pragma once

#include <string>
#include <string_view>

#include "tools/browse/state.h"

namespace tidemark::tools::browse {

/// An empty `text`: the last one again.
void search(BrowseState& state, const std::string& text, bool forward, Actions& actions);
/// The same text; `same_way` false: the other way.
void search_again(BrowseState& state, bool same_way, Actions& actions);
/// Lines from beyond the window.
void on_searched(BrowseState& state, const api::ReadReply& reply, Actions& actions);

/// Where `part` begins in `text`, in any case of ASCII letters; npos when it is not there.
std::size_t find_in_any_case(std::string_view text, std::string_view part, std::size_t from = 0);

}  // namespace tidemark::tools::browse
