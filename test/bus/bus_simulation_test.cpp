// test/bus/bus_simulation_test.cpp
//
// A whole site in one thread, on a network that fails: two registries, and nodes that publish
// state, follow each other's and ask each other for what must not be done twice. Processes crash,
// freeze, wake up beside their successors, are cut off and leave. Everything follows from a seed.
//
//   TIDEMARK_STORY=1   prints what happens; seeds.h says how many seeds there are

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iostream>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "bus/engine.h"
#include "bus/membership.h"
#include "bus/state_follower.h"
#include "registry_on_link.h"
#include "seeds.h"
#include "test/support/simulated_bus.h"

namespace tidemark::bus {
namespace {

using namespace std::chrono_literals;
using test::ProcessId;
using test::SimulatedBus;

constexpr Duration kFaultsLast = 20s;
constexpr Duration kPublishAfter = 3s;  // of calm: still publishing and asking
constexpr Duration kAskAllAt = 8s;      // of calm: whoever is asked now must answer
constexpr Duration kSettled = 10s;      // of calm: everybody agrees

constexpr std::size_t kRegistries = 2;
constexpr std::size_t kNodes = 5;  // registries first
constexpr std::uint64_t kKeys = 7;
constexpr std::size_t kKeysPerPart = 3;

using Table = std::map<std::uint8_t, std::uint32_t>;
struct Item {
  std::uint8_t key;
  std::uint32_t value;
};

void put_item(Bytes& bytes, const Item& item) {
  append_le(bytes, item.key);
  append_le(bytes, item.value);
}
std::vector<Item> items_of(BytesView bytes, std::size_t at) {
  std::vector<Item> items;
  for (; at + 5 <= bytes.size(); at += 5) {
    items.push_back({read_le<std::uint8_t>(bytes, at), read_le<std::uint32_t>(bytes, at + 1)});
  }
  return items;
}

/// Where a stream stands. Items begin with it.
struct Mark {
  Incarnation incarnation = 0;
  std::uint64_t sequence = 0;
  auto operator<=>(const Mark&) const = default;
};
Bytes pack_mark(const Mark& mark) {
  Bytes bytes;
  append_le(bytes, mark.incarnation);
  append_le(bytes, mark.sequence);
  return bytes;
}
constexpr std::size_t kMarkBytes = 12;
Mark mark_of(BytesView bytes) {
  return {read_le<std::uint32_t>(bytes, 0), read_le<std::uint64_t>(bytes, 4)};
}

NodeInfo info_of(std::size_t node) {
  NodeInfo info;
  info.name = (node < kRegistries ? "registry-" : "node-") + std::to_string(node);
  info.kind = "simulated";
  info.uuid = node_uuid("simulation", info.name);
  info.host = "host";
  return info;
}
NodeNumber number_of(std::size_t node) { return node_number(info_of(node).uuid); }

/// What one process knows of one other's state.
struct Reader {
  std::shared_ptr<StateFollower> follower;
  Mark applied;
  Table table;
  std::set<Mark> lost;
  Incarnation heard = 0;  // in frames, whatever the follower makes of them
};

struct Process {
  ProcessId id{};
  std::size_t node = 0;
  Incarnation incarnation = 0;
  SteadyTime frozen_until{};
  bool fenced = false;
  bool left = false;

  // After what their callbacks use: the link goes first.
  std::optional<RegistryOnLink> registry;
  Table table;
  std::uint64_t sequence = 0;
  std::map<std::size_t, Reader> readers;
  std::shared_ptr<Membership> membership;
  std::shared_ptr<Engine> link;
};

struct AskedOnce {
  int done = 0;
  int ended = 0;
  bool abandoned = false;  // its caller crashed
  bool must_succeed = false;
  std::string answer;
};

/// What happened, for the test of the test and for whoever looks for a rare one.
struct Told {
  std::uint64_t digest = 14695981039346656037ULL;
  std::uint64_t repaired = 0;
  std::uint64_t states = 0;
  std::uint64_t lost = 0;
  std::uint64_t stale = 0;
  std::uint64_t skipped = 0;
  std::uint64_t asked = 0;
  std::uint64_t answered = 0;
  std::uint64_t sent_again = 0;
  std::uint64_t asked_twice = 0;
  std::uint64_t fenced = 0;

  void note(std::uint64_t what) { digest = (digest ^ what) * 1099511628211ULL; }
};

class World {
 public:
  explicit World(std::uint64_t seed) : bus_(seed), begun_at_(bus_.now()) {
    for (std::size_t node = 0; node < kNodes; ++node) start(node);
  }
  ~World() {
    while (!processes_.empty()) end(*processes_.front());
  }

  void run() {
    set_faults();
    while (since_begin() < kFaultsLast) {
      if (since_begin() > 2s && bus_.chance(3)) misfortune();
      turn();
    }
    calm();
    while (since_begin() < kFaultsLast + kAskAllAt) turn();
    for (std::size_t from = kRegistries; from < kNodes; ++from) {
      for (std::size_t to = 0; to < kNodes; ++to) {
        if (from != to) ask(*current_[from], to, 2s, true);
      }
    }
    while (since_begin() < kFaultsLast + kSettled) turn();
  }

  void check() {
    EXPECT_EQ(processes_.size(), kNodes) << "one that was superseded goes on";
    for (const auto& process : processes_) {
      check_readers(*process);
      check_directory(*process);
      count(*process);
      EXPECT_EQ(process->link->counters().dropped, 0U);
      EXPECT_EQ(process->link->counters().malformed, 0U);
    }
    for (const auto& [id, call] : calls_) {
      EXPECT_LE(call.done, 1) << "call " << id << " was done twice";
      EXPECT_EQ(call.ended, call.abandoned ? call.ended : 1) << "call " << id;
      EXPECT_LE(call.ended, 1) << "call " << id;
      if (call.must_succeed) {
        EXPECT_EQ(call.answer, "done") << "call " << id;
        EXPECT_EQ(call.done, 1) << "call " << id;
      }
      told_.answered += call.answer == "done" ? 1 : 0;
    }
    told_.asked = calls_.size();
    // Whatever comes while a process is frozen, but no more than connections hold.
    EXPECT_LE(bus_.inbox_max(), 2 * kNodes * SimulatedBus::kUnderWayMax);
  }

  const Told& told() const { return told_; }

 private:
  Duration since_begin() const { return bus_.now() - begun_at_; }
  Duration some(Duration least, Duration most) {
    return least + Duration(bus_.random(static_cast<std::uint64_t>((most - least).count()) + 1));
  }
  bool is_calm() const { return since_begin() >= kFaultsLast; }
  bool works() const { return since_begin() < kFaultsLast + kPublishAfter; }

  // ---- time

  void turn() {
    bus_.step();
    std::vector<Process*> order;
    for (const auto& process : processes_) order.push_back(process.get());
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[bus_.random(i)]);
    for (auto* process : order) {
      if (process->frozen_until <= bus_.now()) process->link->turn(Duration{0});
    }
    const auto all = order;
    for (auto* process : all) {
      if (process->fenced || process->left) end(*process);
    }
    for (std::size_t node = 0; node < kNodes; ++node) {
      if (current_[node] == nullptr && restart_at_[node] <= bus_.now()) start(node);
    }
  }

  void set_faults() {
    test::SimulatedFaults faults;
    faults.loss_percent = static_cast<unsigned>(bus_.random(4) == 0 ? 0 : bus_.random(15));
    faults.duplicate_percent = static_cast<unsigned>(bus_.random(5));
    faults.break_permyriad = static_cast<unsigned>(bus_.random(30));
    faults.delay_max = some(1ms, bus_.chance(50) ? 20ms : 300ms);
    bus_.set_faults(faults);
  }

  void misfortune() {
    const auto node = bus_.random(kNodes);
    auto* process = current_[node];
    switch (bus_.random(9)) {
      case 0:
      case 1:
        if (process != nullptr) freeze(*process, some(100ms, 6s));
        break;
      case 2:
        if (process == nullptr) break;
        end(*process);
        restart_at_[node] = bus_.now() + (bus_.chance(50) ? 0ms : some(0ms, 5s));
        break;
      case 3:  // Its supervisor gives a frozen process up, and it wakes up beside its successor.
        if (process == nullptr || (node < kRegistries && old_registry_is_there())) break;
        freeze(*process, some(100ms, 5s));
        start(node);
        break;
      case 4:
      case 5: {
        const auto other = bus_.random(kNodes);
        const auto lasts = some(200ms, 5s);
        cut(node, other, lasts);
        if (bus_.chance(50)) cut(other, node, lasts);
        break;
      }
      case 6:
        if (process == nullptr) break;
        restart_at_[node] = bus_.now() + some(500ms, 3s);
        process->membership->leave(500ms, [process] { process->left = true; });
        break;
      case 7:
        if (process != nullptr) {
          process->membership->set_surface({"group"}, std::to_string(bus_.random(1000)));
        }
        break;
      default: set_faults(); break;
    }
  }

  /// Two of them, awake and connected to each other, would be a site of their own for ever: nobody
  /// whom they hear knows of their successors. Supervisors kill a process before they replace it.
  bool old_registry_is_there() const {
    return std::any_of(processes_.begin(), processes_.end(), [&](const auto& each) {
      return each->node < kRegistries && current_[each->node] != each.get();
    });
  }

  void freeze(Process& process, Duration lasts) {
    say("process ", static_cast<std::uint64_t>(process.id), " of ", process.node, " freezes for ",
        seconds_of(lasts));
    process.frozen_until = bus_.now() + lasts;
  }
  void cut(std::size_t from, std::size_t to, Duration lasts) {
    const bool holds = bus_.chance(50);
    say("cut from ", from, " to ", to, " for ", seconds_of(lasts), holds ? ", held" : ", lost");
    bus_.cut(number_of(from), number_of(to), bus_.now() + lasts, holds);
  }
  static double seconds_of(Duration duration) {
    return std::chrono::duration<double>(duration).count();
  }

  void calm() {
    say("calm");
    bus_.set_faults({});
    bus_.heal();
    for (auto& at : restart_at_) at = bus_.now();
    for (const auto& process : processes_) process->frozen_until = bus_.now();
  }

  // ---- processes

  void start(std::size_t node) {
    processes_.push_back(std::make_unique<Process>());
    auto& process = *processes_.back();
    current_[node] = &process;
    process.id = ProcessId{++started_};
    process.node = node;
    process.incarnation = ++incarnations_[node];
    NodeInfo self = info_of(node);
    self.incarnation = process.incarnation;
    self.pid = static_cast<std::uint32_t>(started_);
    auto transport = bus_.open(process.id, number_of(node));
    EngineOptions options;
    options.clock = bus_.clock(some(-300ms, 300ms));
    options.has_thread = false;
    process.link = std::make_shared<Engine>(self, std::move(transport), options);

    if (node < kRegistries) process.registry.emplace(*process.link);
    serve(process);
    MembershipOptions membership;
    for (std::size_t i = 0; i < kRegistries; ++i) membership.registries.push_back(info_of(i));
    membership.on_fenced = [this, &process](const Error& why) {
      process.fenced = true;
      told_.fenced += 1;
      say("process ", static_cast<std::uint64_t>(process.id), " is fenced: ", why.message);
      EXPECT_NE(current_[process.node], &process) << "fenced without a successor: " << why.message;
    };
    say("process ", started_, " of ", node, " starts, incarnation ", process.incarnation);
    process.membership = Membership::start(*process.link, std::move(membership));
    for (std::size_t other = 0; other < kNodes; ++other) {
      if (other != node) follow(process, other);
    }
    publish(process);
    if (node >= kRegistries) ask_now_and_then(process);
  }

  void end(Process& process) {
    bus_.crash(process.id);
    if (current_[process.node] == &process) current_[process.node] = nullptr;
    for (const auto id : calls_of_[process.id]) {
      calls_[id].abandoned = calls_[id].ended == 0;
    }
    count(process);
    say("process ", static_cast<std::uint64_t>(process.id), " of ", process.node, " ends",
        process.fenced ? ", fenced" : "", process.left ? ", left" : "");
    process.link.reset();
    processes_.remove_if([&](const auto& each) { return each.get() == &process; });
  }

  // ---- state

  void publish(Process& process) {
    if (works() && bus_.chance(50)) {
      const auto count = 1 + bus_.random(3);
      Bytes payload = pack_mark({process.incarnation, process.sequence + 1});
      auto& history = history_[{process.node, process.incarnation}];
      for (std::uint64_t i = 0; i < count; ++i) {
        const Item item{static_cast<std::uint8_t>(bus_.random(kKeys)), ++values_};
        put_item(payload, item);
        process.table[item.key] = item.value;
        history.push_back(item);
      }
      const auto first = process.link->publish(FrameClass::kState, kLiveStream,
                                               static_cast<std::uint32_t>(count), payload);
      ASSERT_EQ(first, process.sequence + 1);
      process.sequence += count;
    }
    process.link->after(some(10ms, 100ms), [this, &process] { publish(process); });
  }

  void serve(Process& process) {
    process.link->declare_stream(FrameClass::kState, kLiveStream);
    // In parts, as large states come.
    process.link->serve("state", [&process](const Call& call) {
      Bytes part;
      for (const auto& [key, value] : process.table) {
        put_item(part, {key, value});
        if (part.size() >= 5 * kKeysPerPart) call.progress(std::exchange(part, {}));
      }
      if (!part.empty()) call.progress(part);
      call.done(pack_mark({process.incarnation, process.sequence}));
    });
    process.link->serve("count", [this, &process](const Call& call) {
      const auto id = read_le<std::uint64_t>(call.payload(), 0);
      say("call ", id, " is done by process ", static_cast<std::uint64_t>(process.id));
      calls_[id].done += 1;
      if (!works() || bus_.chance(50)) return call.done("done");
      process.link->after(some(0ms, 2500ms), [call] { call.done("done"); });
    });
  }

  void follow(Process& process, std::size_t other) {
    auto& reader = process.readers[other];
    StateFollowerOptions options;
    options.stream = {number_of(other), kLiveStream};
    options.method = "state";
    options.read_state = [](std::vector<Bytes> parts, const Bytes& end) -> Result<WholeState> {
      const auto mark = mark_of(end);
      parts.insert(parts.begin(), end);
      return WholeState{mark.incarnation, mark.sequence, std::move(parts)};
    };
    options.on_state = [this, &reader, other](const std::vector<Bytes>& parts) {
      const auto mark = mark_of(parts.at(0));
      EXPECT_GT(mark, std::exchange(reader.applied, mark)) << "went back";
      reader.table.clear();
      for (std::size_t i = 1; i < parts.size(); ++i) overlay(reader.table, items_of(parts[i], 0));
      Table expected;
      auto history = history_[{other, mark.incarnation}];
      ASSERT_LE(mark.sequence, history.size());
      history.resize(mark.sequence);
      overlay(expected, history);
      EXPECT_EQ(reader.table, expected) << "a state that never was";
      told_.note(mark.sequence);
    };
    options.on_items = [this, &reader, other](const Bytes& payload) {
      const auto first = mark_of(payload);
      const auto items = items_of(payload, kMarkBytes);
      EXPECT_EQ(first, (Mark{reader.applied.incarnation, reader.applied.sequence + 1}))
          << "twice, or out of order, or after a hole that nobody noticed";
      reader.applied = {first.incarnation, first.sequence + items.size() - 1};
      overlay(reader.table, items);
      told_.note(other ^ first.sequence);
      return Result<Unit>(Unit{});
    };
    options.on_lost = [this, &reader](const StreamReader::Lost& lost) {
      for (auto item = lost.from; item <= lost.to; ++item) {
        EXPECT_TRUE(reader.lost.insert({lost.incarnation, item}).second) << "reported lost twice";
      }
      told_.lost += lost.to - lost.from + 1;
    };
    reader.follower = StateFollower::start(*process.link, std::move(options));
    process.link->subscribe(FrameClass::kState, {number_of(other), kLiveStream},
                            [&reader](const Frame& frame) {
                              EXPECT_GE(frame.header.incarnation, reader.heard) << "not fenced";
                              reader.heard = frame.header.incarnation;
                            });
  }
  static void overlay(Table& table, const std::vector<Item>& items) {
    for (const auto& item : items) table[item.key] = item.value;
  }
  void count(const Process& process) {
    for (const auto& [node, reader] : process.readers) {
      told_.repaired += reader.follower->counters().repaired;
      told_.states += reader.follower->counters().states;
    }
    const auto counters = process.link->counters();
    told_.stale += counters.stale;
    told_.skipped += counters.skipped;
    told_.sent_again += counters.requests_sent_again;
    told_.asked_twice += counters.requests_asked_twice;
  }
  template <class... Words>
  void say(const Words&... words) const {
    if (!tells_) return;
    std::cout << seconds_of(since_begin()) << " s: ";
    (std::cout << ... << words) << '\n';
  }

  void check_readers(const Process& process) {
    for (const auto& [other, reader] : process.readers) {
      const auto& publisher = *current_[other];
      EXPECT_TRUE(reader.follower->live()) << process.node << " reads " << other;
      EXPECT_EQ(reader.applied, (Mark{publisher.incarnation, publisher.sequence}))
          << process.node << " reads " << other;
      EXPECT_EQ(reader.table, publisher.table) << process.node << " reads " << other;
    }
  }
  void check_directory(const Process& process) const {
    const auto directory = process.membership->directory();
    EXPECT_LE(directory.nodes.size(), kNodes);
    for (std::size_t node = 0; node < kNodes; ++node) {
      const auto* found = directory.find(info_of(node).name);
      ASSERT_NE(found, nullptr) << "node " << process.node << " does not know " << node;
      EXPECT_FALSE(is_gone(found->state)) << process.node << " thinks so of " << node;
      EXPECT_EQ(found->incarnation, current_[node]->incarnation)
          << process.node << " thinks so of " << node;
    }
  }

  // ---- calls

  void ask_now_and_then(Process& process) {
    process.link->after(some(50ms, 400ms), [this, &process] {
      if (works()) ask(process, bus_.random(kNodes), some(500ms, 6s), false);
      ask_now_and_then(process);
    });
  }
  void ask(Process& process, std::size_t node, Duration budget, bool must_succeed) {
    const auto id = ++asked_;
    calls_[id].must_succeed = must_succeed;
    calls_of_[process.id].push_back(id);
    say("call ", id, " from ", process.node, " to ", node, " within ", seconds_of(budget));
    Bytes payload;
    append_le(payload, id);
    process.link->request(number_of(node), "count", payload, {budget, {}},
                          [this, id](const Answer& answer) {
                            auto& call = calls_[id];
                            call.ended += 1;
                            call.answer = answer ? answer.value() : answer.error().message;
                            say("call ", id, " ends: ", call.answer);
                            told_.note(answer ? 0 : static_cast<unsigned>(answer.error().code));
                          });
  }

  SimulatedBus bus_;
  const SteadyTime begun_at_;
  const bool tells_ = std::getenv("TIDEMARK_STORY") != nullptr;
  Told told_;
  std::uint64_t started_ = 0;
  std::uint32_t values_ = 0;
  std::uint64_t asked_ = 0;
  std::map<std::uint64_t, AskedOnce> calls_;
  std::map<ProcessId, std::vector<std::uint64_t>> calls_of_;
  std::map<std::pair<std::size_t, Incarnation>, std::vector<Item>> history_;
  std::array<Incarnation, kNodes> incarnations_{};
  std::array<SteadyTime, kNodes> restart_at_{};
  std::array<Process*, kNodes> current_{};
  std::list<std::unique_ptr<Process>> processes_;
};

class BusSimulation : public testing::Test {
 protected:
  // What goes wrong here is meant to.
  void SetUp() override { spdlog::set_level(spdlog::level::off); }
  void TearDown() override { spdlog::set_level(spdlog::level::info); }
};

TEST_F(BusSimulation, EverybodyAgreesInTheEndAndNothingIsDoneTwice) {
  Told all;
  const auto seeds = for_seeds([&](std::uint64_t seed) {
    World world(seed);
    world.run();
    world.check();
    const auto& told = world.told();
    all.repaired += told.repaired;
    all.states += told.states;
    all.lost += told.lost;
    all.stale += told.stale;
    all.skipped += told.skipped;
    all.asked += told.asked;
    all.answered += told.answered;
    all.sent_again += told.sent_again;
    all.asked_twice += told.asked_twice;
    all.fenced += told.fenced;
  });
  std::printf(
      "%lu seeds from %lu: %lu holes repaired, %lu whole states, %lu items lost, %lu stale, "
      "%lu skipped, %lu of %lu calls answered, %lu sent again, %lu asked twice, %lu fenced\n",
      seeds.count, seeds.first, all.repaired, all.states, all.lost, all.stale, all.skipped,
      all.answered, all.asked, all.sent_again, all.asked_twice, all.fenced);
  // A simulation in which nothing fails proves nothing.
  if (seeds.count < 3) return;
  EXPECT_GT(all.repaired, 0U);
  EXPECT_GT(all.lost, 0U);
  EXPECT_GT(all.stale, 0U);
  EXPECT_GT(all.asked_twice, 0U);
  EXPECT_GT(all.fenced, 0U);
}

TEST_F(BusSimulation, GoesTheSameWayTwiceFromOneSeed) {
  const auto digest = [](std::uint64_t seed) {
    World world(seed);
    world.run();
    return world.told().digest;
  };
  EXPECT_EQ(digest(42), digest(42));
  EXPECT_NE(digest(42), digest(43));
}

}  // namespace
}  // namespace tidemark::bus
