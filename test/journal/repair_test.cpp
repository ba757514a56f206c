// test/journal/repair_test.cpp
//
// What repair makes of a damaged journal: all that is sound, and what is lost is said.

#include <gtest/gtest.h>

#include <set>

#include "journal/rocks_repair.h"
#include "journal_files.h"

namespace tidemark::journal {
namespace {

namespace fs = std::filesystem;

const auto kGoOn = [](std::uint64_t) { return true; };

class Repair : public ::testing::Test {
 protected:
  static RocksStoreOptions options(const std::string& directory) {
    RocksStoreOptions options;
    options.directory = directory;
    return options;
  }
  std::unique_ptr<Store> open(const std::string& directory) {
    auto opened = open_rocks_store(options(directory));
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? std::move(opened).value() : nullptr;
  }
  /// So many blocks of two lines, in a table: opening carries the log over.
  void write_table(int blocks, std::size_t bytes = 1000) {
    {
      const auto store = open(from_);
      for (int i = 0; i < blocks; ++i) ASSERT_TRUE(append_lines(*store, 2, bytes));
    }
    open(from_);
  }
  RepairReport repair() {
    const auto before = files_of(from_);
    auto report = repair_journal(from_, to_, kGoOn);
    EXPECT_TRUE(report) << (report ? "" : report.error().message);
    EXPECT_EQ(files_of(from_) == before, true) << "the damaged journal was touched";
    return report ? std::move(report).value() : RepairReport{};
  }
  /// Each line is the one that was written, or says that it is lost; those in `lost` do.
  void expect_whole(const RepairReport& report) {
    const auto store = open(to_);
    ASSERT_TRUE(store);
    EXPECT_EQ(store->last(), report.last);
    const auto read = read_back(*store);
    EXPECT_TRUE(read.end) << read.end.error().message;
    ASSERT_EQ(read.records.size(), raw(report.last));
    std::set<std::uint64_t> lost;
    for (const auto& each : report.lost) {
      for (auto line = raw(each.lines.first); line <= raw(each.lines.last); ++line) {
        lost.insert(line);
      }
      const auto first = std::get<model::LogMessage>(read.records.at(raw(each.lines.first)));
      EXPECT_EQ(first.level, model::Level::kError);
      EXPECT_NE(first.text.find(to_text(each.lines) + " are lost"), std::string::npos);
    }
    std::uint64_t kept = 0;
    for (const auto& [line, record] : read.records) {
      if (line <= written_ && !lost.contains(line)) {
        ++kept;
        EXPECT_EQ(record, record_of_line(line, bytes_)) << line;
      }
    }
    EXPECT_EQ(kept, report.kept);
  }

  const TempDir dir_;
  const std::string from_ = dir_.path() + "/journal";
  const std::string to_ = dir_.path() + "/repaired";
  std::uint64_t written_ = 0;
  std::size_t bytes_ = 1000;
};

TEST_F(Repair, OfASoundJournalLosesNothing) {
  write_table(20);
  written_ = 40;
  const auto report = repair();
  EXPECT_TRUE(report.lost.empty());
  EXPECT_EQ(report.last, Line{40});
  EXPECT_EQ(report.kept, 40u);
  expect_whole(report);
}

TEST_F(Repair, IsolatesADamagedBlock) {
  write_table(200);
  written_ = 400;
  const auto table = largest_file(from_ + "/db", ".sst");
  flip_bit(table, fs::file_size(table) / 2);
  const auto report = repair();
  ASSERT_EQ(report.lost.size(), 1u);
  EXPECT_TRUE(report.findings.empty());
  const auto& lines = report.lost[0].lines;
  EXPECT_LT(raw(lines.last) - raw(lines.first), 100u);
  EXPECT_EQ(report.kept, 400 - (raw(lines.last) - raw(lines.first) + 1));
  EXPECT_EQ(report.last, Line{401});  // and a line that says so
  expect_whole(report);
  const auto store = open(to_);
  EXPECT_EQ(append_lines(*store, 1).value().first, Line{402});
  const auto checked = check_lines(*store, kGoOn);
  EXPECT_TRUE(checked && checked.value().damage.empty());
}

TEST_F(Repair, ReadsBehindDamageInTheWriteAheadLog) {
  bytes_ = 2000;
  written_ = 400;
  {
    const auto store = open(from_);
    for (int i = 0; i < 200; ++i) ASSERT_TRUE(append_lines(*store, 2, bytes_));
  }
  const auto log = largest_file(from_ + "/db", ".log");
  flip_bit(log, fs::file_size(log) / 2);
  const auto report = repair();
  EXPECT_FALSE(report.findings.empty());
  // What RocksDB gives up of its log, 32 KiB and a record, and what may have come at the end.
  ASSERT_EQ(report.lost.size(), 2u);
  EXPECT_GE(report.kept, 360u);
  EXPECT_LT(report.kept, 400u);
  EXPECT_EQ(report.lost[1].lines.first, Line{401});
  EXPECT_EQ(raw(report.last), 400 + kUnwitnessedLines + 1);
  expect_whole(report);
}

TEST_F(Repair, WritesOffWhatTheWitnessKnowsAndTheLogDoesNot) {
  bytes_ = 100;
  written_ = 100;
  {
    const auto store = open(from_);
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(append_lines(*store, 2));
  }
  const auto log = largest_file(from_ + "/db", ".log");
  fs::resize_file(log, fs::file_size(log) / 2);
  const auto report = repair();
  ASSERT_EQ(report.lost.size(), 2u);
  EXPECT_EQ(report.lost[0].lines, (LineRange{Line{report.kept + 1}, Line{100}}));
  EXPECT_GT(report.kept, 40u);
  expect_whole(report);
}

TEST_F(Repair, MakesTheListOfTablesAnew) {
  write_table(50);
  written_ = 100;
  for (const auto& entry : fs::directory_iterator(from_ + "/db")) {
    if (entry.path().filename().string().starts_with("MANIFEST")) {
      fs::resize_file(entry.path(), 10);
    }
  }
  ASSERT_FALSE(open_rocks_store(options(from_)));
  const auto report = repair();
  EXPECT_FALSE(report.findings.empty());
  EXPECT_EQ(report.kept, 100u);
  EXPECT_FALSE(fs::exists(to_ + "/copy"));
  expect_whole(report);
}

TEST_F(Repair, DefinesChannelsAgainWhoseDefinitionIsLost) {
  {
    const auto store = open(from_);
    ASSERT_TRUE(append_one(
        *store, section_of({model::PvDefined{model::ChannelId{7}, "MAG:Q7"}}, 1, origin_b())));
    ASSERT_TRUE(append_lines(*store, 2, 1000));
  }
  open(from_);
  {
    // Both families have a table; the log's is the larger one.
    const auto table = largest_file(from_ + "/db", ".sst");
    flip_bit(table, 100);
  }
  const auto report = repair();
  ASSERT_FALSE(report.lost.empty());
  EXPECT_EQ(report.lost[0].lines.first, Line{1});
  EXPECT_EQ(report.addresses, 1u);
  EXPECT_EQ(open(to_)->address_of(model::ChannelId{7}), "MAG:Q7");
}

TEST_F(Repair, RefusesAJournalThatANodeHasAndADirectoryWithSomethingInIt) {
  {
    const auto store = open(from_);
    ASSERT_TRUE(append_lines(*store, 2));
    EXPECT_EQ(repair_journal(from_, to_, kGoOn).error().code, Code::kConflict);
  }
  fs::create_directories(to_);
  std::ofstream(to_ + "/mine") << "x";
  EXPECT_EQ(repair_journal(from_, to_, kGoOn).error().code, Code::kConflict);
  EXPECT_EQ(repair_journal(dir_.path() + "/none", dir_.path() + "/else", kGoOn).error().code,
            Code::kNotFound);
}

}  // namespace
}  // namespace tidemark::journal
