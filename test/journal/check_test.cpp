// test/journal/check_test.cpp
//
// What check says of lines and of what is derived from them, and what rebuild makes of it.

#include "journal/check.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "holed_store.h"
#include "journal_samples.h"

namespace tidemark::journal {
namespace {

const auto kGoOn = [](std::uint64_t) { return true; };

TEST(Damage, IsReadBackFromWhatIsSaid) {
  const LineRange lines{Line{12}, Line{40}};
  EXPECT_EQ(damaged(lines, "why").message, "lines 12 to 40 are damaged: why");
  EXPECT_EQ(lines_of(damaged(lines, "why")), lines);
  EXPECT_EQ(lines_of(missing(lines)), lines);
  for (const auto* text :
       {"", "lines", "lines 12", "lines 12 to", "lines 12 to x", "lines 40 to 12", "lines 0 to 4",
        "line 12 to 40", "lines 99999999999999999999 to 3"}) {
    EXPECT_FALSE(lines_of(Error{Code::kCorruption, text})) << text;
  }
  EXPECT_FALSE(lines_of(Error{Code::kUnavailable, damaged(lines, "").message}));
}

TEST(CheckLines, NamesEachHoleAndReadsTheRest) {
  HoledStore store({{Line{3}, Line{4}}, {Line{9}, Line{10}}});
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(append_one(store, section_of({message("a"), message("b")}, 2 * i + 1)));
  }
  const auto report = check_lines(store, kGoOn);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report.value().lines, 6u);
  EXPECT_EQ(report.value().blocks, 3u);
  ASSERT_EQ(report.value().damage.size(), 2u);
  EXPECT_EQ(report.value().damage[0].lines, (LineRange{Line{3}, Line{4}}));
  EXPECT_EQ(report.value().damage[1].lines, (LineRange{Line{9}, Line{10}}));
}

TEST(CheckLines, OfNothingIsSound) {
  MemoryStore store;
  const auto report = check_lines(store, kGoOn);
  ASSERT_TRUE(report);
  EXPECT_EQ(report.value().lines, 0u);
  EXPECT_TRUE(report.value().damage.empty());
}

class CheckProjections : public ::testing::Test {
 protected:
  CheckProjections() {
    limits_.segments.length = 32;
    limits_.keyframe_lines_per_channel = 2;
    model::PvMeta meta;
    meta.units = "A";
    auto connected = value_of(1, 0);
    connected.event = model::PvUpdate::Event::kConnected;
    connected.value = {};
    connected.meta = std::make_shared<model::PvMeta>(meta);
    append({connected});
    for (int i = 0; i < 70; ++i) append({value_of(1, i), value_of(2 + i % 4, i)});
    const model::Record mark = model::MarkBegin{Uuid::derive("m"), "shot", {}, "ada", {}, {}};
    EXPECT_TRUE(append_one(*store_, section_of({mark}, 1, origin_b())));
    append({value_of(1, 1), value_of(1, 2)});
    for (int i = 0; i < 20; ++i) append({value_of(3, i)});
    derive();
  }
  void append(const std::vector<model::PvUpdate>& updates) {
    ASSERT_TRUE(append_one(*store_, section_of(updates, raw(store_->last()) + 1)));
  }
  void derive() {
    Projections projections(store_, table_, limits_);
    ASSERT_TRUE(projections.load());
    while (projections.advance(17).value()) {
    }
  }
  using Rows = std::vector<KeyValue>;
  static Rows rows_of(const ProjectionTable& table) {
    Rows rows;
    EXPECT_TRUE(table.scan(Bytes(1, '\0'), "\xff", [&](BytesView key, BytesView value) {
      rows.emplace_back(Bytes(key), Bytes(value));
      return true;
    }));
    return rows;
  }
  /// Not one of those that say how far it is.
  static bool is_derived(const KeyValue& row) {
    return row.first != kWatermarkKey && !(row.first.front() == 'h' && row.first.back() == 'w' &&
                                           row.first.size() == chunks_mark_key(0).size());
  }
  static std::shared_ptr<MemoryProjectionTable> table_with(const Rows& rows) {
    auto table = std::make_shared<MemoryProjectionTable>();
    EXPECT_TRUE(table->write(rows));
    return table;
  }
  ProjectionsReport check(std::shared_ptr<const ProjectionTable> table) {
    auto report = check_projections(store_, std::move(table), kGoOn, limits_);
    EXPECT_TRUE(report) << report.error().message;
    return std::move(report).value();
  }

  ProjectionLimits limits_;
  const std::shared_ptr<MemoryStore> store_ = std::make_shared<MemoryStore>();
  const std::shared_ptr<MemoryProjectionTable> table_ = std::make_shared<MemoryProjectionTable>();
};

TEST_F(CheckProjections, FindsThemToBeWhatTheLogSays) {
  const auto report = check(table_);
  EXPECT_TRUE(report.sound());
  const auto rows = rows_of(*table_);
  EXPECT_EQ(report.rows, std::count_if(rows.begin(), rows.end(), is_derived));
  EXPECT_EQ(report.through, Line{160});
  EXPECT_GT(report.rows, 10u);
}

TEST_F(CheckProjections, FindsEachRowThatIsWrongMissingOrNobodys) {
  const auto rows = rows_of(*table_);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!is_derived(rows[i])) continue;
    auto wrong = rows;
    wrong[i].second.back() = static_cast<char>(wrong[i].second.back() ^ 1);
    EXPECT_EQ(check(table_with(wrong)).wrong, 1u) << i;
    auto missing = rows;
    missing.erase(missing.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_EQ(check(table_with(missing)).missing, 1u) << i;
  }
  auto surplus = rows;
  surplus.emplace_back(meta_key(99, Line{1}), "x");
  EXPECT_EQ(check(table_with(surplus)).surplus, 1u);
}

TEST_F(CheckProjections, WhatComesBehindTheWatermarkIsNotLookedAt) {
  auto rows = rows_of(*table_);
  rows.emplace_back(meta_key(1, Line{161}), "told before the node was killed");
  EXPECT_TRUE(check(table_with(rows)).sound());
}

TEST_F(CheckProjections, AWatermarkOfNoUseIsSaid) {
  auto rows = rows_of(*table_);
  rows.back().second = "x";
  EXPECT_FALSE(check(table_with(rows)).unusable.empty());
  EXPECT_TRUE(check(std::make_shared<MemoryProjectionTable>()).sound());
}

TEST_F(CheckProjections, ARebuildMakesTheSameTable) {
  const auto before = rows_of(*table_);
  auto spoiled = before;
  spoiled.front().second = "x";
  spoiled.emplace_back(meta_key(99, Line{1}), "nobody's");
  const auto table = table_with(spoiled);
  std::uint64_t told = 0;
  ASSERT_TRUE(rebuild_projections(
      store_, table,
      [&](std::uint64_t done) {
        EXPECT_GE(done, told);
        told = done;
        return true;
      },
      limits_));
  EXPECT_EQ(told, raw(store_->last()));
  EXPECT_EQ(rows_of(*table), before);
}

TEST_F(CheckProjections, ARebuildThatIsStoppedIsFinishedByTheNextStart) {
  const auto before = rows_of(*table_);
  const auto stopped = rebuild_projections(
      store_, table_, [](std::uint64_t) { return false; }, limits_);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, Code::kCancelled);
  derive();
  EXPECT_EQ(rows_of(*table_), before);
}

}  // namespace
}  // namespace tidemark::journal
