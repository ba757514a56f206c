// bench/raw_ca.cpp
//
// The least that a program on libca can do, as the floor that the monitor is measured against.
//
//   raw_ca connect NAMES [EXPECT]    create all channels, then subscribe: until EXPECT have a value
//   raw_ca count NAMES SECONDS       rate of monitor events once all have a value, and how old they
//                                    are by the IOC's clock
//   raw_ca put NAMES [WINDOW]        puts with completion, WINDOW in flight, then verifying gets
//   raw_ca get NAMES                 one get of each connected channel
//
// NAMES is a file with one PV name a line. Values are taken as DBR_TIME_DOUBLE. Prints one line of
// JSON. EXPECT: how many names are alive, when not all are.

#include <cadef.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kDeadline = std::chrono::seconds(120);

struct Channel {
  std::string name;
  chid id = nullptr;
  double value = 0;
  bool has_value = false;  // Only libca's callback thread.
  bool matches = false;
};

std::atomic<std::size_t> connected{0};
std::atomic<std::size_t> first_values{0};
std::atomic<std::size_t> events{0};
std::atomic<std::size_t> answered{0};
std::atomic<std::size_t> failed{0};
std::atomic<bool> timing{false};
std::vector<double> lags_ms;  // Only libca's callback thread, while `timing`.

constexpr std::int64_t kEpicsEpoch = 631'152'000;  // 1990-01-01, seconds since 1970

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Waits until `count` reaches `goal`; false at the deadline.
bool wait_for(const std::atomic<std::size_t>& count, std::size_t goal) {
  const auto give_up = Clock::now() + kDeadline;
  while (count.load() < goal) {
    if (Clock::now() > give_up) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void check(int status, const char* what) {
  if (status == ECA_NORMAL) return;
  std::fprintf(stderr, "%s: %s\n", what, ca_message(status));
  std::exit(1);
}

void on_connection(connection_handler_args args) {
  if (args.op == CA_OP_CONN_UP) ++connected;
}

void on_event(event_handler_args args) {
  auto& channel = *static_cast<Channel*>(args.usr);
  ++events;
  if (args.status != ECA_NORMAL) return;
  const auto& update = *static_cast<const dbr_time_double*>(args.dbr);
  channel.value = update.value;
  if (timing) {
    const std::chrono::nanoseconds taken((update.stamp.secPastEpoch + kEpicsEpoch) * 1'000'000'000 +
                                         update.stamp.nsec);
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    lags_ms.push_back(std::chrono::duration<double, std::milli>(now - taken).count());
  }
  if (!channel.has_value) {
    channel.has_value = true;
    ++first_values;
  }
}

void on_get(event_handler_args args) {
  auto& channel = *static_cast<Channel*>(args.usr);
  if (args.status == ECA_NORMAL) {
    channel.matches = static_cast<const dbr_time_double*>(args.dbr)->value == channel.value;
  } else {
    ++failed;
  }
  ++answered;
}

void on_put(event_handler_args args) {
  if (args.status != ECA_NORMAL) ++failed;
  ++answered;
}

std::vector<Channel> read_names(const char* path) {
  std::ifstream file(path);
  std::vector<Channel> channels;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty()) channels.emplace_back().name = line;
  }
  return channels;
}

double connect(std::vector<Channel>& channels, std::size_t expected) {
  const auto start = Clock::now();
  for (auto& channel : channels) {
    check(ca_create_channel(channel.name.c_str(), on_connection, &channel, 0, &channel.id),
          "ca_create_channel");
  }
  ca_flush_io();
  if (!wait_for(connected, expected)) std::fprintf(stderr, "not all connected\n");
  return seconds_since(start);
}

double subscribe(std::vector<Channel>& channels, std::size_t expected) {
  const auto start = Clock::now();
  for (auto& channel : channels) {
    if (ca_state(channel.id) != cs_conn) continue;
    check(ca_create_subscription(DBR_TIME_DOUBLE, 1, channel.id, DBE_VALUE | DBE_ALARM, on_event,
                                 &channel, nullptr),
          "ca_create_subscription");
  }
  ca_flush_io();
  if (!wait_for(first_values, expected)) std::fprintf(stderr, "not all have a value\n");
  return seconds_since(start);
}

double get_all(std::vector<Channel>& channels) {
  const auto start = Clock::now();
  answered = 0;
  std::size_t asked = 0;
  for (auto& channel : channels) {
    if (ca_state(channel.id) != cs_conn) continue;
    check(ca_array_get_callback(DBR_TIME_DOUBLE, 1, channel.id, on_get, &channel),
          "ca_array_get_callback");
    ++asked;
  }
  ca_flush_io();
  wait_for(answered, asked);
  return seconds_since(start);
}

double put_all(std::vector<Channel>& channels, std::size_t window) {
  const auto start = Clock::now();
  answered = 0;
  std::size_t sent = 0;
  while (sent < channels.size()) {
    const auto room = answered.load() + window;
    if (sent >= room) {
      std::this_thread::yield();
      continue;
    }
    for (; sent < room && sent < channels.size(); ++sent) {
      auto& channel = channels[sent];
      channel.value = static_cast<double>(sent) + 0.5;
      check(ca_array_put_callback(DBR_DOUBLE, 1, channel.id, &channel.value, on_put, &channel),
            "ca_array_put_callback");
    }
    ca_flush_io();
  }
  wait_for(answered, sent);
  return seconds_since(start);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view command = argc > 2 ? argv[1] : "";
  if (command != "connect" && command != "count" && command != "put" && command != "get") {
    std::fprintf(stderr, "usage: raw_ca connect|count|put|get NAMES [EXPECT|SECONDS|WINDOW]\n");
    return 2;
  }
  const auto number = argc > 3 ? static_cast<std::size_t>(std::strtoul(argv[3], nullptr, 10)) : 0;
  auto channels = read_names(argv[2]);
  check(ca_context_create(ca_enable_preemptive_callback), "ca_context_create");

  const auto expected = command == "connect" && number > 0 ? number : channels.size();
  const auto connect_s = connect(channels, expected);
  if (command == "connect") {
    const auto first_values_s = subscribe(channels, expected);
    std::printf(
        "{\"command\":\"connect\",\"channels\":%zu,\"connected\":%zu,\"connect_s\":%.4f,"
        "\"first_values_s\":%.4f}\n",
        channels.size(), connected.load(), connect_s, connect_s + first_values_s);
  } else if (command == "count") {
    subscribe(channels, expected);
    const auto start = Clock::now();
    const auto cpu = cpu_seconds();
    const auto before = events.load();
    timing = true;
    std::this_thread::sleep_for(std::chrono::seconds(number > 0 ? number : 5));
    timing = false;
    const auto took = seconds_since(start);
    const auto counted = static_cast<double>(events.load() - before) / took;
    const auto cpu_share = (cpu_seconds() - cpu) / took;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));  // a callback may be at it still
    std::sort(lags_ms.begin(), lags_ms.end());
    const auto lag = [](double share) {
      return lags_ms.empty() ? 0
                             : lags_ms[static_cast<std::size_t>(
                                   share * static_cast<double>(lags_ms.size() - 1))];
    };
    std::printf(
        "{\"command\":\"count\",\"channels\":%zu,\"events_per_s\":%.0f,\"cpu\":%.3f,"
        "\"lag_p50_ms\":%.4f,\"lag_p99_ms\":%.4f}\n",
        channels.size(), counted, cpu_share, lag(0.5), lag(0.99));
  } else if (command == "put") {
    const auto window = number > 0 ? number : 256;
    const auto put_s = put_all(channels, window);
    const auto put_failed = failed.load();
    const auto get_s = get_all(channels);
    std::size_t verified = 0;
    for (const auto& channel : channels) verified += channel.matches ? 1 : 0;
    std::printf(
        "{\"command\":\"put\",\"channels\":%zu,\"window\":%zu,\"failed\":%zu,\"verified\":%zu,"
        "\"put_s\":%.4f,\"get_s\":%.4f}\n",
        channels.size(), window, put_failed, verified, put_s, get_s);
  } else {
    const auto get_s = get_all(channels);
    std::printf("{\"command\":\"get\",\"channels\":%zu,\"failed\":%zu,\"get_s\":%.4f}\n",
                channels.size(), failed.load(), get_s);
  }
  std::fflush(stdout);
  std::_Exit(0);  // Clearing 50 000 channels takes longer than what was measured.
}
