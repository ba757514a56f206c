// tools/context.h
//
// What every command gets: the global options, where to write, how to reach the site. A test
// fills one with string streams and a client of its own.

#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/time.h"
#include "config/site.h"
#include "tools/client.h"
#include "tools/exit_code.h"

namespace tidemark::tools {

using Json = nlohmann::ordered_json;

/// The programs that `up`, `solo` and `node` start: main() knows them, this library does not.
struct Programs {
  std::function<int(const config::Site&)> up;
  std::function<int(const config::Site&)> solo;
  std::function<int(const config::Site&, const std::string&)> node;
  /// A client of a journal directory, without a running system. `site` may be empty.
  std::function<Result<std::unique_ptr<Client>>(const std::string& directory,
                                                const std::string& site)>
      read_journal;
};

struct Context {
  Context(std::ostream& out_stream, std::ostream& err_stream, std::istream& in_stream)
      : out(out_stream), err(err_stream), in(in_stream) {}

  // Global options.
  std::string site_file;  // empty: $TIDEMARK_SITE, else ./site.toml
  bool json = false;
  bool no_color = false;
  std::optional<Duration> timeout;
  std::string journal;  // --journal: the directory to read, instead of asking the system

  // The world.
  std::ostream& out;
  std::ostream& err;
  std::istream& in;
  bool in_terminal = false;
  bool out_terminal = false;
  bool err_terminal = false;
  std::size_t columns = 0;  // of the terminal; 0: do not cut
  std::string user;         // user@host
  std::function<UtcTime()> now = &utc_now;
  std::function<Result<std::unique_ptr<Client>>(Context&)> connect;
  Programs programs;

  // What the arguments asked for; set by the parser, run by run_cli().
  std::function<Exit()> command;

  bool color() const { return out_terminal && !no_color; }
  Duration budget(Duration usual) const { return timeout.value_or(usual); }
  /// Says it on standard error; answers the exit code.
  Exit report(const Error& error) const;
  /// One line of JSON.
  void print(const Json& json) const;
};

/// The site file that the options name, read.
Result<config::Site> load_site(const Context& context);

/// connect() of a real run: reads the site file, opens the bus.
Result<std::unique_ptr<Client>> connect_to_site(Context& context);

/// Of --journal. A site file that is there says what the nodes are called.
Result<std::unique_ptr<Client>> connect_to_journal(Context& context);

/// user@host of whoever runs this.
std::string user_at_host();

/// Standard streams and the real bus.
Context real_context();

/// Connects and runs `body(client)`, which answers an Exit.
template <class Body>
Exit with_client(Context& context, Body&& body) {
  auto client = context.journal.empty() ? context.connect(context) : connect_to_journal(context);
  if (!client) return context.report(client.error());
  return body(*client.value());
}

}  // namespace tidemark::tools
