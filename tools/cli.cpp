#include "tools/cli.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>

#include "tools/commands.h"
#include "tools/completion.h"
#include "tools/times.h"
#include "tools/usage_hint.h"

namespace tidemark::tools {
namespace {

void add_global_options(CLI::App& app, Context& context) {
  app.add_option("-c,--config", context.site_file,
                 "Site file (default: $TIDEMARK_SITE, else ./site.toml)")
      ->type_name("FILE");
  app.add_flag("--json", context.json, "JSON for programs, one document a line");
  app.add_flag("--no-color", context.no_color, "No colours (also: NO_COLOR in the environment)");
  Command(&app)
      .add_read(
          "--timeout",
          [&context](const std::string& text) -> Result<Unit> {
            const auto duration = parse_duration_argument(text);
            if (!duration) return duration.error();
            context.timeout = duration.value();
            return Unit{};
          },
          "Longest wait for an answer, or for a job's end: 500ms, 5s, 2m")
      .type_name("DURATION");
  app.set_version_flag("--version", std::string("tidemark ") + TIDEMARK_VERSION,
                       "Print the version and exit");
}

void add_completion(CLI::App& app, Context& context) {
  auto shell = std::make_shared<std::string>();
  auto command = add_command(
      Command(&app), context, "completion",
      {"Print a completion script for a shell",
       "Completes commands, options, PVs, marks, subsystems, keys and events. Put it where the "
       "shell "
       "looks for completions.",
       "  tidemark completion bash > ~/.local/share/bash-completion/completions/tidemark\n"
       "  tidemark completion zsh > ~/.zfunc/_tidemark\n"
       "  tidemark completion fish > ~/.config/fish/completions/tidemark.fish"},
      [&app, &context, shell] {
        context.out << completion_script(app, *parse_shell(*shell));
        return Exit::kFine;
      });
  command.add_option("SHELL", *shell, "bash, zsh or fish")
      .required()
      .one_of({"bash", "zsh", "fish"});
}

}  // namespace

Option add_duration(Command command, const std::string& name, Duration& into,
                    const std::string& help) {
  const auto read = [&into](const std::string& text) -> Result<Unit> {
    const auto duration = parse_duration_argument(text);
    if (!duration) return duration.error();
    into = duration.value();
    return Unit{};
  };
  return command.add_read(name, read, help).type_name("DURATION");
}

Option add_repeatable(Command command, const std::string& name, std::vector<std::string>& into,
                      const std::string& help) {
  return command.add_option(name, into, help + "; may be repeated").one_value_each();
}

Option add_journal(Command command, Context& context) {
  return command
      .add_option("--journal", context.journal,
                  "Read this journal's directory; the system need not run")
      .type_name("DIR");
}

Command add_group(Command parent, const std::string& name, Help help) {
  auto command = parent.add_subcommand(name, help.summary);
  command.require_subcommand();
  command.footer(help.paragraph + "\n\nEXAMPLE\n" + help.example + "\n");
  return command;
}

Command add_command(Command parent, Context& context, const std::string& name, Help help,
                    std::function<Exit()> run) {
  auto command = parent.add_subcommand(name, help.summary);
  command.footer(help.paragraph + "\n\nEXAMPLE\n" + help.example + "\n");
  command.callback([&context, run = std::move(run)] { context.command = run; });
  return command;
}

std::shared_ptr<CLI::App> make_app(Context& context) {
  auto app = std::make_shared<CLI::App>("Tidemark: the memory of a machine", "tidemark");
  const Command root(app.get());
  app->fallthrough();  // Global options may stand after the command; commands inherit this.
  app->require_subcommand(1);
  app->get_formatter()->column_width(34);
  add_global_options(*app, context);
  add_site_commands(root, context);
  add_keygen_command(root, context);
  add_status_commands(root, context);
  add_ls_command(root, context);
  add_describe_command(root, context);
  add_forget_command(root, context);
  add_kv_commands(root, context);
  add_event_commands(root, context);
  add_status_item_commands(root, context);
  add_bus_commands(root, context);
  add_pv_commands(root, context);
  add_policy_commands(root, context);
  add_snapshot_commands(root, context);
  add_state_command(root, context);
  add_diff_command(root, context);
  add_history_command(root, context);
  add_blame_command(root, context);
  add_replay_commands(root, context);
  add_log_commands(root, context);
  add_browse_command(root, context);
  add_journal_commands(root, context);
  add_backup_command(root, context);
  add_job_commands(root, context);
  add_completion(*app, context);
  add_names_command(root, context);
  app->footer(
      "Every command has a page of its own: tidemark COMMAND --help\n\n"
      "EXAMPLE\n"
      "  tidemark up -c site.toml\n"
      "  tidemark snapshot create \"before the shift\"\n"
      "  tidemark snapshot compare \"before the shift\"\n\n" +
      std::string(kExitCodesHelp));
  return app;
}

int run_cli(Context& context, std::vector<std::string> arguments) {
  const auto app = make_app(context);
  const auto typed = arguments;
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants a vector
  try {
    app->parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    const bool is_help = error.get_exit_code() == 0;
    const auto hint = is_help ? "" : usage_hint(*app, typed);
    if (!hint.empty()) {
      context.err << "tidemark: " << hint << "\n";
      return static_cast<int>(Exit::kUsage);
    }
    const int code = app->exit(error, context.out, context.err);
    return static_cast<int>(code == 0 ? Exit::kFine : Exit::kUsage);
  }
  try {
    const auto exit = context.command ? context.command() : Exit::kUsage;
    context.out.flush();
    return static_cast<int>(exit);
  } catch (const std::exception& error) {
    context.err << "tidemark: " << error.what() << "\n";
    return static_cast<int>(Exit::kFailed);
  }
}

}  // namespace tidemark::tools
