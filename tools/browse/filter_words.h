// tools/browse/filter_words.h
//
// The filters of `log query` as one types them into a prompt:
//
//   level=warning kind=PutIntended,PutConfirmed subject=QUAD:* text='beam loss' since=-10m
//   in='shot 4711' field=data.shot>=4711
//
// A word alone is a level, a kind, a subject when it has a * or ?, else a part of the text.

#pragma once

#include <string>
#include <string_view>

#include "tools/log_filter.h"

namespace tidemark::tools::browse {

/// Errors: kInvalidArgument, naming the word. What the words say is checked by read_request().
Result<LogFilter> parse_filter_words(std::string_view text);

/// What parse_filter_words() makes the same of.
std::string filter_words_text(const LogFilter& filter);

}  // namespace tidemark::tools::browse
