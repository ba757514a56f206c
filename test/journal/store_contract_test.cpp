// test/journal/store_contract_test.cpp
//
// What every Store promises, run against every Store we have. A promise that only one Store
// keeps belongs in that Store's own test.

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "journal/memory_store.h"
#include "journal/rocks_store.h"
#include "journal_samples.h"
#include "test/support/faulty_store.h"

namespace tidemark::journal {
namespace {

using Clock = std::function<UtcTime()>;

struct StoreMaker {
  const char* name;
  std::unique_ptr<Store> (*make)(const std::string& directory, StoreLimits, Clock);
};

class StoreContract : public ::testing::TestWithParam<StoreMaker> {
 protected:
  Appended append(Section section) {
    auto appended = append_one(*store_, std::move(section));
    EXPECT_TRUE(appended) << (appended ? "" : appended.error().message);
    return appended.value();
  }
  Appended append_messages(std::size_t count) {
    std::vector<model::Record> records;
    for (std::size_t i = 0; i < count; ++i) records.push_back(message(std::to_string(i)));
    return append(section_of(records));
  }
  std::vector<Line> firsts(Line from, const BlockFilter& filter = {}) const {
    std::vector<Line> found;
    EXPECT_TRUE(store_->scan(from, filter, [&](Block& block) {
      found.push_back(block.first);
      return true;
    }));
    return found;
  }
  std::vector<Line> firsts_back(Line from, const BlockFilter& filter = {}) const {
    std::vector<Line> found;
    EXPECT_TRUE(store_->scan_back(from, filter, [&](Block& block) {
      found.push_back(block.first);
      return true;
    }));
    return found;
  }

  TempDir dir_;
  UtcTime now_ = at_second(0);
  std::unique_ptr<Store> store_ = GetParam().make(
      dir_.path(), {.block_sections_max = 3, .block_bytes_max = 100'000}, [this] { return now_; });
};

TEST_P(StoreContract, NumbersLinesFromOneWithoutGaps) {
  EXPECT_EQ(store_->last(), Line{0});
  EXPECT_EQ(append_messages(2).first, Line{1});
  const auto second = append_messages(3);
  EXPECT_EQ(second.first, Line{3});
  EXPECT_EQ(second.last, Line{5});
  EXPECT_EQ(store_->last(), Line{5});
}

TEST_P(StoreContract, ReturnsEverySectionAsItWasAppended) {
  const std::vector<Section> sections{
      section_of({message("first"), message("second", model::Level::kError)}, 7),
      section_of({value_of(1, 0.5), disconnected(2)}, 1, origin_b(), 3)};
  const std::vector<InspectedSection> checked{inspected(sections[0]), inspected(sections[1])};
  now_ = at_second(5);
  ASSERT_TRUE(store_->append(checked));

  int blocks = 0;
  ASSERT_TRUE(store_->scan(Line{1}, {}, [&](Block& block) {
    ++blocks;
    EXPECT_EQ(block.first, Line{1});
    EXPECT_EQ(block.count, 4u);
    EXPECT_EQ(block.recorded_at, at_second(5));
    EXPECT_EQ(block.kinds, kind_bit(model::RecordKind::kLogMessage) |
                               kind_bit(model::RecordKind::kPvUpdate) |
                               kind_bit(model::RecordKind::kPvDisconnected));
    EXPECT_EQ(block.level, model::Level::kError);
    EXPECT_EQ(block.sections, sections);
    return true;
  }));
  EXPECT_EQ(blocks, 1);
}

TEST_P(StoreContract, ScansFromTheBlockThatHoldsTheLine) {
  for (int i = 0; i < 4; ++i) append_messages(3);

  EXPECT_EQ(firsts(Line{1}), (std::vector{Line{1}, Line{4}, Line{7}, Line{10}}));
  EXPECT_EQ(firsts(Line{0}), firsts(Line{1}));
  EXPECT_EQ(firsts(Line{6}), (std::vector{Line{4}, Line{7}, Line{10}}));
  EXPECT_EQ(firsts(Line{7}), (std::vector{Line{7}, Line{10}}));
  EXPECT_EQ(firsts(Line{12}), (std::vector{Line{10}}));
  EXPECT_EQ(firsts(Line{13}), std::vector<Line>{});
}

TEST_P(StoreContract, ScansBackFromTheBlockThatHoldsTheLine) {
  EXPECT_EQ(firsts_back(Line{5}), std::vector<Line>{});
  for (int i = 0; i < 3; ++i) append_messages(3);

  EXPECT_EQ(firsts_back(Line{~std::uint64_t{0}}), (std::vector{Line{7}, Line{4}, Line{1}}));
  EXPECT_EQ(firsts_back(Line{6}), (std::vector{Line{4}, Line{1}}));
  EXPECT_EQ(firsts_back(Line{1}), (std::vector{Line{1}}));
  EXPECT_EQ(firsts_back(Line{0}), std::vector<Line>{});
}

TEST_P(StoreContract, StopsWhenTheVisitorHasEnough) {
  for (int i = 0; i < 3; ++i) append_messages(1);
  int visited = 0;
  const auto once = [&](Block&) { return ++visited < 1; };
  ASSERT_TRUE(store_->scan(Line{1}, {}, once));
  EXPECT_EQ(visited, 1);
  visited = 0;
  ASSERT_TRUE(store_->scan_back(Line{3}, {}, once));
  EXPECT_EQ(visited, 1);
}

TEST_P(StoreContract, VisitsOnlyBlocksThatPassTheFilter) {
  append(section_of({message("debug", model::Level::kDebug)}));
  now_ = at_second(10);
  append(section_of({value_of(1, 1)}));
  now_ = at_second(20);
  append(section_of({message("error", model::Level::kError)}));

  EXPECT_EQ(firsts(Line{1}, {.kinds = kUpdateKinds}), std::vector{Line{2}});
  EXPECT_EQ(firsts(Line{1}, {.level = model::Level::kInfo}), (std::vector{Line{2}, Line{3}}));
  EXPECT_EQ(firsts(Line{1}, {.since = at_second(10)}), (std::vector{Line{2}, Line{3}}));
  EXPECT_EQ(firsts(Line{1}, {.until = at_second(10)}), (std::vector{Line{1}, Line{2}}));
  EXPECT_EQ(firsts(Line{1}, {.last = Line{2}}), (std::vector{Line{1}, Line{2}}));
  EXPECT_EQ(firsts_back(Line{3}, {.first = Line{2}}), (std::vector{Line{3}, Line{2}}));
  EXPECT_EQ(firsts_back(Line{3}, {.kinds = ~kUpdateKinds}), (std::vector{Line{3}, Line{1}}));
}

TEST_P(StoreContract, AScanEndsWhereTheJournalEndedWhenItBegan) {
  append_messages(1);
  int visited = 0;
  ASSERT_TRUE(store_->scan(Line{1}, {}, [&](Block&) {
    append_messages(1);
    return ++visited < 10;
  }));
  EXPECT_EQ(visited, 1);
  EXPECT_EQ(store_->last(), Line{2});
}

TEST_P(StoreContract, RefusesWhatIsEmptyOrTooLargeAndWritesNothing) {
  const auto one = inspected(section_of({message("x")}));
  const std::vector<InspectedSection> four(4, one);
  const auto large = inspected(section_of({message(std::string(100'001, 'x'))}));

  EXPECT_EQ(store_->append({}).error().code, Code::kInvalidArgument);
  EXPECT_EQ(store_->append(four).error().code, Code::kInvalidArgument);
  EXPECT_EQ(store_->append({&large, 1}).error().code, Code::kInvalidArgument);
  EXPECT_EQ(store_->last(), Line{0});
  EXPECT_EQ(firsts(Line{1}), std::vector<Line>{});
}

TEST_P(StoreContract, KnowsWhatAChannelIsCalled) {
  const model::ChannelId channel{7};
  EXPECT_EQ(store_->address_of(channel), std::nullopt);
  append(section_of({model::PvDefined{channel, "MAG:Q1"}}));
  EXPECT_EQ(store_->address_of(channel), "MAG:Q1");
}

TEST_P(StoreContract, TakesTheSameDefinitionTwice) {
  append(section_of({model::PvDefined{model::ChannelId{7}, "MAG:Q1"}}));
  append(section_of({model::PvDefined{model::ChannelId{7}, "MAG:Q1"}}));
  EXPECT_EQ(store_->last(), Line{2});
}

TEST_P(StoreContract, RefusesToRenameAChannelAndWritesNothing) {
  append(section_of({model::PvDefined{model::ChannelId{7}, "MAG:Q1"}}));
  const auto renamed = append_one(
      *store_, section_of({message("x"), model::PvDefined{model::ChannelId{7}, "MAG:Q2"}}, 2));
  EXPECT_EQ(renamed.error().code, Code::kConflict);
  const auto twice =
      append_one(*store_, section_of({model::PvDefined{model::ChannelId{8}, "MAG:Q3"},
                                      model::PvDefined{model::ChannelId{8}, "MAG:Q4"}},
                                     2));
  EXPECT_EQ(twice.error().code, Code::kConflict);

  EXPECT_EQ(store_->last(), Line{1});
  EXPECT_EQ(store_->address_of(model::ChannelId{7}), "MAG:Q1");
  EXPECT_EQ(store_->address_of(model::ChannelId{8}), std::nullopt);
  EXPECT_EQ(store_->mark_of(origin_a())->sequence, 1u);
}

TEST_P(StoreContract, MarksHowFarItHasEachOrigin) {
  EXPECT_EQ(store_->mark_of(origin_a()), std::nullopt);
  append(section_of({message("1"), message("2")}, 10));
  now_ = at_second(3);
  append(section_of({message("3")}, 12));

  const auto mark = store_->mark_of(origin_a()).value();
  EXPECT_EQ(mark.incarnation, 1u);
  EXPECT_EQ(mark.sequence, 12u);
  EXPECT_EQ(mark.line, Line{3});
  EXPECT_EQ(mark.recorded_at, at_second(3));
  EXPECT_EQ(store_->mark_of(origin_b()), std::nullopt);
}

TEST_P(StoreContract, AMarkNeverMovesBack) {
  append(section_of({message("1")}, 10, origin_a(), 2));
  append(section_of({message("2")}, 5, origin_a(), 2));
  append(section_of({message("3")}, 90, origin_a(), 1));
  EXPECT_EQ(store_->mark_of(origin_a())->sequence, 10u);
  append(section_of({message("4")}, 1, origin_a(), 3));
  EXPECT_EQ(store_->mark_of(origin_a())->sequence, 1u);
}

TEST_P(StoreContract, RecordedTimesNeverGoBack) {
  now_ = at_second(10);
  append_messages(1);
  now_ = at_second(5);
  EXPECT_EQ(append_messages(1).recorded_at, at_second(10));
}

TEST_P(StoreContract, FindsTheLastLineRecordedAtOrBeforeATime) {
  EXPECT_EQ(store_->line_at(at_second(100)).value(), Line{0});
  for (int i = 1; i <= 20; ++i) {
    now_ = at_second(i / 2 * 10);  // two blocks share each time
    append_messages(static_cast<std::size_t>(i % 3 + 1));
  }
  std::vector<std::pair<UtcTime, Line>> blocks;
  ASSERT_TRUE(store_->scan(Line{1}, {}, [&](Block& block) {
    blocks.emplace_back(block.recorded_at, Line{raw(block.first) + block.count - 1});
    return true;
  }));
  for (std::int64_t second = -1; second <= 110; ++second) {
    Line expected{0};
    for (const auto& [time, last] : blocks) {
      if (time <= at_second(second)) expected = last;
    }
    EXPECT_EQ(store_->line_at(at_second(second)).value(), expected) << second;
  }
}

TEST_P(StoreContract, ReadersSeeAGrowingPrefixWhileItIsAppendedTo) {
  constexpr std::uint64_t kBlocks = 200;
  std::atomic<bool> done = false;
  std::thread reader([&] {
    std::uint64_t seen = 0;
    while (!done) {
      const std::uint64_t durable = raw(store_->last());
      std::uint64_t next = 1;
      EXPECT_TRUE(store_->scan(Line{1}, {}, [&](Block& block) {
        EXPECT_EQ(raw(block.first), next);
        next += block.count;
        return true;
      }));
      EXPECT_GE(next - 1, durable);
      EXPECT_GE(next - 1, seen);
      seen = next - 1;
    }
  });
  for (std::uint64_t i = 0; i < kBlocks; ++i) append_messages(2);
  done = true;
  reader.join();
  EXPECT_EQ(store_->last(), Line{2 * kBlocks});
}

std::unique_ptr<Store> make_memory(const std::string&, StoreLimits limits, Clock clock) {
  return std::make_unique<MemoryStore>(limits, std::move(clock));
}
template <SyncMode Mode>
std::unique_ptr<Store> make_rocks(const std::string& directory, StoreLimits limits, Clock clock) {
  return open_rocks_store(
             {.directory = directory, .sync = Mode, .limits = limits, .clock = std::move(clock)})
      .value();
}
std::unique_ptr<Store> make_faulty(const std::string&, StoreLimits limits, Clock clock) {
  return std::make_unique<test::FaultyStore>(
      std::make_shared<MemoryStore>(limits, std::move(clock)));
}

INSTANTIATE_TEST_SUITE_P(EveryStore, StoreContract,
                         ::testing::Values(StoreMaker{"memory", make_memory},
                                           StoreMaker{"rocks", make_rocks<SyncMode::kBatch>},
                                           StoreMaker{"rocks_interval",
                                                      make_rocks<SyncMode::kInterval>},
                                           StoreMaker{"faulty", make_faulty}),
                         [](const auto& each) { return each.param.name; });

TEST(FaultyStore, WritesNothingWhileItFailsAndStaysFailed) {
  test::FaultyStore store(std::make_shared<MemoryStore>());
  store.fail_appends(Code::kUnavailable);
  EXPECT_EQ(append_one(store, section_of({message("x")})).error().code, Code::kUnavailable);
  store.heal_appends();
  EXPECT_TRUE(append_one(store, section_of({message("x")})));
  store.fail_appends();
  EXPECT_EQ(append_one(store, section_of({message("x")})).error().code, Code::kFailed);
  store.heal_appends();
  EXPECT_EQ(append_one(store, section_of({message("x")})).error().code, Code::kFailed);
  EXPECT_EQ(store.last(), Line{1});
  EXPECT_EQ(store.appends(), 4);
}

}  // namespace
}  // namespace tidemark::journal
