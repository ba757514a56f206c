// test/system/past_peer.cpp
//
// Asks the journal through the public library all that it can be asked about one PV between two
// lines, and prints the answers, a line of words each. Then it says `follows`, and prints the next
// line of the PV that is recorded.
//
// Usage: past_peer <site file> <address> <line> <line> [bin]
// `bin`: only the one bin in which all is, and what is known of it no other way.

#include <chrono>
#include <iostream>
#include <string>

#include "tidemark/client.h"

using namespace tidemark;
using namespace std::chrono_literals;

namespace {

int fail(const std::string& what, const Error& error) {
  std::cout << what << " failed: " << error.message << std::endl;
  return 1;
}

std::ostream& operator<<(std::ostream& out, const PastValue& pv) {
  return out << pv.line << " " << (pv.connected ? "connected" : "away") << " "
             << model::to_text(pv.value) << " " << model::to_string(pv.alarm.severity);
}

int follow(const Journal& journal, const std::string& address) {
  LinesWish wish;
  wish.from = 0;
  wish.subject = address;
  auto lines = journal.lines(wish);
  if (!lines) return fail("follow", lines.error());
  std::cout << "follows" << std::endl;
  while (true) {
    const auto next = lines.value().next(30s);
    if (!next) return fail("follow", next.error());
    if (next.value().empty()) return 1;
    for (const auto& line : next.value()) {
      if (!line.pv) continue;
      std::cout << "followed " << *line.pv << std::endl;
      return 0;
    }
  }
}

int print_bin(const Journal& journal, const std::string& address, std::uint64_t from,
              std::uint64_t to) {
  const auto bins = journal.bins(address, {.line = from}, {.line = to}, 1, true);
  if (!bins) return fail("bins", bins.error());
  for (const auto& bin : bins.value().bins) {
    std::cout << "bin " << bin.samples << " " << bin.count << " " << bin.min << " " << bin.max
              << " " << (bin.median ? "median" : "none") << " "
              << (bin.decimated_until ? "decimated" : "whole") << "\n";
  }
  for (const auto& each : bins.value().expired) {
    std::cout << "expired " << each.first << " " << each.last << "\n";
  }
  for (const auto& each : bins.value().decimated) {
    std::cout << "decimated " << each.first << " " << each.last << " " << each.width / 1h << " "
              << each.samples << " " << (each.since < each.until ? "in time" : "wrong") << "\n";
  }
  return 0;
}

int ask(const Journal& journal, const std::string& address, std::uint64_t from, std::uint64_t to) {
  const auto found = journal.find({.line = from});
  if (!found) return fail("find", found.error());
  std::cout << "found " << found.value().line << "\n";

  const auto state = journal.state({.line = from}, {address, "NO:SUCH"});
  if (!state) return fail("state", state.error());
  for (const auto& pv : state.value().values) {
    std::cout << "state " << pv << " " << pv.address << " " << pv.units << "\n";
  }
  for (const auto& each : state.value().unknown) std::cout << "unknown " << each << "\n";

  const auto changes = journal.changes({.line = from}, {.line = to}, {address});
  if (!changes) return fail("changes", changes.error());
  for (const auto& each : changes.value().changes) {
    std::cout << "changed " << each.after << " before " << model::to_text(each.before.value)
              << "\n";
  }

  auto history = journal.history(address, {.line = from}, {.line = to});
  if (!history) return fail("history", history.error());
  while (!history.value().at_end()) {
    const auto samples = history.value().next();
    if (!samples) return fail("history", samples.error());
    for (const auto& each : samples.value()) std::cout << "sample " << each << "\n";
  }

  const auto bins = journal.bins(address, {.line = from}, {.line = to}, 1, true);
  if (!bins) return fail("bins", bins.error());
  for (const auto& bin : bins.value().bins) {
    std::cout << "bin " << bin.samples << " " << bin.min << " " << bin.max << " "
              << bin.median.value_or(-1) << " " << bins.value().units << "\n";
  }

  // The IOC's clock is ours, so by its times it was the same.
  const auto then = journal.state({.line = from}, {address}, 1min);
  if (!then) return fail("state by the sources", then.error());
  for (const auto& pv : then.value().values) std::cout << "sourced " << pv << "\n";
  auto sourced = journal.history(address, {.line = from}, {.line = to}, 1min);
  if (!sourced) return fail("history by the sources", sourced.error());
  while (!sourced.value().at_end()) {
    const auto samples = sourced.value().next();
    if (!samples) return fail("history by the sources", samples.error());
    for (const auto& each : samples.value()) std::cout << "sourced sample " << each << "\n";
  }
  const auto rough = journal.bins(address, {.line = from}, {.line = to}, 1, false, 1min);
  if (!rough) return fail("bins by the sources", rough.error());
  for (const auto& bin : rough.value().bins) std::cout << "sourced bin " << bin.samples << "\n";
  const auto late = journal.state({.line = from}, {address}, 2min);
  std::cout << "late " << (late ? "passes" : late.error().message) << "\n";

  const auto blamed = journal.blame(address, 3, {.line = to});
  if (!blamed) return fail("blame", blamed.error());
  for (const auto& each : blamed.value().changes) {
    std::cout << "blamed " << each.value << " " << (each.job ? each.type : "nobody") << "\n";
  }

  LinesWish wish;
  wish.from = from;
  wish.to = to;
  wish.subject = address;
  wish.kinds = {"PvUpdate"};
  for (const bool newest_first : {false, true}) {
    wish.newest_first = newest_first;
    if (newest_first) std::swap(wish.from, wish.to);
    auto lines = journal.lines(wish);
    if (!lines) return fail("lines", lines.error());
    while (!lines.value().at_end()) {
      const auto page = lines.value().next();
      if (!page) return fail("lines", page.error());
      for (const auto& line : page.value()) {
        std::cout << (newest_first ? "back " : "line ") << line.line << " " << line.text << "\n";
      }
    }
  }
  wish.kinds = {"Nonsense"};
  const auto nonsense = journal.lines(wish);
  std::cout << "nonsense " << (nonsense ? "passes" : nonsense.error().message) << "\n";
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5 && argc != 6) return 2;
  Client client{argv[1]};
  if (const auto joined = client.start(20s); !joined) return fail("start", joined.error());
  const auto journal = client.journal();
  if (argc == 6) {
    const int printed = print_bin(journal, argv[2], std::stoull(argv[3]), std::stoull(argv[4]));
    client.stop();
    return printed;
  }
  const int asked = ask(journal, argv[2], std::stoull(argv[3]), std::stoull(argv[4]));
  const int followed = asked == 0 ? follow(journal, argv[2]) : asked;
  client.stop();
  return followed;
}
