// test/journal/archive_test.cpp
//
// The past against a naive model of it, and what is derived when something goes wrong.

#include "journal/archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "naive_history.h"

namespace tidemark::journal {
namespace {

using model::PvUpdate;

void check_state(const NaiveHistory& history, Line line) {
  MachineState wanted;
  for (const auto& [sample, recorded_at] : history.updates()) {
    if (sample.line <= line) wanted.apply(sample.line, sample.update);
  }
  const auto found = history.archive().state_at(line);
  RC_ASSERT(found.ok());
  expect_same(found.value(), wanted);
}

void check_samples(const NaiveHistory& history, model::ChannelId channel, Line from, Line to) {
  std::vector<Sample> found;
  const auto read =
      history.archive().samples(channel, from, to, [&](const std::vector<Sample>& some) {
        found.insert(found.end(), some.begin(), some.end());
        return true;
      });
  RC_ASSERT(read.ok());
  expect_same(found, history.samples(channel, from, to));
}

void check_newest(const NaiveHistory& history, model::ChannelId channel, Line line,
                  std::size_t count) {
  const auto found = history.archive().newest(channel, line, count);
  RC_ASSERT(found.ok());
  auto all = history.samples(channel, Line{1}, line);
  std::reverse(all.begin(), all.end());
  if (all.size() > count) all.resize(count);
  RC_ASSERT(!found.value().cut);
  expect_same(found.value().samples, all);

  // Piece by piece it is the same.
  std::vector<Sample> pieces;
  for (Archive::Newest piece{{}, true}; piece.cut;) {
    const auto to = pieces.empty() ? line : Line{raw(pieces.back().line) - 1};
    const auto got = history.archive().newest(channel, to, count - pieces.size(),
                                              *rc::gen::inRange<std::size_t>(0, 40));
    RC_ASSERT(got.ok());
    piece = got.value();
    RC_ASSERT(!piece.cut || !piece.samples.empty());
    pieces.insert(pieces.end(), piece.samples.begin(), piece.samples.end());
  }
  expect_same(pieces, all);
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
  NaiveHistory history(*rc::gen::element<std::size_t>(1000, 1u << 20));
  const auto ask = [&] {
    const auto line = std::min(history.any_line(), history.last());
    check_state(history, line);
    const auto channel = history.any_channel();
    check_samples(history, channel, history.any_line(), history.any_line());
    check_newest(history, channel, line, *rc::gen::inRange<std::size_t>(0, 12));
  };
  history.live(ask);
  history.check_rebuild();
  ask();
}

}  // namespace
}  // namespace tidemark::journal
