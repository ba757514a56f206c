// tools/journal_directory.h
//
// Which journal a command works on, and how far it is: what the commands of `tidemark journal`
// share.

#pragma once

#include <string>

#include "tools/command_line.h"
#include "tools/context.h"
#include "tools/interrupt.h"
#include "tools/progress.h"

namespace tidemark::tools {

/// [DIR]: a journal's directory, or that of the site's journal on this host.
Option add_directory(Command command, std::string& into);

/// Errors: kInvalidArgument  neither a directory nor a site.
Result<std::string> directory_of(const Context& context, const std::string& named);

/// What an origin is called, when it is a node of the site.
std::string origin_name(const Context& context, const Uuid& origin);

/// "4.2 GiB".
std::string bytes_text(std::uint64_t bytes);

/// A bar while something reads or writes for long; Ctrl-C stops it. For counts of any size.
class Steps {
 public:
  /// "check: 4 of 10, lines".
  Steps(const Context& context, std::string task, std::string unit);
  /// False: it is to stop.
  bool operator()(std::uint64_t done, std::uint64_t total);

 private:
  const Interrupt interrupt_;
  Progress progress_;
  model::Job job_;
  SteadyTime next_;
};

}  // namespace tidemark::tools
