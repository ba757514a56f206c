#include "tools/completion.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <vector>

namespace tidemark::tools {
namespace {

struct Flag {
  std::string name;  // with its dashes
  std::string help;
  bool takes_value;
};

/// One command, and the words that may follow it.
struct Node {
  std::string path;  // "snapshot create"; empty: the program itself
  std::vector<std::pair<std::string, std::string>> commands;  // name, help
  std::vector<Flag> flags;
  bool is_group = false;  // needs one of its commands, and does nothing by itself
};

std::vector<Flag> flags_of(const CLI::App& app) {
  std::vector<Flag> flags;
  for (const auto* option : app.get_options()) {
    const bool takes_value = option->get_items_expected_max() > 0;
    for (const auto& name : option->get_lnames()) {
      flags.push_back({"--" + name, option->get_description(), takes_value});
    }
    for (const auto& name : option->get_snames()) {
      flags.push_back({"-" + name, option->get_description(), takes_value});
    }
  }
  return flags;
}

void collect(const CLI::App& app, const std::string& path, const std::vector<Flag>& global,
             std::vector<Node>& nodes) {
  Node node{path, {}, flags_of(app), app.get_require_subcommand_min() > 0};
  for (const auto& flag : global) {
    const bool has = std::any_of(node.flags.begin(), node.flags.end(),
                                 [&](const auto& own) { return own.name == flag.name; });
    if (!has) node.flags.push_back(flag);
  }
  const auto children =
      app.get_subcommands([](const CLI::App* child) { return !child->get_group().empty(); });
  for (const auto* child : children) {
    node.commands.emplace_back(child->get_name(), child->get_description());
  }
  nodes.push_back(std::move(node));
  for (const auto* child : children) {
    collect(*child, path.empty() ? child->get_name() : path + " " + child->get_name(), global,
            nodes);
  }
}

/// For single quotes of bash and zsh.
std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string words_of(const Node& node, bool commands, bool flags) {
  std::string words;
  const auto add = [&](const std::string& word) { words += (words.empty() ? "" : " ") + word; };
  if (commands) {
    for (const auto& [name, help] : node.commands) add(name);
  }
  if (flags) {
    for (const auto& flag : node.flags) add(flag.name);
  }
  return words;
}

/// Options that take the next word, so that it is not taken for a command.
std::string value_flags(const std::vector<Node>& nodes) {
  std::vector<std::string> names;
  for (const auto& node : nodes) {
    for (const auto& flag : node.flags) {
      if (flag.takes_value) names.push_back(flag.name);
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::string pattern;
  for (const auto& name : names) pattern += (pattern.empty() ? "" : "|") + name;
  return pattern;
}

std::string paths_pattern(const std::vector<Node>& nodes) {
  std::string pattern;
  for (const auto& node : nodes) {
    if (!node.path.empty()) pattern += (pattern.empty() ? "" : "|") + shell_quoted(node.path);
  }
  return pattern;
}

/// Commands whose arguments are names, of what `complete-names` calls a kind.
struct Named {
  std::string_view kind;
  std::vector<std::string_view> commands;

  /// As a shell's pattern: "state|'pv get'".
  std::string pattern() const {
    std::string all;
    for (const auto& command : commands) {
      all += (all.empty() ? "" : "|") + shell_quoted(std::string(command));
    }
    return all;
  }
};
const std::vector<Named>& named_commands() {
  static const std::vector<Named> all{
      {"pv", {"state", "diff", "history", "blame", "pv get", "pv watch", "pv put"}},
      {"node", {"ls", "describe", "forget"}},
      {"key", {"kv list", "kv get", "kv set", "kv watch"}},
      {"event", {"event call"}},
      {"mark", {"log mark end"}}};
  return all;
}

std::string bash_script(const std::vector<Node>& nodes) {
  std::string script =
      "# tidemark completion for bash\n"
      "_tidemark_names() {\n"
      "  local typed=\"$2\" cut='' name\n"
      "  if [[ \"$1\" != mark && \"${COMP_WORDBREAKS-}\" == *:* ]]; then\n"
      "    # Readline takes a colon for the end of a word, so it wants what is behind the last "
      "one.\n"
      "    typed=\"${COMP_LINE:0:COMP_POINT}\"\n"
      "    typed=\"${typed##* }\"\n"
      "    typed=\"${typed#[\\\"\\']}\"\n"
      "    cut=\"${typed%\"${typed##*:}\"}\"\n"
      "  fi\n"
      "  compopt +o filenames 2>/dev/null || true\n"
      "  while IFS= read -r name; do\n"
      "    name=\"${name#\"$cut\"}\"\n"
      "    [[ \"$1\" == mark ]] && printf -v name %q \"$name\"\n"
      "    COMPREPLY+=(\"$name\")\n"
      "  done < <(\"${COMP_WORDS[0]}\" ${site[@]+\"${site[@]}\"} complete-names \"$1\" \"$typed\" "
      "2>/dev/null)\n"
      "}\n"
      "_tidemark() {\n"
      "  local site=()\n"
      "  local current=\"${COMP_WORDS[COMP_CWORD]}\" before=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
      "  local path='' next word i words=''\n"
      "  COMPREPLY=()\n"
      "  case \"$before\" in\n"
      "    -c|--config) COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n"
      "    --in|--at|--since|--until) _tidemark_names mark \"$current\"; return ;;\n"
      "    " +
      value_flags(nodes) +
      ") return ;;\n"
      "  esac\n"
      "  for ((i = 1; i < COMP_CWORD; ++i)); do\n"
      "    word=\"${COMP_WORDS[i]}\"\n"
      "    case \"$word\" in\n"
      "      -c|--config) site=(-c \"${COMP_WORDS[++i]:-}\"); continue ;;\n"
      "      " +
      value_flags(nodes) +
      ") ((++i)); continue ;;\n"
      "      -*) continue ;;\n"
      "    esac\n"
      "    next=\"${path:+$path }$word\"\n"
      "    case \"$next\" in\n"
      "      " +
      paths_pattern(nodes) +
      ") path=\"$next\" ;;\n"
      "      *) break ;;\n"
      "    esac\n"
      "  done\n"
      "  case \"$path\" in\n";
  for (const auto& node : nodes) {
    script += "    " + shell_quoted(node.path) +
              ") words=" + shell_quoted(words_of(node, true, false)) + "\n";
    script +=
        "      [[ \"$current\" == -* ]] && words=" + shell_quoted(words_of(node, false, true)) +
        " ;;\n";
  }
  script +=
      "  esac\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
      "  [[ \"$current\" == -* ]] && return\n"
      "  case \"$path\" in\n";
  for (const auto& named : named_commands()) {
    script += "    " + named.pattern() + ") _tidemark_names " + std::string(named.kind) +
              " \"$current\" ;;\n";
  }
  script +=
      "  esac\n"
      "  if ((${#COMPREPLY[@]} == 0)) && [[ \"$path\" == 'pv import' ]]; then\n"
      "    COMPREPLY=($(compgen -f -- \"$current\"))\n"
      "  fi\n"
      "}\n"
      "complete -o filenames -F _tidemark tidemark\n";
  return script;
}

/// "name:help", as _describe wants it.
std::string described(const std::string& name, const std::string& help) {
  return shell_quoted(name + ":" + help) + " ";
}

std::string zsh_script(const std::vector<Node>& nodes) {
  std::string script =
      "#compdef tidemark\n"
      "# tidemark completion for zsh\n"
      "_tidemark() {\n"
      "  local path_='' next word\n"
      "  local -a commands flags names\n"
      "  integer i\n"
      "  case \"${words[CURRENT-1]}\" in\n"
      "    -c|--config) _files; return ;;\n"
      "    " +
      value_flags(nodes) +
      ") return ;;\n"
      "  esac\n"
      "  for ((i = 2; i < CURRENT; ++i)); do\n"
      "    word=\"${words[i]}\"\n"
      "    case \"$word\" in\n"
      "      " +
      value_flags(nodes) +
      ") ((++i)); continue ;;\n"
      "      -*) continue ;;\n"
      "    esac\n"
      "    next=\"${path_:+$path_ }$word\"\n"
      "    case \"$next\" in\n"
      "      " +
      paths_pattern(nodes) +
      ") path_=\"$next\" ;;\n"
      "      *) break ;;\n"
      "    esac\n"
      "  done\n"
      "  case \"$path_\" in\n";
  for (const auto& node : nodes) {
    script += "    " + shell_quoted(node.path) + ")\n      commands=( ";
    for (const auto& [name, help] : node.commands) script += described(name, help);
    script += ")\n      flags=( ";
    for (const auto& flag : node.flags) script += described(flag.name, flag.help);
    script += ") ;;\n";
  }
  script +=
      "  esac\n"
      "  if [[ \"${words[CURRENT]}\" == -* ]]; then\n"
      "    _describe option flags\n"
      "  elif ((${#commands})); then\n"
      "    _describe command commands\n";
  for (const auto& named : named_commands()) {
    script += "  elif [[ \"$path_\" == (" + named.pattern() +
              ") ]]; then\n"
              "    names=(${(f)\"$(tidemark complete-names " +
              std::string(named.kind) +
              " \"${words[CURRENT]}\" 2>/dev/null)\"})\n"
              "    compadd -a names\n";
  }
  script +=
      "  else\n"
      "    _files\n"
      "  fi\n"
      "}\n"
      "if [[ \"${funcstack[1]}\" == _tidemark ]]; then\n"
      "  _tidemark \"$@\"\n"
      "else\n"
      "  compdef _tidemark tidemark\n"
      "fi\n";
  return script;
}

/// For single quotes of fish, where a backslash and a quote are escaped by a backslash.
std::string fish_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string fish_script(const std::vector<Node>& nodes) {
  std::string script =
      "# tidemark completion for fish\n"
      "function __tidemark_at --description 'the command typed so far is $argv[1]'\n"
      "  set -l path\n"
      "  set -l skip 0\n"
      "  for word in (commandline -opc)[2..-1]\n"
      "    if test $skip -eq 1\n"
      "      set skip 0\n"
      "    else if string match -qr '^(" +
      value_flags(nodes) +
      ")$' -- $word\n"
      "      set skip 1\n"
      "    else if not string match -q -- '-*' $word\n"
      "      set path $path $word\n"
      "    end\n"
      "  end\n"
      "  set -l wanted (string split -n ' ' -- $argv[1])\n"
      "  test (count $argv) -gt 1; and set path $path[1..(count $wanted)]\n"
      "  test \"$path\" = \"$wanted\"\n"
      "end\n"
      "complete -c tidemark -f\n";
  for (const auto& node : nodes) {
    const auto at = "'__tidemark_at \"" + node.path + "\"'";
    const auto within = "'__tidemark_at \"" + node.path + "\" or-deeper'";
    for (const auto& [name, help] : node.commands) {
      script += "complete -c tidemark -n " + at + " -a " + name + " -d " + fish_quoted(help) + "\n";
    }
    if (node.is_group && !node.path.empty()) continue;
    for (const auto& flag : node.flags) {
      const bool is_long = flag.name.starts_with("--");
      script += "complete -c tidemark -n " + (node.commands.empty() ? within : at) +
                (is_long ? " -l " : " -s ") + flag.name.substr(is_long ? 2 : 1) +
                (flag.takes_value ? " -r" : "") +
                (flag.name == "-c" || flag.name == "--config" ? " -F" : "") + " -d " +
                fish_quoted(flag.help) + "\n";
    }
  }
  for (const auto& named : named_commands()) {
    for (const auto& path : named.commands) {
      script += "complete -c tidemark -n '__tidemark_at \"" + std::string(path) +
                "\" or-deeper' -a '(tidemark complete-names " + std::string(named.kind) +
                " (commandline -ct) 2>/dev/null)'\n";
    }
  }
  return script + "complete -c tidemark -n '__tidemark_at \"pv import\" or-deeper' -F\n";
}

}  // namespace

std::optional<Shell> parse_shell(std::string_view text) {
  if (text == "bash") return Shell::kBash;
  if (text == "zsh") return Shell::kZsh;
  if (text == "fish") return Shell::kFish;
  return std::nullopt;
}

std::string completion_script(const CLI::App& app, Shell shell) {
  std::vector<Node> nodes;
  collect(app, "", flags_of(app), nodes);
  switch (shell) {
    case Shell::kBash: return bash_script(nodes);
    case Shell::kZsh: return zsh_script(nodes);
    case Shell::kFish: break;
  }
  return fish_script(nodes);
}

}  // namespace tidemark::tools
