// tools/usage_hint.h
//
// What is wrong with a command line that the parser refused, when it is a word that was mistyped:
// the command or the option that looks most like it.

#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace tidemark::tools {

/// "'stat' is no command; did you mean 'state'?", "log query has no option '--sinc'; did you mean
/// '--since'?". Empty: all words are known, and something else is wrong.
std::string usage_hint(const CLI::App& app, const std::vector<std::string>& arguments);

}  // namespace tidemark::tools
