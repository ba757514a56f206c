#include "model/history_pager.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tidemark::model {
namespace {

/// A journal that has one PV, a sample in every line, of so many bytes each.
class Journal {
 public:
  Journal(std::uint64_t lines, std::size_t bytes) : lines_(lines), bytes_(bytes) {}

  /// What it answers: the sample in force at `from`, and those behind it.
  api::HistoryEnd answer(const api::HistoryQuery& query, std::vector<api::HistorySamples>& parts) {
    ++asked;
    largest = std::max(largest, query.limit);
    const auto first =
        query.after ? query.after->line + 1 : std::max<std::uint64_t>(query.from.line, 1);
    parts.assign(1, {});
    std::vector<PvUpdate> updates;
    std::uint64_t found = 0;
    const auto end_part = [&] {
      parts.back().updates.bytes = encode_updates(std::exchange(updates, {}));
    };
    for (auto line = first; line <= lines_ && found < query.limit; ++line, ++found) {
      if (updates.size() == 1000 || updates.size() * bytes_ > 1u << 20) {
        end_part();
        parts.emplace_back();
      }
      PvUpdate update;
      update.channel = ChannelId{1};
      update.value = std::string(bytes_, 'x');
      updates.push_back(std::move(update));
      parts.back().lines.push_back(line);
    }
    end_part();
    api::HistoryEnd end;
    end.cut = first + found <= lines_;
    if (query.lateness) end.next = api::SourceCursor{{}, first + found - 1};
    return end;
  }

  std::uint64_t asked = 0;
  std::uint64_t largest = 0;

 private:
  const std::uint64_t lines_;
  const std::size_t bytes_;
};

std::vector<std::uint64_t> read_all(Journal& journal, HistoryPager& pager, std::uint64_t limit) {
  std::vector<std::uint64_t> lines;
  for (bool more = true; more;) {
    std::vector<api::HistorySamples> parts;
    const auto end = journal.answer(pager.question(limit), parts);
    for (const auto& part : parts) {
      EXPECT_TRUE(pager.take(part, [&](auto&, std::uint64_t line) { lines.push_back(line); }));
    }
    more = pager.finish(end);
  }
  return lines;
}

std::vector<std::uint64_t> one_to(std::uint64_t last) {
  std::vector<std::uint64_t> lines(last);
  for (std::uint64_t i = 0; i < last; ++i) lines[i] = i + 1;
  return lines;
}

constexpr auto kAll = ~std::uint64_t{0};

TEST(HistoryPager, HandsOverEachSampleOnceByLines) {
  Journal journal(1000, 8);
  HistoryPager pager({});
  EXPECT_EQ(read_all(journal, pager, kAll), one_to(1000));
  EXPECT_EQ(pager.handed_over(), 1000u);
}

TEST(HistoryPager, HandsOverEachSampleOnceByTheSourcesTime) {
  Journal journal(1000, 8);
  api::HistoryQuery query;
  query.lateness = std::chrono::seconds(1);
  HistoryPager pager(query);
  EXPECT_EQ(read_all(journal, pager, kAll), one_to(1000));
}

TEST(HistoryPager, AsksForNoMoreThanTheLimit) {
  Journal journal(1000, 8);
  HistoryPager pager({});
  EXPECT_EQ(read_all(journal, pager, 10), one_to(1000));
  EXPECT_EQ(journal.largest, 11u) << "with the last sample of the page before";
}

TEST(HistoryPager, APageOfSmallSamplesHasMoreOfThem) {
  Journal small(100'000, 8);
  HistoryPager of_small({});
  EXPECT_EQ(read_all(small, of_small, kAll).size(), 100'000u);
  EXPECT_LT(small.asked, 5u);
  Journal large(1000, 100'000);
  HistoryPager of_large({});
  EXPECT_EQ(read_all(large, of_large, kAll).size(), 1000u);
  EXPECT_LT(large.largest * 100'000, 32u << 20);
}

TEST(HistoryPager, RefusesAPartThatIsNotWhole) {
  Journal journal(10, 8);
  HistoryPager pager({});
  std::vector<api::HistorySamples> parts;
  journal.answer(pager.question(), parts);
  parts[0].lines.pop_back();
  const auto nobody = [](auto&, std::uint64_t) {};
  EXPECT_EQ(pager.take(parts[0], nobody).error().code, Code::kCorruption);
  parts[0].updates.bytes.pop_back();
  EXPECT_FALSE(pager.take(parts[0], nobody));
}

}  // namespace
}  // namespace tidemark::model
