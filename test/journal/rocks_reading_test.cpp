// test/journal/rocks_reading_test.cpp
//
// A journal that is read without being held: alone, and beside somebody who writes it.

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "journal/archive.h"
#include "journal_files.h"

namespace tidemark::journal {
namespace {

class RocksReading : public ::testing::Test {
 protected:
  RocksStoreOptions options() {
    RocksStoreOptions options;
    options.directory = dir_.path() + "/journal";
    return options;
  }
  RocksJournal write() {
    auto opened = open_rocks_journal(options());
    EXPECT_TRUE(opened) << opened.error().message;
    return std::move(opened).value();
  }
  const TempDir dir_;
};

TEST_F(RocksReading, SeesWhatTheWriterAcknowledgedAndNothingLater) {
  const auto writer = write();
  ASSERT_TRUE(append_lines(*writer.store, 10));
  const auto reader = open_rocks_journal_to_read(options());
  ASSERT_TRUE(reader) << reader.error().message;
  ASSERT_TRUE(append_lines(*writer.store, 5));
  EXPECT_EQ(reader.value().store->last(), Line{10});
  EXPECT_EQ(read_back(*reader.value().store).records, [&] {
    auto all = read_back(*writer.store).records;
    all.erase(all.upper_bound(10), all.end());
    return all;
  }());
  EXPECT_EQ(reader.value().store->mark_of(origin_a())->sequence, 10u);
  EXPECT_EQ(open_rocks_journal_to_read(options()).value().store->last(), Line{15});
}

TEST_F(RocksReading, HasNoHoleWhileTablesAreWrittenAndLogsRemoved) {
  const auto writer = write();
  ASSERT_TRUE(append_lines(*writer.store, 1));
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> acknowledged = 1;
  std::thread appending([&] {
    while (!stop) {
      const auto appended = append_lines(*writer.store, 3, 200);
      ASSERT_TRUE(appended) << appended.error().message;
      acknowledged = raw(appended.value().last);
    }
  });
  std::atomic<int> flushes = 0;
  std::thread flushing([&] {
    while (!stop) {  // Each writes what is in memory to tables, and drops logs.
      const auto path = dir_.path() + "/" + std::to_string(flushes++);
      const auto made = writer.checkpoint(path);
      EXPECT_TRUE(made) << made.error().message;
      std::filesystem::remove_all(path);
    }
  });
  // The journal grows as fast as it goes, so a slow machine, or a sanitizer, reads less often.
  const auto enough = steady_now() + std::chrono::seconds(20);
  for (int i = 0; ((i < 20 && steady_now() < enough) || flushes < 2) && !HasFailure(); ++i) {
    const auto before = acknowledged.load();
    const auto reader = open_rocks_journal_to_read(options());
    if (!reader) {
      // Said, not hidden; then it is for the caller to try again.
      EXPECT_EQ(reader.error().code, Code::kUnavailable) << reader.error().message;
      continue;
    }
    const auto last = raw(reader.value().store->last());
    EXPECT_GE(last, before);
    const auto read = read_back(*reader.value().store);
    EXPECT_TRUE(read.end) << read.end.error().message;
    EXPECT_EQ(read.records.size(), last);
  }
  stop = true;
  appending.join();
  flushing.join();
}

TEST_F(RocksReading, KeepsReadingTablesThatTheWriterRemoves) {
  auto writer = write();
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(append_lines(*writer.store, 5, 1000));
  writer = {};
  writer = write();  // Its lines are in a table now.
  const auto reader = open_rocks_journal_to_read(options());
  ASSERT_TRUE(reader) << reader.error().message;
  for (const auto& entry : std::filesystem::directory_iterator(options().directory + "/db")) {
    if (entry.path().extension() == ".sst") std::filesystem::remove(entry.path());
  }
  const auto read = read_back(*reader.value().store);
  EXPECT_TRUE(read.end) << read.end.error().message;
  EXPECT_EQ(read.records.size(), 1000u);
}

TEST_F(RocksReading, LeavesNoTrace) {
  ASSERT_TRUE(append_lines(*write().store, 10));
  ASSERT_TRUE(append_lines(*write().store, 10));  // some in a table, some in the log
  const auto before = files_of(options().directory);
  {
    const auto reader = open_rocks_journal_to_read(options());
    ASSERT_TRUE(reader) << reader.error().message;
    EXPECT_EQ(reader.value().store->last(), Line{20});
    const auto refused = append_lines(*reader.value().store, 1);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::kInvalidArgument);
    EXPECT_FALSE(reader.value().projections->write({{"w", "x"}}));
  }
  EXPECT_EQ(files_of(options().directory), before);
}

TEST_F(RocksReading, OfNothingIsNotFound) {
  const auto reader = open_rocks_journal_to_read(options());
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().code, Code::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(options().directory));
}

TEST_F(RocksReading, AnswersTheSameAboutThePastAsTheWriter) {
  ProjectionLimits limits;
  limits.segments.length = 64;
  const auto writer = write();
  const auto projections = std::make_shared<Projections>(writer.store, writer.projections, limits);
  ASSERT_TRUE(projections->load());
  std::uint64_t sequence = 1;
  for (std::uint32_t i = 0; i < 100; ++i) {
    const auto section =
        section_of(std::vector<model::PvUpdate>{value_of(1, i), value_of(2 + i % 3, i)}, sequence);
    ASSERT_TRUE(append_one(*writer.store, section));
    sequence += 2;
  }
  while (projections->advance(1000).value()) {
  }
  const Archive now(projections);

  const auto reader = open_rocks_journal_to_read(options());
  ASSERT_TRUE(reader) << reader.error().message;
  const auto read =
      std::make_shared<Projections>(reader.value().store, reader.value().projections, limits);
  ASSERT_TRUE(read->load());
  const Archive then(read);
  for (const std::uint64_t line : {1, 63, 64, 65, 128, 150, 200}) {
    const auto expected = now.state_at(Line{line});
    const auto found = then.state_at(Line{line});
    ASSERT_TRUE(expected && found);
    for (std::uint32_t channel = 1; channel <= 4; ++channel) {
      const auto* a = expected.value().find(model::ChannelId{channel});
      const auto* b = found.value().find(model::ChannelId{channel});
      ASSERT_EQ(a == nullptr, b == nullptr);
      if (a != nullptr) {
        EXPECT_EQ(*a, *b) << line << ' ' << channel;
      }
    }
  }
  const auto samples = [](const Archive& archive) {
    std::vector<std::uint64_t> lines;
    EXPECT_TRUE(archive.samples(model::ChannelId{1}, Line{1}, Line{200},
                                [&](const std::vector<Sample>& part) {
                                  for (const auto& each : part) lines.push_back(raw(each.line));
                                  return true;
                                }));
    return lines;
  };
  EXPECT_EQ(samples(then), samples(now));
  EXPECT_EQ(samples(then).size(), 100u);
}

TEST_F(RocksReading, TellsWhoWroteAndWhatTheWitnessKnows) {
  ASSERT_TRUE(append_lines(*write().store, 10));
  const auto inspected = open_rocks_journal_to_read(options());
  ASSERT_TRUE(inspected);
  const auto seen = inspected.value().inspect();
  ASSERT_EQ(seen.origins.size(), 1u);
  EXPECT_EQ(seen.origins[0].first, origin_a());
  EXPECT_EQ(seen.witnessed, Line{10});
}

}  // namespace
}  // namespace tidemark::journal
