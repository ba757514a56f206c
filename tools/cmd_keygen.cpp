// tools/cmd_keygen.cpp
//
// keygen: CURVE keys for the nodes of a site and for those who talk to them. It needs no running
// site, and with names and a directory not even a site file.

#include <algorithm>
#include <filesystem>
#include <ostream>

#include "bus/curve_keys.h"
#include "tools/commands.h"
#include "tools/table.h"

namespace tidemark::tools {
namespace {

struct Keygen {
  std::vector<std::string> names;
  std::string directory;
  bool force = false;
};

/// A name is a file's; nodes are called like this, too.
bool is_key_name(const std::string& name) {
  return !name.empty() && name.size() <= 64 && name.front() != '.' && name.front() != '-' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == '.';
         });
}

/// What the site file leaves open: where to, and for whom.
Result<Keygen> complete(const Context& context, Keygen asked) {
  if (!asked.directory.empty() && !asked.names.empty()) return asked;
  const auto loaded = load_site(context);
  if (!loaded) return loaded.error();
  const auto& site = loaded.value();
  if (asked.directory.empty()) asked.directory = site.bus.keys;
  if (asked.directory.empty()) {
    asked.directory = std::filesystem::path(site.file).parent_path() / "keys";
  }
  if (asked.names.empty()) {
    asked.names = site.nodes;
    asked.names.insert(asked.names.end(), {"supervisor", "cli"});
  }
  return asked;
}

/// All of them or, when one is there already, none.
Result<Unit> make_keys(const Keygen& wanted, bool allowed) {
  std::error_code error;
  std::filesystem::create_directories(wanted.directory, error);
  if (error) {
    return Error{Code::kUnavailable, "cannot make " + wanted.directory + ": " + error.message()};
  }
  for (const auto& name : wanted.names) {
    const auto secret = wanted.directory + "/" + name + ".secret";
    if (wanted.force || !std::filesystem::exists(secret)) continue;
    return Error{Code::kConflict, secret + " exists; --force replaces it"};
  }
  for (const auto& name : wanted.names) {
    auto saved = bus::save_curve_keys(wanted.directory, name, bus::make_curve_keys(), wanted.force);
    if (saved && allowed) saved = bus::allow_key(wanted.directory, name);
    if (!saved) return saved;
  }
  return Unit{};
}

void print_next_steps(std::ostream& out, const Keygen& made, bool allowed) {
  const auto directory = printable(made.directory);
  for (const auto& name : made.names) {
    out << directory << "/" << name
        << (allowed ? ".secret, .public, allowed\n" : ".secret, .public\n");
  }
  out << "\nNEXT\n";
  if (allowed) {
    out << "  in the site file:    [bus] keys = \"" << directory << "\"\n"
        << "  for each other host: put the public files of its nodes into allowed/ here, those of\n"
           "                       here into allowed/ there, and registry.public beside its keys\n";
  } else {
    out << "  to let it in:        put " << made.names.front()
        << ".public into allowed/ of the keys on each host\n";
  }
  out << "  to shut one out:     remove its file from allowed/, and restart what it is connected "
         "to\n";
}

Exit keygen(Context& context, const Keygen& asked) {
  for (const auto& name : asked.names) {
    if (is_key_name(name)) continue;
    return context.report({Code::kInvalidArgument, "'" + name + "' is no name for a key"});
  }
  const bool allowed = asked.names.empty();  // the whole site trusts itself
  const auto wanted = complete(context, asked);
  if (!wanted) return context.report(wanted.error());
  const auto made = make_keys(wanted.value(), allowed);
  if (!made) return context.report(made.error());
  const auto& [names, directory, force] = wanted.value();
  if (context.json) {
    context.print({{"directory", directory}, {"keys", names}, {"allowed", allowed}});
  } else {
    print_next_steps(context.out, wanted.value(), allowed);
  }
  return Exit::kFine;
}

}  // namespace

void add_keygen_command(Command app, Context& context) {
  auto asked = std::make_shared<Keygen>();
  auto command = add_command(
      app, context, "keygen",
      {"Make keys for a bus over tcp",
       "Writes NAME.secret, for its owner only, and NAME.public. Without NAME it makes keys for "
       "the nodes of the site file, for the supervisor and for this command line (cli), and "
       "allows them all. A key that is named is not allowed before its public file is in allowed/.",
       "  tidemark keygen -c site.toml\n"
       "  tidemark keygen alice --directory ~/tidemark-keys"},
      [&context, asked] { return keygen(context, *asked); });
  command.add_option("NAME", asked->names, "Whose key; may be repeated");
  command
      .add_option("--directory", asked->directory,
                  "Where to (default: bus.keys of the site file, else `keys` beside it)")
      .type_name("DIR");
  command.add_flag("--force", asked->force, "Replace keys that are there");
}

}  // namespace tidemark::tools
