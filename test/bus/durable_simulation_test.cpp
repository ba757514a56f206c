// test/bus/durable_simulation_test.cpp
//
// The way into the journal, on a network that fails: sources that say durable records through the
// Outbox that subsystems have, with its spool, and a journal that takes them with its Intake into a
// store. Journal and sources crash, freeze and restart, sources are killed, or wake up beside their
// successors; connections lose, double, delay and reorder; the disk is full for a while, and more
// is said than may be held back. Everything follows from a seed.
//
// Each record has a number of its life, so what the store holds in the end tells it all: every one
// is there once and in order, or in a gap, of exactly as many.
//
//   TIDEMARK_STORY=1   prints what happens; seeds.h says how many seeds there are

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <iostream>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "journal/memory_store.h"
#include "journal_on_link.h"
#include "seeds.h"
#include "simulated_site.h"
#include "subsystem/outbox.h"

namespace tidemark::bus {
namespace {

using namespace std::chrono_literals;
namespace files = std::filesystem;

constexpr Duration kFaultsLast = 20s;
constexpr Duration kSayAfter = 2s;  // of calm: still saying
constexpr Duration kSettled = 12s;  // of calm: the journal has all of it
constexpr Duration kStep = test::SimulatedBus::kStep;
constexpr std::size_t kSources = 3;
constexpr std::string_view kCategory = "simulated";  // of what the sources say themselves

/// What one life of a source said. Its records are numbered from 1, those that the Outbox did not
/// take among them.
struct Life {
  std::size_t source = 0;
  Incarnation incarnation = 0;
  std::uint64_t said = 0;
  std::uint64_t refused = 0;
  std::uint64_t numbered = 0;  // said before its loop's last turn: in the Outbox, or refused
  /// It was killed: what it had not numbered, and how much was refused, went with it.
  bool killed = false;
  /// Said before it had a successor. What one says who is superseded counts for nothing.
  std::optional<std::uint64_t> valid;

  // What the store has of it.
  std::uint64_t last = 0;     // record
  std::uint64_t missing = 0;  // in gaps since then
  std::uint64_t stored = 0;
  std::uint64_t gaps = 0;
  std::uint64_t admitted = 0;  // in messages that say how many were not taken
};

struct Source {
  SimulatedSite::Node* node = nullptr;
  std::shared_ptr<subsystem::Outbox> outbox;
  Life* life = nullptr;
  SteadyTime frozen_until{};
  bool says = true;
  bool fenced = false;
  bool drained = false;
  SteadyTime ends_at = SteadyTime::max();  // it was asked to
};

struct Told {
  std::uint64_t digest = 14695981039346656037ULL;
  std::uint64_t said = 0;
  std::uint64_t stored = 0;
  std::uint64_t in_gaps = 0;
  std::uint64_t gaps = 0;
  std::uint64_t refused = 0;
  std::uint64_t full_spools = 0;  // of a life that ended
  std::uint64_t journals = 0;
  std::uint64_t killed = 0;
  std::uint64_t superseded = 0;

  void note(std::uint64_t what) { digest = (digest ^ what) * 1099511628211ULL; }
};

class World {
 public:
  explicit World(std::uint64_t seed)
      : site_(seed),
        folder_(files::temp_directory_path() /
                ("tidemark-durable-" + std::to_string(::getpid()) + "-" + std::to_string(seed))),
        store_({}, [this] { return utc(); }) {
    files::remove_all(folder_);
    start_registry();
    start_journal();
    for (std::size_t source = 0; source < kSources; ++source) start(source);
  }
  ~World() {
    while (!sources_.empty()) end(sources_.front());
    site_.crash(*journal_node_);
    files::remove_all(folder_);
  }

  void run() {
    set_faults();
    while (since_begin() < kFaultsLast) {
      if (since_begin() > 1s && bus().chance(3)) misfortune();
      turn();
    }
    calm();
    while (since_begin() < kFaultsLast + kSettled) turn();
  }

  void check() {
    check_acknowledged();
    read_store();
    EXPECT_EQ(sources_.size(), kSources) << "one that was superseded goes on";
    for (const auto& source : sources_) {
      EXPECT_TRUE(source.outbox->append(model::LogMessage{}).ok()) << "still too much is held back";
    }
    for (auto& life : lives_) {
      check(life);
      told_.said += life.said;
      told_.stored += life.stored;
      told_.in_gaps += life.gaps;
      told_.refused += life.refused;
    }
  }

  const Told& told() const { return told_; }

 private:
  test::SimulatedBus& bus() { return site_.bus(); }
  Duration since_begin() { return bus().now() - begun_at_; }
  UtcTime utc() { return bus().clock(Duration{0}).utc(); }
  Duration some(Duration least, Duration most) {
    return least + Duration(bus().random(static_cast<std::uint64_t>((most - least).count()) + 1));
  }
  bool is_said() { return since_begin() < kFaultsLast + kSayAfter; }

  static std::string name_of(std::size_t source) { return "source-" + std::to_string(source); }
  std::string folder_of(std::size_t source) const { return folder_ / name_of(source); }
  std::string title(const Life& life) const {
    return name_of(life.source) + " incarnation " + std::to_string(life.incarnation);
  }
  template <class... Words>
  void say(const Words&... words) {
    if (!tells_) return;
    std::cout << std::chrono::duration<double>(since_begin()).count() << " s: ";
    (std::cout << ... << words) << '\n';
  }

  // ---- time

  void turn() {
    for (auto& source : sources_) {
      source.node->frozen = source.frozen_until > bus().now();
      if (!source.node->frozen) source.life->numbered = source.life->said;
    }
    journal_node_->frozen = journal_frozen_until_ > bus().now();
    site_.pass(kStep);
    for (auto at = sources_.begin(); at != sources_.end();) {
      auto& source = *at++;
      if (source.fenced || source.drained || source.ends_at <= bus().now()) end(source);
    }
    for (std::size_t source = 0; source < kSources; ++source) {
      if (current_[source] == nullptr && restart_at_[source] <= bus().now()) start(source);
    }
  }

  void set_faults() {
    test::SimulatedFaults faults;
    faults.loss_percent = static_cast<unsigned>(bus().random(4) == 0 ? 0 : bus().random(15));
    faults.duplicate_percent = static_cast<unsigned>(bus().random(5));
    faults.break_permyriad = static_cast<unsigned>(bus().random(30));
    faults.delay_max = some(1ms, bus().chance(50) ? 20ms : 300ms);
    bus().set_faults(faults);
  }

  void misfortune() {
    const auto number = bus().random(kSources);
    auto* source = current_[number];
    switch (bus().random(12)) {
      case 0:
        if (source != nullptr) freeze(*source, some(100ms, 6s));
        break;
      case 1:
        if (source == nullptr) break;
        kill(*source);
        restart_at_[number] = bus().now() + (bus().chance(50) ? 0ms : some(0ms, 4s));
        break;
      case 2:  // It ends, and waits for the journal as long as it likes.
        if (source == nullptr) break;
        restart_at_[number] = bus().now() + some(500ms, 4s);
        source->says = false;
        source->ends_at = bus().now() + some(0ms, 2s);
        source->outbox->when_drained([source] { source->drained = true; });
        break;
      case 3:  // Its supervisor gives a frozen process up, and it wakes up beside its successor.
        if (source == nullptr) break;
        freeze(*source, some(100ms, 5s));
        source->life->valid = source->life->numbered;
        told_.superseded += 1;
        start(number);
        break;
      case 4:
      case 5: restart_journal(); break;
      case 6:
        journal_frozen_until_ = bus().now() + some(100ms, 5s);
        say("the journal freezes");
        break;
      case 7:
      case 8: cut(name_of(number)); break;
      case 9:
        disk_full_until_ = bus().now() + some(100ms, 3s);
        say("the disk is full");
        break;
      case 10:
        site_.crash(*registry_);
        start_registry();
        break;
      default: set_faults(); break;
    }
  }

  void cut(const std::string& name) {
    const bool holds = bus().chance(50);
    const auto lasts = some(200ms, 6s);
    say(name, " and the journal are cut, ", holds ? "held" : "lost");
    const auto one_way = [&](const std::string& from, const std::string& to) {
      holds ? site_.hold(from, to, lasts) : site_.lose(from, to, lasts);
    };
    one_way(name, "journal");
    if (bus().chance(50)) one_way("journal", name);
  }

  void freeze(Source& source, Duration lasts) {
    say(title(*source.life), " freezes");
    source.frozen_until = bus().now() + lasts;
  }

  void calm() {
    say("calm");
    bus().set_faults({});
    bus().heal();
    disk_full_until_ = journal_frozen_until_ = bus().now();
    for (auto& source : sources_) source.frozen_until = bus().now();
    for (auto& at : restart_at_) at = bus().now();
  }

  // ---- processes

  void join(SimulatedSite::Node& node, std::function<void()> on_fenced) {
    MembershipOptions options;
    options.registries = {SimulatedSite::info("registry")};
    options.on_fenced = [on_fenced = std::move(on_fenced)](const Error&) { on_fenced(); };
    node.membership = Membership::start(*node.link, std::move(options));
  }

  void start_registry() {
    registry_ = &site_.start_registry("registry", ++registries_);
    join(*registry_, [] {});
  }

  void start_journal() {
    journal_node_ = &site_.start("journal", ++journals_);
    say("the journal starts, incarnation ", journals_);
    JournalOnLink::Options options;
    options.utc = [this] { return utc(); };
    options.commit_lasts = [this] { return bus().chance(80) ? 10ms : some(0ms, 300ms); };
    options.disk_is_full = [this] { return disk_full_until_ > bus().now(); };
    options.on_acknowledged = [this](const model::api::AppendRequest& request,
                                     std::uint64_t through) {
      auto& acknowledged = acknowledged_[{request.origin, request.incarnation}];
      acknowledged = std::max(acknowledged, through);
      told_.note(through);
    };
    journal_ = std::make_unique<JournalOnLink>(*journal_node_->link, store_, std::move(options));
    join(*journal_node_, [] {});
  }
  void restart_journal() {
    site_.crash(*journal_node_);
    journal_frozen_until_ = {};
    start_journal();
    told_.journals += 1;
    check_acknowledged();
  }

  void start(std::size_t number) {
    auto& source = sources_.emplace_back();
    auto& life = lives_.emplace_back();
    current_[number] = &source;
    life.source = number;
    life.incarnation = ++incarnations_[number];
    say(title(life), " starts");
    source.life = &life;
    source.node = &site_.start(name_of(number), life.incarnation);
    subsystem::Outbox::Options options;
    options.journal = SimulatedSite::number("journal");
    options.spool = {folder_of(number), 64u << 10, true};
    options.kept_bytes_max = 20'000;
    options.held_bytes_max = 40'000;
    source.outbox = subsystem::Outbox::start(source.node->link, options);
    join(*source.node, [&source] { source.fenced = true; });
    speak(source);
  }

  /// As a process that ends: its callbacks first, then what it holds.
  void end(Source& source) {
    say(title(*source.life), " ends", source.fenced ? ", fenced" : "",
        source.drained ? ", drained" : "");
    site_.crash(*source.node);
    auto& current = current_[source.life->source];
    if (current == &source) current = nullptr;
    sources_.remove_if([&](const Source& each) { return &each == &source; });
  }

  /// As SIGKILL: the files stay as they are.
  void kill(Source& source) {
    say(title(*source.life), " is killed");
    source.life->killed = true;
    told_.killed += 1;
    const auto folder = folder_of(source.life->source);
    const auto kept = folder + ".kept";
    files::copy(folder, kept);
    end(source);
    files::remove_all(folder);
    files::rename(kept, folder);
  }

  // ---- what is said

  void speak(Source& source) {
    source.node->link->after(some(5ms, 60ms), [this, &source] {
      if (source.says && is_said()) {
        const auto count = bus().chance(5) ? bus().random(60) : bus().random(6);
        for (std::uint64_t i = 0; i < count; ++i) speak_once(source);
      }
      speak(source);
    });
  }
  void speak_once(Source& source) {
    auto& life = *source.life;
    const auto number = static_cast<std::int64_t>(++life.said);
    std::string text(bus().random(bus().chance(90) ? 200 : 2000), 'x');
    model::Record record;
    if (bus().chance(50)) {
      record = model::KvUpdate{name_of(life.source) + "/key", model::kv::Value(std::move(text)),
                               utc(), "", life.said};
    } else {
      record = model::LogMessage{model::Level::kInfo,      name_of(life.source),   std::move(text),
                                 model::kv::Value(number), std::string(kCategory), utc()};
    }
    if (!source.outbox->append(std::move(record))) life.refused += 1;
  }

  // ---- what the store has

  /// Whatever was acknowledged is stored, or a gap says that it is lost: told, not forgotten.
  void check_acknowledged() {
    for (const auto& [origin, through] : acknowledged_) {
      const auto mark = store_.mark_of(origin.first);
      ASSERT_TRUE(mark.has_value());
      if (mark->incarnation == origin.second) {
        EXPECT_GE(mark->sequence, through) << "acknowledged, and not there";
      } else {
        EXPECT_GT(mark->incarnation, origin.second);
      }
    }
  }

  Life* life_of(const Uuid& origin, Incarnation incarnation) {
    for (auto& life : lives_) {
      const auto uuid = SimulatedSite::info(name_of(life.source)).uuid;
      if (uuid == origin && life.incarnation == incarnation) return &life;
    }
    return nullptr;
  }

  void read_store() {
    struct Mark {
      Incarnation incarnation = 0;
      std::uint64_t sequence = 0;
    };
    std::map<Uuid, Mark> marks;
    /// Numbers go on where they were: each one once, and every one.
    const auto go_on = [&](const Uuid& origin, Incarnation incarnation, std::uint64_t from,
                           std::uint64_t to) {
      auto& mark = marks[origin];
      EXPECT_GE(incarnation, mark.incarnation) << "an older life behind a newer one";
      if (incarnation > mark.incarnation) mark = {incarnation, 0};
      EXPECT_EQ(from, mark.sequence + 1);
      mark.sequence = to;
    };
    const auto take_gap = [&](const model::Gap& gap) {
      told_.gaps += 1;
      auto* life = life_of(gap.origin, gap.incarnation);
      ASSERT_NE(life, nullptr);
      ASSERT_GE(gap.to, gap.from) << "nobody knows how many";
      go_on(gap.origin, gap.incarnation, gap.from, gap.to);
      life->missing += gap.to - gap.from + 1;
      life->gaps += gap.to - gap.from + 1;
    };
    const auto read = store_.scan(journal::Line{1}, {}, [&](const journal::Block& block) {
      for (const auto& section : block.sections) {
        const auto records = model::decode_records(section.payload).value();
        if (section.origin == JournalOnLink::gaps_origin()) {
          for (const auto& each : records) take_gap(std::get<model::Gap>(each));
          continue;
        }
        auto* life = life_of(section.origin, section.incarnation);
        if (life == nullptr) {
          ADD_FAILURE() << "of nobody";
          return false;
        }
        go_on(section.origin, section.incarnation, section.sequence,
              section.sequence + section.count - 1);
        for (const auto& each : records) take(*life, each);
      }
      return !testing::Test::HasFailure();
    });
    EXPECT_TRUE(read.ok());
  }

  void take(Life& life, const model::Record& record) {
    std::uint64_t number = 0;
    if (const auto* update = std::get_if<model::KvUpdate>(&record)) {
      number = update->sequence;
    } else {
      const auto& said = std::get<model::LogMessage>(record);
      if (said.category == kCategory) {
        number = static_cast<std::uint64_t>(*said.data.get_if<std::int64_t>());
      } else if (said.text.find("were not taken") != std::string::npos) {
        life.admitted += std::stoull(said.text);
        return;
      } else {
        told_.full_spools += said.text.find("its spool was full") != std::string::npos ? 1 : 0;
        return;
      }
    }
    ASSERT_GT(number, life.last) << title(life) << ": twice, or out of order";
    if (number <= life.valid.value_or(number)) {
      EXPECT_EQ(number - life.last - 1, life.missing)
          << title(life) << ", before record " << number;
    }
    life.last = number;
    life.missing = 0;
    life.stored += 1;
    told_.note(number);
  }

  /// Behind the last record that is stored.
  void check(const Life& life) const {
    EXPECT_LE(life.admitted, life.refused) << title(life);
    if (life.killed || life.valid) {
      const auto numbered = std::min(life.numbered, life.valid.value_or(life.numbered));
      if (life.admitted < life.refused || life.last >= numbered) return;
      EXPECT_GE(life.missing, numbered - life.last) << title(life);
      return;
    }
    EXPECT_GE(life.missing, life.said - life.last) << title(life);
    // When its spool was full in the end, what said how many were not taken may be in the gap, too.
    if (life.incarnation != incarnations_[life.source]) return;
    EXPECT_EQ(life.admitted, life.refused) << title(life);
    EXPECT_EQ(life.missing, life.said - life.last) << title(life);
  }

  SimulatedSite site_;
  const files::path folder_;
  const SteadyTime begun_at_ = site_.bus().now();
  const bool tells_ = std::getenv("TIDEMARK_STORY") != nullptr;
  Told told_;
  journal::MemoryStore store_;
  std::map<std::pair<Uuid, Incarnation>, std::uint64_t> acknowledged_;
  std::unique_ptr<JournalOnLink> journal_;
  SimulatedSite::Node* journal_node_ = nullptr;
  SimulatedSite::Node* registry_ = nullptr;
  Incarnation journals_ = 0;
  Incarnation registries_ = 0;
  SteadyTime journal_frozen_until_{};
  SteadyTime disk_full_until_{};
  std::array<Incarnation, kSources> incarnations_{};
  std::array<SteadyTime, kSources> restart_at_{};
  std::array<Source*, kSources> current_{};
  std::deque<Life> lives_;
  std::list<Source> sources_;
};

class DurableSimulation : public testing::Test {
 protected:
  // What goes wrong here is meant to.
  void SetUp() override { spdlog::set_level(spdlog::level::off); }
  void TearDown() override { spdlog::set_level(spdlog::level::info); }
};

TEST_F(DurableSimulation, EveryRecordIsThereOnceAndInOrderOrInAGapOfExactlyAsMany) {
  Told all;
  const auto seeds = for_seeds([&](std::uint64_t seed) {
    World world(seed);
    world.run();
    world.check();
    const auto& told = world.told();
    all.said += told.said;
    all.stored += told.stored;
    all.in_gaps += told.in_gaps;
    all.gaps += told.gaps;
    all.refused += told.refused;
    all.full_spools += told.full_spools;
    all.journals += told.journals;
    all.killed += told.killed;
    all.superseded += told.superseded;
  });
  std::printf(
      "%lu seeds from %lu: %lu records said, %lu stored, %lu in %lu gaps, %lu refused, %lu full "
      "spools, %lu journals restarted, %lu sources killed, %lu superseded\n",
      seeds.count, seeds.first, all.said, all.stored, all.in_gaps, all.gaps, all.refused,
      all.full_spools, all.journals, all.killed, all.superseded);
  // A simulation in which nothing fails proves nothing.
  if (seeds.count < 3) return;
  EXPECT_GT(all.gaps, 0U);
  EXPECT_GT(all.refused, 0U);
  EXPECT_GT(all.journals, 0U);
  EXPECT_GT(all.killed, 0U);
  EXPECT_GT(all.superseded, 0U);
}

TEST_F(DurableSimulation, GoesTheSameWayTwiceFromOneSeed) {
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
