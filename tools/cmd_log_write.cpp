// tools/cmd_log_write.cpp
//
// log write: a script says something to the journal.

#include <ostream>

#include "tools/commands.h"
#include "tools/marks.h"

namespace tidemark::tools {
namespace {

using namespace std::chrono_literals;

struct WriteOptions {
  std::string level;
  std::string text;
  std::string category;
  std::vector<std::string> fields;
};

Exit write(Context& context, const WriteOptions& options) {
  const auto level = model::parse_level(options.level);
  if (!level) {
    return context.report(
        {Code::kInvalidArgument, "'" + options.level + "' is none of debug, info, warning, error"});
  }
  const auto data = parse_data(options.fields, "--field");
  if (!data) return context.report(data.error());
  return with_client(context, [&](Client& client) {
    const auto said = say(client, context.user,
                          {model::LogMessage{*level, context.user, options.text, data.value(),
                                             options.category, context.now()}},
                          context.budget(5s));
    return said ? Exit::kFine : context.report(said.error());
  });
}

}  // namespace

void add_log_write_command(Command log, Context& context) {
  auto options = std::make_shared<WriteOptions>();
  auto command = add_command(
      log, context, "write",
      {"Write a message into the journal",
       "For scripts. It is durable when the command ends; `log query` finds it, also by its "
       "fields. A field's value is a number, true, false, a list [1, 2], or text.",
       "  tidemark log write info 'beam on'\n"
       "  tidemark log write warning 'pressure rises' --field gauge=VG:3 --field mbar=2.5e-6\n"
       "  tidemark log write error 'backup failed' --category backup"},
      [&context, options] { return write(context, *options); });
  command.add_option("LEVEL", options->level, "debug, info, warning, error").required();
  command.add_option("TEXT", options->text, "What to say").required();
  add_repeatable(command, "--field", options->fields, "What others may look for, as shot=4711")
      .type_name("KEY=VALUE");
  command.add_option("--category", options->category, "Which part of the script speaks")
      .type_name("NAME");
}

}  // namespace tidemark::tools
