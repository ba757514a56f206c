// test/journal/archive_test.cpp
//
// The past against a naive model: every update ever made, kept in a list. Random histories are cut
// into blocks at random, projected at random moments, interrupted and reopened; whatever is asked
// must equal what the list says.

#include "journal/archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

#include "journal/memory_store.h"
#include "journal/reduce.h"
#include "pv_samples.h"

namespace tidemark::journal {
namespace {

using model::PvUpdate;

constexpr std::uint32_t kChannels = 9;

ProjectionLimits small_limits(std::size_t head_bytes_max) {
  ProjectionLimits limits;
  limits.segments.length = 48;
  limits.keyframe_lines_per_channel = 9;  // at every second end of a segment, or so
  limits.head_bytes_max = head_bytes_max;
  return limits;
}

class History {
 public:
  explicit History(std::size_t head_bytes_max) : head_bytes_max_(head_bytes_max) { open(); }

  void append() {
    std::vector<InspectedSection> sections;
    const auto pieces = *rc::gen::inRange(1, 3);
    for (int i = 0; i < pieces; ++i) sections.push_back(section());
    ASSERT_TRUE(store_->append(sections));
    now_ += std::chrono::seconds(*rc::gen::inRange(0, 5));
  }
  void project() {
    const auto more = projections_->advance(static_cast<std::uint64_t>(*rc::gen::inRange(1, 60)));
    ASSERT_TRUE(more) << more.error().message;
  }
  void open() {
    projections_ = std::make_shared<Projections>(store_, table_, small_limits(head_bytes_max_));
    const auto loaded = projections_->load();
    ASSERT_TRUE(loaded) << loaded.error().message;
  }
  void project_all() {
    while (projections_->advance(1000).value()) {
    }
  }

  MachineState state_at(Line line) const {
    MachineState state;
    for (const auto& [at, update] : updates_) {
      if (at <= line) state.apply(at, update);
    }
    return state;
  }
  void check_state(Line line) const {
    const auto found = archive().state_at(line);
    RC_ASSERT(found.ok());
    const auto wanted = state_at(line);
    for (std::uint32_t number = 0; number <= kChannels + 1; ++number) {
      const auto* a = wanted.find(model::ChannelId{number});
      const auto* b = found.value().find(model::ChannelId{number});
      RC_ASSERT((a == nullptr) == (b == nullptr));
      if (a != nullptr) RC_ASSERT(*a == *b);
    }
  }
  void check_samples(model::ChannelId channel, Line from, Line to) const {
    std::vector<Sample> found;
    const auto read = archive().samples(channel, from, to, [&](const std::vector<Sample>& some) {
      found.insert(found.end(), some.begin(), some.end());
      return true;
    });
    RC_ASSERT(read.ok());
    expect_same(found, wanted(channel, from, to));
  }
  void check_newest(model::ChannelId channel, Line line, std::size_t count) const {
    const auto found = archive().newest(channel, line, count);
    RC_ASSERT(found.ok());
    auto all = wanted(channel, Line{1}, line);
    std::reverse(all.begin(), all.end());
    if (all.size() > count) all.resize(count);
    expect_same(found.value(), all);
  }
  /// Everything that may be asked, at random.
  void ask() const {
    const auto last = raw(store_->last());
    const Line line{*rc::gen::inRange<std::uint64_t>(0, last + 1)};
    check_state(line);
    const model::ChannelId channel{*rc::gen::inRange<std::uint32_t>(1, kChannels + 1)};
    const Line from{*rc::gen::inRange<std::uint64_t>(0, last + 2)};
    check_samples(channel, from, Line{*rc::gen::inRange<std::uint64_t>(0, last + 2)});
    check_newest(channel, line, static_cast<std::size_t>(*rc::gen::inRange(0, 12)));
  }
  /// What is derived now is what is derived from the log alone.
  void check_rebuild() {
    project_all();
    const auto fresh = std::make_shared<MemoryProjectionTable>();
    Projections again(store_, fresh, small_limits(head_bytes_max_));
    RC_ASSERT(again.load().ok());
    while (again.advance(1'000'000).value()) {
    }
    RC_ASSERT(again.sealed() == projections_->sealed());
    RC_ASSERT(entries(*fresh) == entries(*table_));
  }

 private:
  Archive archive() const { return Archive(projections_); }
  static std::map<Bytes, Bytes> entries(const ProjectionTable& table) {
    std::map<Bytes, Bytes> all;
    (void)table.scan("", "\xff", [&](BytesView key, BytesView value) {
      all.emplace(key, value);
      return true;
    });
    return all;
  }
  static void expect_same(const std::vector<Sample>& found, const std::vector<Sample>& wanted) {
    RC_ASSERT(found.size() == wanted.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      RC_ASSERT(found[i].line == wanted[i].line);
      RC_ASSERT(found[i].update == wanted[i].update);
    }
  }
  std::vector<Sample> wanted(model::ChannelId channel, Line from, Line to) const {
    std::vector<Sample> some;
    for (const auto& each : updates_) {
      if (each.update.channel == channel && each.line >= from && each.line <= to) {
        some.push_back(each);
      }
    }
    return some;
  }
  InspectedSection section() {
    if (*rc::gen::inRange(0, 5) == 0) {
      const auto count = *rc::gen::inRange<std::size_t>(1, 9);
      line_ += count;
      return inspected(section_of(std::vector<model::Record>(count, message("x")), ++sequence_));
    }
    std::vector<PvUpdate> updates(*rc::gen::inRange<std::size_t>(1, 25));
    for (auto& update : updates) {
      update = *any_update(kChannels);
      updates_.push_back({Line{++line_}, update});
    }
    return inspected(section_of(updates, ++sequence_));
  }

  const std::size_t head_bytes_max_;
  UtcTime now_ = at_second(0);
  std::shared_ptr<MemoryStore> store_ =
      std::make_shared<MemoryStore>(StoreLimits{}, [this] { return now_; });
  std::shared_ptr<MemoryProjectionTable> table_ = std::make_shared<MemoryProjectionTable>();
  std::shared_ptr<Projections> projections_;
  std::vector<Sample> updates_;
  std::uint64_t line_ = 0;
  std::uint64_t sequence_ = 0;
};

TEST(Reduction, KnowsTheDeviationOfLargeValuesThatHardlyDiffer) {
  auto store = std::make_shared<MemoryStore>();
  std::vector<PvUpdate> updates(4000);
  for (std::size_t i = 0; i < updates.size(); ++i) {
    updates[i].channel = model::ChannelId{1};
    updates[i].taken_at = at_second(static_cast<std::int64_t>(i));
    updates[i].value = 2.856e9 + (i % 2 == 0 ? 1.0 : -1.0);
  }
  const auto appended = inspected(section_of(updates));
  ASSERT_TRUE(store->append({&appended, 1}));
  auto limits = small_limits(1u << 20);
  limits.segments.length = 1000;  // some of it in chunks, some in the head
  const auto projections =
      std::make_shared<Projections>(store, std::make_shared<MemoryProjectionTable>(), limits);
  ASSERT_TRUE(projections->load());
  while (projections->advance(1000).value()) {
  }
  const auto bins = reduce(Archive(projections), model::ChannelId{1},
                           {Line{1}, Line{4000}, at_second(0), at_second(4000), 1});
  ASSERT_TRUE(bins);
  ASSERT_EQ(bins.value().size(), 1u);
  EXPECT_EQ(bins.value()[0].count, 4000u);
  EXPECT_NEAR(bins.value()[0].deviation, 1.0, 1e-6);
  EXPECT_NEAR(bins.value()[0].mean, 2.856e9, 1e-3);
}

/// A table on a disk that is full at times.
class FullTable final : public ProjectionTable {
 public:
  bool full = false;

  Result<Unit> write(const std::vector<KeyValue>& puts) override {
    if (full) return Error{Code::kUnavailable, "disk full"};
    return inner_.write(puts);
  }
  void flush() override {}
  Result<Unit> clear() override { return inner_.clear(); }
  Result<Unit> scan(
      BytesView from, BytesView to,
      const std::function<bool(BytesView key, BytesView value)>& visit) const override {
    return inner_.scan(from, to, visit);
  }
  Result<std::optional<KeyValue>> last(BytesView from, BytesView to) const override {
    return inner_.last(from, to);
  }

 private:
  MemoryProjectionTable inner_;
};

TEST(ProjectionsOnAFullDisk, WriteTheKeyframeOfTheSegmentThatWasFullAndNoLaterOne) {
  auto store = std::make_shared<MemoryStore>();
  std::uint64_t line = 0;
  for (const std::size_t count : {48u, 52u}) {  // the first block ends with its segment
    std::vector<PvUpdate> updates(count);
    for (auto& update : updates) {
      update.channel = model::ChannelId{1};
      update.value = static_cast<double>(++line);
    }
    const auto appended = inspected(section_of(updates, line - count + 1));
    ASSERT_TRUE(store->append({&appended, 1}));
  }
  const auto table = std::make_shared<FullTable>();
  const auto projections = std::make_shared<Projections>(store, table, small_limits(1u << 20));
  ASSERT_TRUE(projections->load());
  table->full = true;
  EXPECT_FALSE(projections->advance(1000));
  EXPECT_FALSE(projections->advance(1000));
  table->full = false;
  while (projections->advance(1000).value()) {
  }
  EXPECT_EQ(projections->sealed(), Line{96});
  for (const auto at : {48u, 60u, 96u, 100u}) {
    const auto state = Archive(projections).state_at(Line{at});
    ASSERT_TRUE(state);
    EXPECT_EQ(state.value().find(model::ChannelId{1})->value,
              model::PvValue{static_cast<double>(at)});
  }
}

TEST(ProjectionsOfADamagedTable, AreMadeAnew) {
  auto store = std::make_shared<MemoryStore>();
  PvUpdate update;
  update.channel = model::ChannelId{1};
  update.event = PvUpdate::Event::kConnected;
  update.meta = std::make_shared<model::PvMeta>();
  const auto appended = inspected(section_of(std::vector<PvUpdate>(60, update)));
  ASSERT_TRUE(store->append({&appended, 1}));
  auto table = std::make_shared<MemoryProjectionTable>();
  const auto project = [&] {
    Projections projections(store, table, small_limits(1u << 20));
    EXPECT_TRUE(projections.load());
    while (projections.advance(1000).value()) {
    }
    return projections.sealed();
  };
  EXPECT_EQ(project(), Line{48});
  for (const auto& damage : {KeyValue{meta_key(1, Line{1}), "no batch"}, {kWatermarkKey, "x"}}) {
    ASSERT_TRUE(table->write({damage}));
    EXPECT_EQ(project(), Line{48});
    EXPECT_NE(table->last(damage.first, damage.first + '\0').value()->second, damage.second);
  }
}

RC_GTEST_PROP(Archive, EqualsANaiveModel, ()) {
  History history(*rc::gen::element<std::size_t>(1000, 1u << 20));
  const auto steps = *rc::gen::inRange(1, 40);
  for (int i = 0; i < steps; ++i) {
    switch (*rc::gen::inRange(0, 6)) {
      case 0:
      case 1: history.append(); break;
      case 2:
      case 3: history.project(); break;
      case 4: history.ask(); break;
      default: history.open(); break;  // as after kill -9: the head is gone
    }
  }
  history.ask();
  history.check_rebuild();
  history.ask();
}

}  // namespace
}  // namespace tidemark::journal
