// test/journal/told_lines_test.cpp
//
// Lines that were told before they were on the disk, and a machine that starts anew: their numbers
// are not given to other records. What a disk does to the files meanwhile: power_cut_test.cpp.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "journal/rocks_repair.h"
#include "journal/witness_thread.h"
#include "journal_files.h"

namespace tidemark::journal {
namespace {

class ToldLines : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kLines = 10;

  /// A journal as it is while it is written, without the end of an order: as a crash leaves it.
  void SetUp() override {
    const auto store = open(live_, before_);
    ASSERT_TRUE(append_lines(*store, kLines));
    std::filesystem::copy(live_, crashed_, std::filesystem::copy_options::recursive);
  }
  std::unique_ptr<Store> open(const std::string& directory, const Uuid& boot,
                              SyncMode sync = SyncMode::kInterval) const {
    RocksStoreOptions options;
    options.directory = directory;
    options.sync = sync;
    options.boot = boot;
    auto opened = open_rocks_store(std::move(options));
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? std::move(opened).value() : nullptr;
  }
  static model::LogMessage message_at(const Store& store, std::uint64_t line) {
    const auto read = read_back(store, Line{line});
    EXPECT_TRUE(read.end && read.records.contains(line));
    return std::get<model::LogMessage>(read.records.at(line));
  }

  const TempDir dir_;
  const std::string live_ = dir_.path() + "/live";
  const std::string crashed_ = dir_.path() + "/crashed";
  const Uuid before_ = Uuid::derive("before");
  const Uuid after_ = Uuid::derive("after");
};

TEST_F(ToldLines, AreThereAfterTheDeathOfAProcess) {
  EXPECT_EQ(open(crashed_, before_)->last(), Line{kLines});
}

TEST_F(ToldLines, OfAnotherBootAreWrittenOffOnce) {
  std::uint64_t last = 0;
  {
    const auto store = open(crashed_, after_);
    last = raw(store->last());
    EXPECT_GT(last, kLines);
    EXPECT_LE(last, kLines + kToldAhead + kLines);
    const auto said = message_at(*store, kLines + 1);
    EXPECT_EQ(said.level, model::Level::kError);
    EXPECT_TRUE(said.text.starts_with("lines 11 to " + std::to_string(last) + " are lost: "))
        << said.text;
    EXPECT_EQ(message_at(*store, last).text, "lost");
    ASSERT_TRUE(append_lines(*store, 1));
  }
  EXPECT_EQ(raw(open(crashed_, before_)->last()), last + 1);
}

TEST_F(ToldLines, AreWrittenOffAlsoWhenEachIsSyncedFromNowOn) {
  EXPECT_GT(open(crashed_, after_, SyncMode::kBatch)->last(), Line{kLines});
}

TEST_F(ToldLines, AreWrittenOffWhenNobodyKnowsWhichBootItIs) {
  EXPECT_GT(open(crashed_, Uuid{})->last(), Line{kLines});
}

TEST_F(ToldLines, OfAJournalThatWasClosedInOrderAreAllThere) {
  const auto directory = dir_.path() + "/closed";
  { ASSERT_TRUE(append_lines(*open(directory, before_), kLines)); }
  EXPECT_EQ(read_witness(directory + "/witness").value()->told, Line{0});
  EXPECT_EQ(open(directory, after_)->last(), Line{kLines});
}

TEST_F(ToldLines, AreNoneWhenEachIsSyncedBefore) {
  const auto directory = dir_.path() + "/batch";
  const auto store = open(directory, before_, SyncMode::kBatch);
  ASSERT_TRUE(append_lines(*store, kLines));
  std::filesystem::copy(directory, dir_.path() + "/copy", std::filesystem::copy_options::recursive);
  EXPECT_EQ(open(dir_.path() + "/copy", after_, SyncMode::kBatch)->last(), Line{kLines});
}

TEST_F(ToldLines, AreWrittenOffByARepairToo) {
  const auto report =
      repair_journal(crashed_, dir_.path() + "/repaired", [](std::uint64_t) { return true; });
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report.value().findings.empty());
  ASSERT_EQ(report.value().lost.size(), 1u);
  EXPECT_EQ(report.value().lost[0].lines.first, Line{kLines + 1});
}

TEST_F(ToldLines, AreInTheWitnessBeforeTheyAreTold) {
  const auto witnessed = read_witness(crashed_ + "/witness").value();
  ASSERT_TRUE(witnessed);
  EXPECT_GE(witnessed->told, Line{kLines});
  EXPECT_EQ(witnessed->boot, before_);
}

TEST_F(ToldLines, OfASlotThatAnEarlierVersionWroteAreNone) {
  const auto path = dir_.path() + "/witness";
  ASSERT_TRUE(WitnessFile::open(path).value()->write(Line{5}, {}, Line{9}, before_));
  EXPECT_EQ(read_witness(path).value()->told, Line{9});
  std::fstream stream(path, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(kWitnessSlotBytes + 44);
  stream << std::string(28, '\0');
  stream.close();
  EXPECT_EQ(read_witness(path).value()->last, Line{5});
  EXPECT_EQ(read_witness(path).value()->told, Line{0});
}

TEST(Boot, IsKnownAndStaysTheSame) {
  EXPECT_FALSE(this_boot().is_nil());
  EXPECT_EQ(this_boot(), this_boot());
}

}  // namespace
}  // namespace tidemark::journal
