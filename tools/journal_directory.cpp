#include "tools/journal_directory.h"

#include <algorithm>
#include <cstdio>
#include <iterator>

#include "bus/node.h"

namespace tidemark::tools {
namespace {

using namespace std::chrono_literals;

constexpr Duration kRedraw = 100ms;

}  // namespace

Option add_directory(Command command, std::string& into) {
  return command.add_option("DIR", into, "The journal's directory (default: of the site)");
}

Result<std::string> directory_of(const Context& context, const std::string& named) {
  if (!named.empty()) return named;
  const auto site = load_site(context);
  if (!site) return Error{site.error().code, site.error().message + "; or name a directory"};
  return site.value().data_directory + "/journal/store";
}

std::string origin_name(const Context& context, const Uuid& origin) {
  const auto site = load_site(context);
  if (!site) return origin.text();
  const auto journal = bus::node_uuid(site.value().name, "journal");
  if (origin == Uuid::derive(journal.text() + "/gaps")) return "journal (gaps)";
  for (const auto* each : {"registry", "journal", "keeper", "monitor", "gateway", "supervisor"}) {
    if (bus::node_uuid(site.value().name, each) == origin) return each;
  }
  for (const auto& each : site.value().nodes) {
    if (bus::node_uuid(site.value().name, each) == origin) return each;
  }
  return origin.text();
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(kUnits)) {
    value /= 1024;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text;
}

Steps::Steps(const Context& context, std::string task, std::string unit)
    : progress_(context.err, context.err_terminal, context.columns), next_(steady_now()) {
  job_.type = std::move(task);
  job_.message = std::move(unit);
}

bool Steps::operator()(std::uint64_t done, std::uint64_t total) {
  if (Interrupt::came()) return false;
  const auto now = steady_now();
  if (now < next_) return true;
  next_ = now + kRedraw;
  // A job counts to 4 000 000 000.
  while (total >> 32 != 0) {
    done >>= 1;
    total >>= 1;
  }
  job_.done = static_cast<std::uint32_t>(std::min(done, total));
  job_.total = static_cast<std::uint32_t>(total);
  progress_.show(job_, now);
  return true;
}

}  // namespace tidemark::tools
