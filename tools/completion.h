// tools/completion.h
//
// Completion scripts, made from the tree of commands itself, so they cannot fall behind it; and the
// command that they ask for names.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace tidemark::tools {

enum class Shell : std::uint8_t { kBash, kZsh, kFish };
std::optional<Shell> parse_shell(std::string_view text);

std::string completion_script(const CLI::App& app, Shell shell);

class Command;
struct Context;
void add_names_command(Command app, Context& context);  // complete-names

}  // namespace tidemark::tools
