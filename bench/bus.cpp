// bench/bus.cpp
//
// The bus alone, between two links of one process (each with its own loop, over ipc or tcp), and
// what the public library makes of it on a site.
//
//   throughput            PV batches, published, decoded, into a live table;  --raw: ZeroMQ,
//   counted latency               one update every 100 µs: published → callback;     --raw, --curve
//   DIR request               one question after the other kv SITE               single updates of
//   a key through the library, every one to its listener join SITE PVS         a late joiner, from
//   its socket to a whole live table directory SITE        200 subsystems with 50 keys each; then
//   one that has just come
//
// Prints one line of JSON.

#include <sys/prctl.h>
#include <zmq.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <future>
#include <stdexcept>
#include <thread>

#include "base/digest.h"
#include "bus/membership.h"
#include "bus/zmq_link.h"
#include "model/api/monitor.h"
#include "model/live_table.h"
#include "model/pv_update.h"
#include "site/bus_options.h"
#include "subsystem/session.h"
#include "tidemark/subsystem.h"

namespace tidemark {
namespace {

using namespace std::chrono_literals;

[[noreturn]] void give_up(const std::string& why) { throw std::runtime_error(why); }

template <class T>
T must(Result<T> result) {
  if (!result) give_up(result.error().message);
  return std::move(result).value();
}

double seconds_since(SteadyTime began) {
  return std::chrono::duration<double>(steady_now() - began).count();
}

std::int64_t now_ns() { return steady_now().time_since_epoch().count(); }

double percentile(std::vector<double>& values, double share) {
  std::sort(values.begin(), values.end());
  return values.at(static_cast<std::size_t>(share * static_cast<double>(values.size() - 1)));
}

class Folder {
 public:
  Folder() : path_("/tmp/tmb-bus-" + Uuid::random().text().substr(0, 8)) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Two nodes that know each other. With keys over tcp, else over ipc.
struct Pair {
  Folder folder;
  std::shared_ptr<bus::Link> a = open("a");
  std::shared_ptr<bus::Link> b = open("b");
  static inline std::string keys;  // a directory; empty: none

  Pair() {
    a->set_peer(b->self());
    b->set_peer(a->self());
  }
  std::shared_ptr<bus::Link> open(const std::string& name) const {
    bus::ZmqLinkOptions options;
    options.self.name = name;
    options.self.uuid = bus::node_uuid("bench", name);
    options.self.incarnation = 1;
    if (keys.empty()) {
      options.bind_data = {"ipc://" + folder.path() + "/" + name + ".data"};
      options.bind_requests = {"ipc://" + folder.path() + "/" + name + ".req"};
    } else {
      options.bind_data = {"tcp://127.0.0.1:*"};
      options.bind_requests = {"tcp://127.0.0.1:*"};
      options.keys = must(bus::load_curve_keys(keys, name));
      options.key_directory = keys;
    }
    return must(bus::open_zmq_link(std::move(options)));
  }
};

/// Subscribes, and waits until it is subscribed.
void follow(bus::Link& reader, const bus::Link& publisher,
            std::function<void(bus::Frame)> on_frame) {
  const bus::StreamId stream{bus::node_number(publisher.self().uuid), bus::kLiveStream};
  const auto there = std::make_shared<std::promise<void>>();
  reader.subscribe(bus::FrameClass::kState, stream,
                   [there, first = true, on_frame](bus::Frame frame) mutable {
                     if (std::exchange(first, false)) there->set_value();
                     if (frame.header.frame_class == bus::FrameClass::kState) {
                       on_frame(std::move(frame));
                     }
                   });
  if (there->get_future().wait_for(5s) != std::future_status::ready) give_up("not subscribed");
}

// ---- plain ZeroMQ
// ---------------------------------------------------------------------------------

/// PUB and SUB over ipc, one thread each, nothing in between.
class RawPair {
 public:
  RawPair() {
    const auto endpoint = "ipc://" + folder_.path() + "/raw";
    const int high_water = 2000;
    zmq_setsockopt(pub_, ZMQ_SNDHWM, &high_water, sizeof high_water);
    zmq_setsockopt(sub_, ZMQ_RCVHWM, &high_water, sizeof high_water);
    zmq_setsockopt(sub_, ZMQ_SUBSCRIBE, "", 0);
    if (zmq_bind(pub_, endpoint.c_str()) != 0 || zmq_connect(sub_, endpoint.c_str()) != 0) {
      give_up("raw sockets");
    }
    std::this_thread::sleep_for(200ms);  // a plain PUB cannot say when somebody listens
  }
  ~RawPair() {
    zmq_close(pub_);
    zmq_close(sub_);
    zmq_ctx_term(context_);
  }
  void send(const Bytes& frame) { zmq_send(pub_, frame.data(), frame.size(), 0); }
  std::size_t receive(char* into, std::size_t size) {
    return static_cast<std::size_t>(zmq_recv(sub_, into, size, 0));
  }

 private:
  Folder folder_;
  void* context_ = zmq_ctx_new();
  void* pub_ = zmq_socket(context_, ZMQ_PUB);
  void* sub_ = zmq_socket(context_, ZMQ_SUB);
};

// ---- throughput
// -----------------------------------------------------------------------------------

constexpr std::uint32_t kBatch = 1000;  // updates in a frame
constexpr std::uint32_t kChannels = 50'000;

std::vector<Bytes> batches() {
  std::vector<Bytes> packed;
  std::uint32_t channel = 0;
  for (std::uint32_t i = 0; i < kChannels / kBatch; ++i) {
    std::vector<model::PvUpdate> updates(kBatch);
    for (auto& update : updates) {
      update.channel = model::ChannelId{++channel};
      update.taken_at = utc_now();
      update.value = channel * 0.25;
    }
    packed.push_back(model::encode_updates(updates));
  }
  return packed;
}

void throughput(std::uint64_t updates, bool raw) {
  const auto packed = batches();
  const auto frames = updates / kBatch;
  std::atomic<std::uint64_t> arrived{0};
  constexpr std::uint64_t kAhead = 500;  // frames; a PUB drops beyond its high water
  const auto pace = [&](std::uint64_t sent) {
    while (sent - arrived.load(std::memory_order_relaxed) > kAhead) std::this_thread::yield();
  };
  double took = 0;
  if (raw) {
    RawPair pair;
    std::thread reader([&] {
      std::vector<char> buffer(1 << 20);
      while (arrived < frames) {
        pair.receive(buffer.data(), buffer.size());
        ++arrived;
      }
    });
    const auto began = steady_now();
    for (std::uint64_t i = 0; i < frames; ++i) {
      pace(i);
      pair.send(packed[i % packed.size()]);
    }
    reader.join();
    took = seconds_since(began);
  } else {
    Pair pair;
    model::LiveTable table;
    pair.a->declare_stream(bus::FrameClass::kState, bus::kLiveStream);
    follow(*pair.b, *pair.a, [&](const bus::Frame& frame) {
      const auto decoded = must(model::decode_updates(frame.payload));
      const auto now = utc_now();
      for (const auto& update : decoded) table.apply(update, now);
      ++arrived;
    });
    const auto began = steady_now();
    for (std::uint64_t i = 0; i < frames; ++i) {
      pace(i);
      pair.a->publish(bus::FrameClass::kState, bus::kLiveStream, kBatch, packed[i % packed.size()]);
    }
    while (arrived < frames) std::this_thread::sleep_for(100us);
    took = seconds_since(began);
    if (table.with_value() != kChannels) give_up("the table is not whole");
  }
  std::printf("{\"values_per_s\": %.0f}\n", static_cast<double>(frames * kBatch) / took);
}

// ---- latency
// --------------------------------------------------------------------------------------

/// Calls `send(i)` every 100 µs.
template <class Send>
void at_ten_thousand_a_second(std::size_t count, Send send) {
  prctl(PR_SET_TIMERSLACK, 1);
  auto next = steady_now();
  for (std::size_t i = 0; i < count; ++i) {
    next += 100us;
    std::this_thread::sleep_until(next);
    send();
  }
}

void latency(std::size_t count, bool raw) {
  std::vector<double> microseconds;
  microseconds.reserve(count);
  const auto note = [&](BytesView payload) {
    microseconds.push_back(static_cast<double>(now_ns() - read_le<std::int64_t>(payload, 0)) / 1e3);
  };
  const auto stamp = [] {
    Bytes payload;
    append_le(payload, now_ns());
    payload.resize(64);
    return payload;
  };
  if (raw) {
    RawPair pair;
    std::thread reader([&] {
      char buffer[256];
      while (microseconds.size() < count) note({buffer, pair.receive(buffer, sizeof buffer)});
    });
    at_ten_thousand_a_second(count, [&] { pair.send(stamp()); });
    reader.join();
  } else {
    Pair pair;
    pair.a->declare_stream(bus::FrameClass::kState, bus::kLiveStream);
    std::atomic<std::size_t> arrived{0};
    follow(*pair.b, *pair.a, [&](const bus::Frame& frame) {
      note(frame.payload);
      ++arrived;
    });
    at_ten_thousand_a_second(
        count, [&] { pair.a->publish(bus::FrameClass::kState, bus::kLiveStream, 1, stamp()); });
    while (arrived < count) std::this_thread::sleep_for(1ms);
  }
  microseconds.erase(microseconds.begin(),
                     microseconds.begin() + static_cast<std::ptrdiff_t>(count / 20));
  const double p50 = percentile(microseconds, 0.5);
  const double p99 = percentile(microseconds, 0.99);
  std::printf("{\"p50_us\": %.1f, \"p99_us\": %.1f}\n", p50, p99);
}

void request(std::size_t count) {
  Pair pair;
  pair.b->serve("echo", [](const bus::Call& call) { call.done(call.payload()); });
  std::vector<double> microseconds;
  for (std::size_t i = 0; i < count; ++i) {
    std::promise<bus::Answer> answered;
    const auto began = steady_now();
    pair.a->request(bus::node_number(pair.b->self().uuid), "echo", Bytes(64, 'x'), {},
                    [&](bus::Answer answer) { answered.set_value(std::move(answer)); });
    must(answered.get_future().get());
    microseconds.push_back(seconds_since(began) * 1e6);
  }
  microseconds.erase(microseconds.begin(),
                     microseconds.begin() + static_cast<std::ptrdiff_t>(count / 20));
  const double p50 = percentile(microseconds, 0.5);
  const double p99 = percentile(microseconds, 0.99);
  std::printf("{\"p50_us\": %.1f, \"p99_us\": %.1f}\n", p50, p99);
}

// ---- the library on a site
// ------------------------------------------------------------------------

void kv(const std::string& site, std::uint64_t updates) {
  Subsystem publisher{"bench.kv", {.site_file = site}};
  const auto key = publisher.publish<std::string>("payload");
  must(publisher.start());
  Client listener{site};
  must(listener.start());
  std::atomic<std::uint64_t> heard{0};
  std::atomic<std::uint64_t> missed{0};
  const auto subscription = listener.subscribe(
      "bench.kv/payload",
      [&](const Update<Value>& update) {
        heard.fetch_add(1, std::memory_order_relaxed);
        missed.fetch_add(update.missed, std::memory_order_relaxed);
      },
      Policy::kAll);
  const std::string payload(64, 'x');
  key = payload;
  for (const auto began = steady_now(); heard == 0;) {
    if (seconds_since(began) > 10) give_up("nothing was heard");
    std::this_thread::sleep_for(1ms);
  }
  const auto first = heard.load();
  const auto began = steady_now();
  for (std::uint64_t i = 0; i < updates; ++i) {
    key = payload;
    // Behind by more, and the listener's queue would overflow: that is counted, and not wanted.
    while (first + i > heard.load(std::memory_order_relaxed) + 30'000) std::this_thread::yield();
  }
  while (heard < first + updates && seconds_since(began) < 60) std::this_thread::sleep_for(100us);
  const auto took = seconds_since(began);
  if (heard != first + updates) give_up("only " + std::to_string(heard) + " updates were heard");
  std::printf("{\"updates_per_s\": %.0f, \"missed\": %lu}\n", static_cast<double>(updates) / took,
              missed.load());
}

void join(const std::string& site_file, std::uint64_t pvs) {
  const auto site = must(config::load(site_file));
  const auto registries = must(site::registries_of(site));
  const auto monitor = bus::node_number(bus::node_uuid(site.name, "monitor"));
  const auto began = steady_now();
  const std::shared_ptr<bus::Link> link =
      must(bus::open_zmq_link(must(site::client_options(site, "bench", "cli"))));
  bus::MembershipOptions membership;
  membership.registries = registries;
  membership.registers = false;
  const auto member = bus::Membership::start(*link, std::move(membership));

  model::LiveTable table;
  std::promise<void> whole;
  bus::StateFollowerOptions options;
  options.stream = {monitor, bus::kLiveStream};
  options.method = "monitor.state";
  options.payload = model::pack(bus::Nothing{});
  options.read_state = [](std::vector<Bytes> parts,
                          const Bytes& answer) -> Result<bus::WholeState> {
    const auto end = model::unpack<model::api::StateEnd>(answer);
    if (!end) return end.error();
    return bus::WholeState{end.value().incarnation, end.value().sequence, std::move(parts)};
  };
  options.on_state = [&](const std::vector<Bytes>& parts) {
    const auto now = utc_now();
    for (const auto& part : parts) {
      const auto packed = must(model::unpack<model::api::StatePart>(part));
      for (const auto& update : must(model::decode_updates(packed.updates.bytes))) {
        table.apply(update, now);
      }
    }
    whole.set_value();
  };
  options.on_items = [](const Bytes&) -> Result<Unit> { return Unit{}; };
  const auto follower = bus::StateFollower::start(*link, std::move(options));
  if (whole.get_future().wait_for(20s) != std::future_status::ready) give_up("no state came");
  const auto took = seconds_since(began);
  if (table.with_value() != pvs) {
    give_up(std::to_string(table.with_value()) + " of " + std::to_string(pvs) + " values");
  }
  std::printf("{\"total_ms\": %.1f}\n", took * 1e3);
}

void directory(const std::string& site, std::size_t subsystems, std::size_t keys) {
  std::vector<std::unique_ptr<Subsystem>> all;
  const auto began = steady_now();
  std::vector<std::future<Result<Unit>>> starting;
  for (std::size_t i = 0; i < subsystems; ++i) {
    auto& made = all.emplace_back(std::make_unique<Subsystem>("bench." + std::to_string(i),
                                                              SubsystemOptions{.site_file = site}));
    for (std::size_t k = 0; k < keys; ++k) {
      made->publish<double>("group/key" + std::to_string(k), {.unit = "A", .description = "a key"});
    }
    starting.push_back(
        std::async(std::launch::async, [each = made.get()] { return each->start(20s); }));
  }
  for (auto& each : starting) must(each.get());
  // One that sees all of them, with all their keys.
  const auto knows_all = [&](const Client& client) {
    std::size_t known = 0;
    for (const auto& peer : client.peers()) {
      if (peer.state == "alive" && peer.surface.keys.size() == keys) ++known;
    }
    return known == subsystems;
  };
  Client first{site};
  must(first.start());
  while (!knows_all(first)) {
    if (seconds_since(began) > 60) give_up("not all came up");
    std::this_thread::sleep_for(5ms);
  }
  const auto up = seconds_since(began);

  const auto came = steady_now();
  Client late{site};
  must(late.start());
  while (!knows_all(late)) {
    if (seconds_since(came) > 30) give_up("the directory is not whole");
    std::this_thread::sleep_for(1ms);
  }
  const auto took = seconds_since(came);
  std::printf("{\"total_ms\": %.1f, \"up_ms\": %.0f}\n", took * 1e3, up * 1e3);
  for (auto& each : all) each->stop(Duration{0});
}

int run(int argc, char** argv) {
  CLI::App app{"The bus, measured"};
  app.require_subcommand(1);
  std::string site;
  std::uint64_t count = 0;
  std::uint64_t keys = 50;
  bool raw = false;
  const auto add = [&](const char* name, std::uint64_t usual, bool on_site) {
    auto* command = app.add_subcommand(name);
    if (on_site) command->add_option("site", site)->required();
    command->add_option("--count", count)->default_val(usual);
    command->add_flag("--raw", raw);
    return command;
  };
  add("throughput", 20'000'000, false)->callback([&] { throughput(count, raw); });
  auto* late = add("latency", 50'000, false);
  late->add_option("--curve", Pair::keys);
  late->callback([&] { latency(count, raw); });
  add("request", 20'000, false)->callback([&] { request(count); });
  add("kv", 2'000'000, true)->callback([&] { kv(site, count); });
  add("join", 50'000, true)->callback([&] { join(site, count); });
  auto* many = add("directory", 200, true);
  many->add_option("--keys", keys);
  many->callback([&] { directory(site, count, keys); });
  CLI11_PARSE(app, argc, argv);
  return 0;
}

}  // namespace
}  // namespace tidemark

int main(int argc, char** argv) {
  try {
    return tidemark::run(argc, argv);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "bus: %s\n", failure.what());
    return 1;
  }
}
