#include "tools/cli.h"

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
  app.add_option_function<std::string>(
         "--timeout",
         [&context](const std::string& text) {
           const auto duration = parse_duration_argument(text);
           if (!duration) throw CLI::ValidationError("--timeout", duration.error().message);
           context.timeout = duration.value();
         },
         "Longest wait for an answer, or for a job's end: 500ms, 5s, 2m")
      ->type_name("DURATION");
  app.set_version_flag("--version", std::string("tidemark ") + TIDEMARK_VERSION,
                       "Print the version and exit");
}

void add_completion(CLI::App& app, Context& context) {
  auto shell = std::make_shared<std::string>();
  auto* command = add_command(
      app, context, "completion",
      {"Print a completion script for a shell",
       "Completes commands, options, PVs and marks. Put it where the shell looks for completions.",
       "  tidemark completion bash > ~/.local/share/bash-completion/completions/tidemark\n"
       "  tidemark completion zsh > ~/.zfunc/_tidemark\n"
       "  tidemark completion fish > ~/.config/fish/completions/tidemark.fish"},
      [&app, &context, shell] {
        context.out << completion_script(app, *parse_shell(*shell));
        return Exit::kFine;
      });
  command->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
}

}  // namespace

CLI::Option* add_duration(CLI::App& command, const std::string& name, Duration& into,
                          const std::string& help) {
  const auto read = [name, &into](const std::string& text) {
    const auto duration = parse_duration_argument(text);
    if (!duration) throw CLI::ValidationError(name, duration.error().message);
    into = duration.value();
  };
  return command.add_option_function<std::string>(name, read, help)->type_name("DURATION");
}

CLI::Option* add_repeatable(CLI::App& command, const std::string& name,
                            std::vector<std::string>& into, const std::string& help) {
  return command.add_option(name, into, help + "; may be repeated")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

CLI::Option* add_journal(CLI::App& command, Context& context) {
  return command
      .add_option("--journal", context.journal,
                  "Read this journal's directory; the system need not run")
      ->type_name("DIR");
}

CLI::App* add_group(CLI::App& parent, const std::string& name, Help help) {
  auto* command = parent.add_subcommand(name, help.summary);
  command->require_subcommand(1);
  command->footer(help.paragraph + "\n\nEXAMPLE\n" + help.example + "\n");
  return command;
}

CLI::App* add_command(CLI::App& parent, Context& context, const std::string& name, Help help,
                      std::function<Exit()> run) {
  auto* command = parent.add_subcommand(name, help.summary);
  command->footer(help.paragraph + "\n\nEXAMPLE\n" + help.example + "\n");
  command->callback([&context, run = std::move(run)] { context.command = run; });
  return command;
}

std::shared_ptr<CLI::App> make_app(Context& context) {
  auto app = std::make_shared<CLI::App>("Tidemark: the memory of a machine", "tidemark");
  app->fallthrough();  // Global options may stand after the command; commands inherit this.
  app->require_subcommand(1);
  app->get_formatter()->column_width(34);
  add_global_options(*app, context);
  add_site_commands(*app, context);
  add_keygen_command(*app, context);
  add_status_commands(*app, context);
  add_ls_command(*app, context);
  add_describe_command(*app, context);
  add_kv_commands(*app, context);
  add_event_commands(*app, context);
  add_status_item_commands(*app, context);
  add_bus_commands(*app, context);
  add_pv_commands(*app, context);
  add_policy_commands(*app, context);
  add_snapshot_commands(*app, context);
  add_state_command(*app, context);
  add_diff_command(*app, context);
  add_history_command(*app, context);
  add_blame_command(*app, context);
  add_replay_commands(*app, context);
  add_log_commands(*app, context);
  add_browse_command(*app, context);
  add_journal_commands(*app, context);
  add_job_commands(*app, context);
  add_completion(*app, context);
  add_names_command(*app, context);
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
