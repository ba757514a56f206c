#include "journal/replay_source.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "journal/memory_store.h"
#include "journal_samples.h"

namespace tidemark::journal {
namespace {

using model::ChannelId;

/// A line as text: "17 2=3.5" of a PV, "18 text" of a message.
std::string said(std::uint64_t line, const model::PvUpdate& update) {
  return std::to_string(line) + " " + std::to_string(raw(update.channel)) + "=" +
         model::to_text(update.value);
}
std::string said(std::uint64_t line, const model::Record& record) {
  return std::to_string(line) + " " + model::describe(record);
}

void say(const ReplayPiece& piece, std::vector<std::string>& into) {
  const auto line = [&](std::size_t i) {
    return piece.lines.empty() ? raw(piece.first) + i : raw(piece.lines[i]);
  };
  const auto all = [&](const auto& items) {
    ASSERT_EQ(items.size(), piece.section.count);
    ASSERT_EQ(line(items.size() - 1), raw(piece.last));
    for (std::size_t i = 0; i < items.size(); ++i) into.push_back(said(line(i), items[i]));
  };
  if (piece.section.format == SectionFormat::kUpdates) {
    all(model::decode_updates(piece.section.payload).value());
  } else {
    all(model::decode_records(piece.section.payload).value());
  }
}

class ReplaySourceTest : public testing::Test {
 protected:
  /// Blocks of sections of both sorts, from a seed.
  void fill(unsigned seed) {
    std::mt19937 random(seed);
    std::uint64_t sequence = 0;
    std::uint64_t line = 0;
    for (int block = 0; block < 60; ++block) {
      now_ += std::chrono::milliseconds(random() % 300);
      std::vector<InspectedSection> sections;
      for (unsigned i = 0; i <= random() % 3; ++i) {
        const auto count = 1 + random() % 6;
        if (random() % 3 == 0) {
          std::vector<model::Record> records;
          for (unsigned j = 0; j < count; ++j) {
            records.push_back(message("text " + std::to_string(++line)));
            lines_.push_back({line, 0, said(line, records.back())});
          }
          sections.push_back(inspected(section_of(records, sequence + 1)));
        } else {
          std::vector<model::PvUpdate> updates;
          for (unsigned j = 0; j < count; ++j) {
            const auto channel = static_cast<std::uint32_t>(1 + random() % 4);
            updates.push_back(value_of(channel, static_cast<double>(++line)));
            lines_.push_back({line, channel, said(line, updates.back())});
          }
          sections.push_back(inspected(section_of(updates, sequence + 1)));
        }
        sequence += count;
      }
      ASSERT_TRUE(store_.append(sections));
    }
  }

  std::vector<std::string> expected(std::uint64_t after, std::uint64_t to,
                                    const ReplayFilter& filter) const {
    std::vector<std::string> texts;
    for (const auto& each : lines_) {
      if (each.line <= after || each.line > to) continue;
      const bool wanted = each.channel == 0
                              ? filter.records
                              : !filter.channels || std::binary_search(filter.channels->begin(),
                                                                       filter.channels->end(),
                                                                       ChannelId{each.channel});
      if (wanted) texts.push_back(each.text);
    }
    return texts;
  }

  struct Known {
    std::uint64_t line;
    std::uint32_t channel;  // 0: a record
    std::string text;
  };
  UtcTime now_ = at_second(0);
  MemoryStore store_{StoreLimits{}, [this] { return now_; }};
  std::vector<Known> lines_;
};

TEST_F(ReplaySourceTest, GivesEveryWantedLineOnceHoweverItIsTaken) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  fill(seed);
  std::mt19937 random(seed);
  const auto last = raw(store_.last());
  for (int round = 0; round < 300; ++round) {
    ReplayFilter filter;
    filter.records = random() % 2 == 0;
    if (random() % 2 == 0) {
      filter.channels.emplace();
      for (std::uint32_t i = 1; i <= 5; ++i) {
        if (random() % 2 == 0) filter.channels->push_back(ChannelId{i});
      }
    }
    auto after = random() % (last + 1);
    const auto to = after + random() % (last + 1 - after);
    ReplaySource source(store_, Line{after}, Line{to}, filter);
    if (random() % 3 == 0 && to > after) {
      ASSERT_TRUE(source.next());
      after += random() % (to - after);
      source.seek(Line{after});
    }
    std::vector<std::string> texts;
    auto recorded_at = UtcTime::min();
    while (!source.at_end()) {
      const auto next = source.next();
      ASSERT_TRUE(next) << next.error().message;
      if (next.value() == nullptr) continue;
      const auto count = next.value()->section.count;
      const auto some = 1 + static_cast<std::uint32_t>(random() % count);
      const auto taken = source.take(random() % 2 == 0 ? count : some);
      ASSERT_TRUE(taken) << taken.error().message;
      ASSERT_GE(taken.value().recorded_at, recorded_at);
      recorded_at = taken.value().recorded_at;
      say(taken.value(), texts);
    }
    ASSERT_EQ(texts, expected(after, to, filter)) << after << ".." << to;
  }
}

TEST_F(ReplaySourceTest, KeepsTheBytesOfABatchThatIsWantedWhole) {
  const auto section = section_of({value_of(1, 1.5), value_of(2, 2.5)});
  const auto stored = inspected(section);
  ASSERT_TRUE(store_.append({&stored, 1}));
  ReplaySource source(store_, Line{0}, Line{2}, {});
  ASSERT_NE(source.next().value(), nullptr);
  EXPECT_EQ(source.take(2).value().section, section);
}

TEST_F(ReplaySourceTest, SequencesOfRecordsAreThoseOfTheirOrigin) {
  const auto stored = inspected(section_of({message("a"), message("b"), message("c")}, 10));
  ASSERT_TRUE(store_.append({&stored, 1}));
  ReplaySource source(store_, Line{1}, Line{3}, {});
  ASSERT_NE(source.next().value(), nullptr);
  EXPECT_EQ(source.take(1).value().section.sequence, 11U);
  EXPECT_EQ(source.take(1).value().section.sequence, 12U);
}

TEST_F(ReplaySourceTest, AnEmptyRangeIsAtItsEnd) {
  ReplaySource source(store_, Line{0}, Line{0}, {});
  EXPECT_TRUE(source.at_end());
  EXPECT_EQ(source.next().value(), nullptr);
}

/// Half a MiB a block: what is read ahead stays small, however long the range is.
TEST_F(ReplaySourceTest, ReadsOnlySomeOfItAhead) {
  std::uint64_t sequence = 0;
  for (int i = 0; i < 40; ++i) {
    const auto stored = inspected(section_of({message(std::string(512u << 10, 'x'))}, ++sequence));
    ASSERT_TRUE(store_.append({&stored, 1}));
  }
  ReplaySource source(store_, Line{0}, Line{40}, {});
  std::size_t waiting_max = 0;
  for (int i = 0; i < 40; ++i) {
    ASSERT_NE(source.next().value(), nullptr);
    waiting_max = std::max(waiting_max, source.waiting());
    ASSERT_TRUE(source.take(1));
  }
  EXPECT_GE(waiting_max, 2U);
  EXPECT_LE(waiting_max, ReplaySource::kAheadBytes / (512u << 10) + 1);
}

}  // namespace
}  // namespace tidemark::journal
