// tools/command_line.h
//
// The options and arguments of a command, as the file of the command declares them. A thin face of
// the parser: its headers are large and nearly all inline, and a command that read them took
// longer to compile the parser than itself, so only few files of this folder do.
//
//   auto command = add_command(app, context, "history", {...}, [options] { ... });
//   command.add_option("--limit", options->limit, "At most so many").type_name("COUNT");

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace tidemark::tools {

/// A handle: the parser owns what it stands for, and outlives it. Each call returns the same one.
class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}

  /// What a value is called in the help: FILE, TIME.
  Option type_name(const std::string& name) const;
  Option required() const;
  Option one_of(const std::vector<std::string>& words) const;
  Option in_range(std::uint32_t least, std::uint32_t most) const;
  /// Not together with `other`, which need not say so too.
  Option excludes(Option other) const;
  /// Only together with `other`.
  Option needs(Option other) const;
  /// May be given several times, one value each.
  Option one_value_each() const;

 private:
  CLI::Option* option_;
};

/// A handle of a command, or of a group of them.
class Command {
 public:
  explicit Command(CLI::App* app) : app_(app) {}

  /// An option, if the name begins with a dash, or an argument. `into` outlives the parsing.
  /// T: std::string, a vector of them, an integer, double; those at the end of command_line.cpp.
  template <class T>
  Option add_option(const std::string& name, T& into, const std::string& help) const;
  /// One whose value `read` understands, or says what is wrong with it.
  Option add_read(const std::string& name,
                  const std::function<Result<Unit>(const std::string&)>& read,
                  const std::string& help) const;
  Option add_flag(const std::string& name, bool& into, const std::string& help) const;

  Command add_subcommand(const std::string& name, const std::string& summary) const;
  void require_subcommand() const;
  /// What --help says below the options.
  void footer(const std::string& text) const;
  /// Run as soon as the command line has been read, if the command was named.
  void callback(const std::function<void()>& run) const;
  /// One of its commands was named.
  bool has_subcommand() const;
  /// Not for people: --help and completion leave it out.
  void hide() const;

 private:
  CLI::App* app_;
};

}  // namespace tidemark::tools
