// tools/cmd_site.cpp
//
// up, solo, node: the programs. What they do is in nodes/.

#include "tools/commands.h"

namespace tidemark::tools {
namespace {

Exit run_program(Context& context, const std::function<int(const config::Site&)>& program) {
  const auto site = load_site(context);
  if (!site) return context.report(site.error());
  if (!program) {
    return context.report({Code::kFailed, "this build of tidemark has no nodes"});
  }
  return Exit{program(site.value())};
}

}  // namespace

void add_site_commands(Command app, Context& context) {
  add_command(app, context, "up",
              {"Run the site: start its nodes and keep them running",
               "Starts the nodes of the site file on this host as processes, restarts what dies, "
               "and stops them in order on Ctrl-C or SIGTERM.",
               "  tidemark up -c site.toml"},
              [&context] { return run_program(context, context.programs.up); });
  add_command(app, context, "solo",
              {"Run all nodes of the site in this one process",
               "For a laptop, a test, a demonstration: the same nodes without a supervisor, so "
               "nothing is restarted.",
               "  tidemark solo -c site.toml"},
              [&context] { return run_program(context, context.programs.solo); });
  auto name = std::make_shared<std::string>();
  auto node = add_command(
      app, context, "node",
      {"Run one node of the site in this process",
       "What `tidemark up` starts for each node: registry, journal, keeper, monitor or gateway. "
       "Exits with 3 when a newer one of the same name is running.",
       "  tidemark node monitor -c site.toml"},
      [&context, name] {
        const auto& program = context.programs.node;
        if (!program) return run_program(context, {});
        return run_program(context, [&](const config::Site& site) { return program(site, *name); });
      });
  node.add_option("NAME", *name, "The node's name in the site file").required();
}

}  // namespace tidemark::tools
