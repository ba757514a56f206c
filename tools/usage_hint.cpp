#include "tools/usage_hint.h"

#include <CLI/CLI.hpp>

#include "tools/nearest.h"
#include "tools/table.h"

namespace tidemark::tools {
namespace {

const CLI::App* command_of(const CLI::App& app, const std::string& word) {
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name() == word) return command;
  }
  return nullptr;
}

/// Of this command or, as global options may stand anywhere, of those above it.
const CLI::Option* option_of(const CLI::App* app, const std::string& name) {
  for (; app != nullptr; app = app->get_parent()) {
    if (const auto* option = app->get_option_no_throw(name)) return option;
  }
  return nullptr;
}

std::vector<std::string> option_names(const CLI::App* app) {
  std::vector<std::string> names;
  for (; app != nullptr; app = app->get_parent()) {
    for (const auto* option : app->get_options()) {
      for (const auto& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

std::string path_of(const CLI::App* app) {
  if (app->get_parent() == nullptr) return app->get_name();
  const auto above = path_of(app->get_parent());
  return above + " " + app->get_name();
}

std::string no_command(const CLI::App& app, const std::string& word) {
  std::vector<std::string> names;
  std::string all;
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_group().empty()) continue;  // not for people
    names.push_back(command->get_name());
    all += (all.empty() ? "" : ", ") + names.back();
  }
  const auto hint = did_you_mean(word, names);
  return "'" + printable(word) + "' is no command of " + path_of(&app) +
         (hint.empty() ? ": use " + all : hint);
}

}  // namespace

std::string usage_hint(const CLI::App& app, const std::vector<std::string>& arguments) {
  const auto* at = &app;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto& word = arguments[i];
    if (word == "--") break;
    if (word.starts_with("--")) {
      const auto name = word.substr(0, word.find('='));
      const auto* option = option_of(at, name);
      if (option == nullptr) {
        return path_of(at) + " has no option '" + printable(name) + "'" +
               did_you_mean(name, option_names(at));
      }
      const bool value_is_next = option->get_items_expected_max() > 0 && name == word;
      if (value_is_next) ++i;
    } else if (word.starts_with('-')) {
      const auto* option = word.size() == 2 ? option_of(at, word) : nullptr;
      if (option != nullptr && option->get_items_expected_max() > 0) ++i;
    } else if (const auto* command = command_of(*at, word)) {
      at = command;
    } else if (at->get_require_subcommand_min() > 0) {
      return no_command(*at, word);
    }
  }
  return "";
}

}  // namespace tidemark::tools
