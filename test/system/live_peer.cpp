// test/system/live_peer.cpp
//
// One of several that live on each other: it publishes counters as fast as it is told, hears those
// of all others, where each value must be one more than the last, and calls the others all the
// time. What came of that it says, as a line of JSON, for each line on its standard input; at the
// end of that it ends. Why a call failed is on its standard error.
//
// Usage: live_peer <site file> live.<number> <keys> <updates of each a second>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tidemark/subsystem.h"

using namespace tidemark;
using namespace std::chrono_literals;

namespace {

constexpr auto kPatience = 10s;
constexpr auto kLate = 2s;  // old for an update, when it is heard

/// What was heard and called since the start.
struct Account {
  std::uint64_t updates = 0;
  std::uint64_t lost = 0;      // values that a counter jumped over
  std::uint64_t backward = 0;  // values that were less than the one before
  std::uint64_t missed = 0;    // what the bus itself says
  std::uint64_t late = 0;      // heard more than kLate after they were set
  std::uint64_t calls = 0;
  std::uint64_t failed = 0;
  std::uint64_t absent = 0;  // how often somebody whom it knew was not alive
  std::int64_t longest_call_ms = 0;
};

/// {"live.0": ["alive", 7], …}: its own copy of the directory. A name needs no quoting.
std::string directory_json(const std::vector<Peer>& peers) {
  std::string text;
  for (const auto& peer : peers) {
    text += (text.empty() ? "{\"" : ", \"") + peer.name + "\": [\"" + peer.state + "\", " +
            std::to_string(peer.incarnation) + "]";
  }
  return text.empty() ? "{}" : text + "}";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5 && argc != 6) return 2;
  const std::string name = argv[2];
  const int keys = std::stoi(argv[3]);
  const Duration pause = Duration(1s) / std::stoi(argv[4]);
  const Duration between_calls = argc == 6 ? Duration(1s) / std::stoi(argv[5]) : Duration(0);

  std::mutex mutex;
  Account account;                            // guarded by mutex
  std::map<std::string, std::uint64_t> last;  // guarded by mutex

  Subsystem self(name, {.site_file = argv[1]});
  std::vector<Published<std::uint64_t>> counters;
  for (int i = 0; i < keys; ++i) {
    counters.push_back(self.publish<std::uint64_t>("count" + std::to_string(i)));
  }
  self.on_event("ping", [](Call&) { return done(); });
  const auto heard = self.subscribe(
      "live.*/count*",
      [&](const Update<Value>& now) {
        const auto value = from_value<std::uint64_t>(now.value);
        if (!value) return;  // not set yet
        const std::lock_guard lock(mutex);
        ++account.updates;
        account.missed += now.missed;
        account.late += now.quality == Quality::kGood && utc_now() - now.time > kLate;
        const auto [at, is_first] = last.try_emplace(now.key, value.value());
        const auto before = std::exchange(at->second, value.value());
        if (is_first) return;
        if (value.value() < before) ++account.backward;
        if (value.value() > before + 1) account.lost += value.value() - before - 1;
      },
      Policy::kAll);
  if (const auto started = self.start(kPatience); !started) {
    std::fprintf(stderr, "%s\n", started.error().message.c_str());
    return 1;
  }

  const auto others = [&] {
    std::vector<Peer> found;
    for (auto& peer : self.peers()) {
      if (peer.name.starts_with("live.") && peer.name != name) found.push_back(std::move(peer));
    }
    return found;
  };
  std::jthread counting([&](const std::stop_token& stop) {
    // By the clock, so that a machine that is busy for a while gets as many.
    auto due = std::chrono::steady_clock::now();
    for (std::uint64_t count = 1; !stop.stop_requested(); ++count) {
      for (const auto& each : counters) each = count;
      std::this_thread::sleep_until(due += pause);
    }
  });
  std::jthread calling([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const auto peers = others();
      if (peers.empty()) std::this_thread::sleep_for(1ms);
      for (const auto& peer : peers) {
        std::this_thread::sleep_for(between_calls);
        const auto began = std::chrono::steady_clock::now();
        const auto result = self.call("ping", {}, to(peer.name), kPatience);
        const auto took = std::chrono::steady_clock::now() - began;
        if (stop.stop_requested()) return;
        const std::lock_guard lock(mutex);
        ++account.calls;
        account.absent += peer.state != "alive";
        account.longest_call_ms =
            std::max(account.longest_call_ms,
                     std::chrono::duration_cast<std::chrono::milliseconds>(took).count());
        if (result.all_done()) continue;
        ++account.failed;
        std::fprintf(stderr, "%s\n", result.objections().c_str());
      }
    }
  });

  for (std::string line; std::getline(std::cin, line);) {
    const auto known = others().size();
    const auto directory = directory_json(self.peers());
    const std::lock_guard lock(mutex);
    std::printf(
        "{\"known\": %zu, \"keys\": %zu, \"updates\": %llu, \"lost\": %llu, \"backward\": %llu, "
        "\"missed\": %llu, \"late\": %llu, \"calls\": %llu, \"failed\": %llu, \"absent\": %llu, "
        "\"longest_call_ms\": %lld, \"directory\": %s}\n",
        known, last.size(), static_cast<unsigned long long>(account.updates),
        static_cast<unsigned long long>(account.lost),
        static_cast<unsigned long long>(account.backward),
        static_cast<unsigned long long>(account.missed),
        static_cast<unsigned long long>(account.late),
        static_cast<unsigned long long>(account.calls),
        static_cast<unsigned long long>(account.failed),
        static_cast<unsigned long long>(account.absent),
        static_cast<long long>(account.longest_call_ms), directory.c_str());
    std::fflush(stdout);
  }
  calling.request_stop();
  counting.request_stop();
  calling.join();
  counting.join();
  self.stop();
  return 0;
}
