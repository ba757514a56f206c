#include "tools/context.h"

#include <pwd.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

namespace tidemark::tools {
namespace {

using namespace std::chrono_literals;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::size_t terminal_columns() {
  struct winsize size = {};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

}  // namespace

Exit Context::report(const Error& error) const {
  err << "tidemark: " << error.message << "\n";
  return exit_of(error);
}

void Context::print(const Json& document) const {
  // replace: a string that an IOC gave need not be UTF-8.
  out << document.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
}

Result<config::Site> load_site(const Context& context) {
  auto file = context.site_file;
  if (file.empty()) file = environment("TIDEMARK_SITE");
  const bool named = !file.empty();
  if (!named) file = "site.toml";
  auto site = config::load(file);
  if (site || site.error().code != Code::kNotFound) return site;
  const auto* hint = "; name one with -c FILE or in TIDEMARK_SITE";
  return Error{Code::kInvalidArgument, site.error().message + (named ? "" : hint)};
}

Result<std::unique_ptr<Client>> connect_to_site(Context& context) {
  const auto site = load_site(context);
  if (!site) return site.error();
  const auto key = environment("TIDEMARK_KEY");
  return Client::connect(site.value(), context.budget(2s), key.empty() ? "cli" : key);
}

Result<std::unique_ptr<Client>> connect_to_journal(Context& context) {
  const auto site = load_site(context);
  return context.programs.read_journal(context.journal, site ? site.value().name : "");
}

std::string user_at_host() {
  auto user = environment("USER");
  if (user.empty()) {
    const auto* entry = ::getpwuid(::getuid());
    user = entry == nullptr ? std::to_string(::getuid()) : entry->pw_name;
  }
  char host[256] = {};
  if (::gethostname(host, sizeof host - 1) != 0) return user;
  return user + "@" + host;
}

Context real_context() {
  // What the bus has to say must not come between documents on standard output. Nodes have a logger
  // of their own.
  spdlog::set_default_logger(spdlog::stderr_color_mt("cli"));
  spdlog::set_level(spdlog::level::warn);
  Context context(std::cout, std::cerr, std::cin);
  context.in_terminal = ::isatty(STDIN_FILENO) != 0;
  context.out_terminal = ::isatty(STDOUT_FILENO) != 0;
  context.err_terminal = ::isatty(STDERR_FILENO) != 0;
  if (context.out_terminal) context.columns = terminal_columns();
  context.no_color = !environment("NO_COLOR").empty() || environment("TERM") == "dumb";
  context.user = user_at_host();
  context.connect = &connect_to_site;
  return context;
}

}  // namespace tidemark::tools
