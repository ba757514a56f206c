// tools/main.cpp
//
// The executable `tidemark`: the command line, and the programs that it starts.

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "nodes/offline_journal.h"
#include "nodes/run.h"
#include "tools/cli.h"

namespace {

/// What the supervisor starts nodes with: this very file, also after a `cd`.
std::string executable(const char* called) {
  std::error_code failure;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", failure);
  return failure ? std::string(called) : path.string();
}

tidemark::Result<std::unique_ptr<tidemark::tools::Client>> read_journal(
    const std::string& directory, const std::string& site) {
  constexpr auto kBudget = std::chrono::seconds(10);  // It answers from this very process.
  auto opened = tidemark::nodes::OfflineJournal::open(directory, site);
  if (!opened) return opened.error();
  const std::shared_ptr<tidemark::nodes::OfflineJournal> journal = std::move(opened).value();
  auto client = tidemark::tools::Client::join(journal->link(), {journal->registry()},
                                              "the journal does not answer", kBudget);
  if (client) client.value()->keep(journal);
  return client;
}

}  // namespace

int main(int argc, char** argv) {
  auto context = tidemark::tools::real_context();
  const auto self = executable(argv[0]);
  context.programs.up = [self](const auto& site) { return tidemark::nodes::run_up(site, self); };
  context.programs.solo = &tidemark::nodes::run_solo;
  context.programs.node = &tidemark::nodes::run_node;
  context.programs.read_journal = &read_journal;
  return tidemark::tools::run_cli(context, {argv + 1, argv + argc});
}
