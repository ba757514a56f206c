// tools/cli.h
//
// The whole command line: arguments in, exit code out.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tools/context.h"

namespace CLI {
class App;
}

namespace tidemark::tools {

/// The tree of commands and options. `context` outlives it.
std::shared_ptr<CLI::App> make_app(Context& context);

/// `arguments` without the program's name. Never throws.
int run_cli(Context& context, std::vector<std::string> arguments);

}  // namespace tidemark::tools
