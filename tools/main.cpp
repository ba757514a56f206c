// tools/main.cpp
//
// The executable `tidemark`: the command line, and the programs that it starts.

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "nodes/run.h"
#include "tools/cli.h"

namespace {

/// What the supervisor starts nodes with: this very file, also after a `cd`.
std::string executable(const char* called) {
  std::error_code failure;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", failure);
  return failure ? std::string(called) : path.string();
}

}  // namespace

int main(int argc, char** argv) {
  auto context = tidemark::tools::real_context();
  const auto self = executable(argv[0]);
  context.programs.up = [self](const auto& site) { return tidemark::nodes::run_up(site, self); };
  context.programs.solo = &tidemark::nodes::run_solo;
  context.programs.node = &tidemark::nodes::run_node;
  return tidemark::tools::run_cli(context, {argv + 1, argv + argc});
}
