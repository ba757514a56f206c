#include "journal/reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "journal/memory_store.h"
#include "journal_samples.h"

namespace tidemark::journal {
namespace {

class Reader : public ::testing::Test {
 protected:
  Reader() {
    // 1–2   definitions          4–6   three values      8–9   messages
    // 3     message              7     a connection lost
    append(0, section_of({model::PvDefined{model::ChannelId{1}, "MAG:Q1:I"},
                          model::PvDefined{model::ChannelId{2}, "VAC:P1"}}));
    append(10, section_of({message("Beam ON", model::Level::kDebug)}));
    append(20, section_of({value_of(1, 1), value_of(2, 2), value_of(1, 3)}));
    append(30, section_of({disconnected(2)}),
           section_of({message("beam off", model::Level::kError), message("other")}));
  }
  void append(std::int64_t second, Section section) { append_all(second, {inspected(section)}); }
  void append(std::int64_t second, Section a, Section b) {
    append_all(second, {inspected(a), inspected(b)});
  }
  void append_all(std::int64_t second, const std::vector<InspectedSection>& sections) {
    now_ = at_second(second);
    ASSERT_TRUE(store_.append(sections));
  }
  std::vector<std::uint64_t> lines(const Query& query) {
    const auto page = read(store_, query);
    EXPECT_TRUE(page);
    std::vector<std::uint64_t> found;
    for (const auto& entry : page.value().entries) found.push_back(raw(entry.line));
    return found;
  }
  using Lines = std::vector<std::uint64_t>;

  UtcTime now_;
  MemoryStore store_{{}, [this] { return now_; }};
};

TEST_F(Reader, ReturnsEveryLineOnceAndInOrder) {
  EXPECT_EQ(lines({}), (Lines{1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(lines({.newest_first = true}), (Lines{9, 8, 7, 6, 5, 4, 3, 2, 1}));
}

TEST_F(Reader, TellsWhereALineCameFrom) {
  append(40, section_of({message("a"), message("b")}, 100, origin_b(), 7));
  const auto page = read(store_, {.from = Line{11}});
  const auto& entry = page.value().entries.at(0);
  EXPECT_EQ(entry.line, Line{11});
  EXPECT_EQ(entry.origin, origin_b());
  EXPECT_EQ(entry.incarnation, 7u);
  EXPECT_EQ(entry.sequence, 101u);
  EXPECT_EQ(entry.recorded_at, at_second(40));
  EXPECT_EQ(std::get<model::Record>(entry.what), message("b"));
  EXPECT_EQ(kind_of(entry), model::RecordKind::kLogMessage);
}

TEST_F(Reader, KeepsToTheLinesAskedFor) {
  EXPECT_EQ(lines({.from = Line{2}, .to = Line{5}}), (Lines{2, 3, 4, 5}));
  EXPECT_EQ(lines({.from = Line{5}, .to = Line{8}, .newest_first = true}), (Lines{8, 7, 6, 5}));
  EXPECT_EQ(lines({.from = Line{5}, .to = Line{4}}), Lines{});
  EXPECT_EQ(lines({.from = Line{50}}), Lines{});
}

TEST_F(Reader, PagesForwardWithoutMissingOrRepeatingALine) {
  for (const std::uint32_t limit : {1u, 2u, 3u, 9u, 10u}) {
    for (const std::uint32_t scan : {1u, 2u, 5u, 100u}) {
      Query query{.limit = limit, .scan_lines_max = scan};
      Lines found;
      for (int pages = 0; pages < 100; ++pages) {
        const auto page = read(store_, query).value();
        EXPECT_LE(page.entries.size(), limit);
        for (const auto& entry : page.entries) found.push_back(raw(entry.line));
        query.from = page.next;
        if (page.end) break;
      }
      EXPECT_EQ(found, (Lines{1, 2, 3, 4, 5, 6, 7, 8, 9})) << limit << ' ' << scan;
      EXPECT_EQ(query.from, Line{10});
    }
  }
}

TEST_F(Reader, PagesBackwardWithoutMissingOrRepeatingALine) {
  for (const std::uint32_t limit : {1u, 2u, 4u, 9u}) {
    for (const std::uint32_t scan : {1u, 3u, 100u}) {
      Query query{.newest_first = true, .limit = limit, .scan_lines_max = scan};
      Lines found;
      for (int pages = 0; pages < 100; ++pages) {
        const auto page = read(store_, query).value();
        for (const auto& entry : page.entries) found.push_back(raw(entry.line));
        query.to = page.next;
        if (page.end) break;
      }
      EXPECT_EQ(found, (Lines{9, 8, 7, 6, 5, 4, 3, 2, 1})) << limit << ' ' << scan;
      EXPECT_EQ(query.to, Line{0});
      EXPECT_TRUE(read(store_, query).value().entries.empty());
    }
  }
}

TEST_F(Reader, LargeLinesMakeAPageShort) {
  const auto waveform = [](double first) {
    auto update = value_of(1, 0);
    update.value = model::SharedArray(std::vector<double>(100, first));  // 800 bytes
    return update;
  };
  append(40, section_of({waveform(1), waveform(2), waveform(3)}),
         section_of({message(std::string(900, 'x')), message("short")}));
  append(50, section_of({waveform(4), waveform(5)}));
  const Lines all{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  for (const bool newest_first : {false, true}) {
    for (const std::size_t bytes : {0u, 1u, 1000u, 2000u, 100'000u}) {
      Query query{.newest_first = newest_first, .bytes_max = bytes};
      Lines found;
      std::size_t pages = 0;
      for (Page page; !page.end && pages < 100; ++pages) {
        page = read(store_, query).value();
        ASSERT_FALSE(page.entries.empty());
        std::size_t large = 0;
        for (const auto& entry : page.entries) {
          found.push_back(raw(entry.line));
          const auto* update = std::get_if<model::PvUpdate>(&entry.what);
          if (update != nullptr) large += model::content_bytes(update->value);
        }
        EXPECT_LE(large, bytes + 800);
        (newest_first ? query.to : query.from) = page.next;
      }
      if (newest_first) std::reverse(found.begin(), found.end());
      EXPECT_EQ(found, all) << newest_first << ' ' << bytes;
      EXPECT_GE(pages, bytes <= 1 ? 6U : 1U);
      EXPECT_LE(pages, bytes == 100'000 ? 1U : 100U);
    }
  }
}

TEST_F(Reader, FollowsALineThatComesLater) {
  Query query{.kinds = kind_bit(model::RecordKind::kLogMessage)};
  auto page = read(store_, query).value();
  EXPECT_TRUE(page.end);
  EXPECT_EQ(page.next, Line{10});
  query.from = page.next;
  page = read(store_, query).value();
  EXPECT_TRUE(page.end);
  EXPECT_EQ(page.next, Line{10});

  append(50, section_of({value_of(1, 9)}), section_of({message("new")}));
  page = read(store_, query).value();
  ASSERT_EQ(page.entries.size(), 1u);
  EXPECT_EQ(page.entries[0].line, Line{11});
  EXPECT_EQ(page.next, Line{12});
}

TEST_F(Reader, FollowsFromAheadOfTheEnd) {
  const auto page = read(store_, {.from = Line{12}}).value();
  EXPECT_TRUE(page.end);
  EXPECT_EQ(page.next, Line{12});
}

TEST_F(Reader, FiltersByKind) {
  EXPECT_EQ(lines({.kinds = kind_bit(model::RecordKind::kLogMessage)}), (Lines{3, 8, 9}));
  EXPECT_EQ(lines({.kinds = kind_bit(model::RecordKind::kPvUpdate)}), (Lines{4, 5, 6}));
  EXPECT_EQ(lines({.kinds = kind_bit(model::RecordKind::kPvDisconnected)}), Lines{7});
}

TEST_F(Reader, FiltersByLevel) {
  EXPECT_EQ(lines({.level = model::Level::kWarning}), (Lines{7, 8}));
  EXPECT_EQ(lines({.level = model::Level::kError}), Lines{8});
}

TEST_F(Reader, FiltersByTimeInclusive) {
  EXPECT_EQ(lines({.since = at_second(10), .until = at_second(20)}), (Lines{3, 4, 5, 6}));
  EXPECT_EQ(lines({.since = at_second(31)}), Lines{});
  EXPECT_EQ(lines({.until = at_second(-1)}), Lines{});
}

TEST_F(Reader, FiltersBySubjectOfUpdatesAndRecords) {
  EXPECT_EQ(lines({.subject = "VAC:*"}), (Lines{2, 5, 7}));
  EXPECT_EQ(lines({.subject = "MAG:Q?:I"}), (Lines{1, 4, 6}));
  EXPECT_EQ(lines({.subject = "test"}), (Lines{3, 8, 9}));
}

TEST_F(Reader, FiltersByTextInAnyCase) {
  EXPECT_EQ(lines({.text = "BEAM"}), (Lines{3, 8}));
  EXPECT_EQ(lines({.text = "nothing"}), Lines{});
}

TEST_F(Reader, FiltersByRegularExpression) {
  EXPECT_EQ(lines({.pattern = TextPattern::compile("^beam (off|lost)$").value()}), (Lines{8}));
  EXPECT_EQ(lines({.pattern = TextPattern::compile("(?i)beam o").value()}), (Lines{3, 8}));
  EXPECT_EQ(lines({.newest_first = true, .pattern = TextPattern::compile("(?i)BEAM").value()}),
            (Lines{8, 3}));
}

TEST_F(Reader, RefusesABadRegularExpressionAndOneThatIsTooLarge) {
  const auto bad = TextPattern::compile("beam (off");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, Code::kInvalidArgument);
  EXPECT_NE(bad.error().message.find("missing )"), std::string::npos) << bad.error().message;
  EXPECT_FALSE(TextPattern::compile(std::string(TextPattern::kBytesMax + 1, 'a')));
  EXPECT_FALSE(TextPattern::compile("((a{100}){100}){100}"));
}

TEST_F(Reader, APatternThatIsHardForOthersTakesLinearTime) {
  const auto pattern = TextPattern::compile("(a+)+$").value();
  EXPECT_FALSE(pattern.is_in(std::string(100'000, 'a') + "b"));
}

TEST_F(Reader, FiltersByField) {
  const auto test = [](const char* text) { return model::parse_field_test(text).value(); };
  EXPECT_EQ(lines({.fields = {test("text=other")}}), (Lines{9}));
  EXPECT_EQ(lines({.fields = {test("value>=2")}}), (Lines{5, 6}));
  EXPECT_EQ(lines({.fields = {test("value>=2"), test("value<3")}}), (Lines{5}));
  EXPECT_EQ(lines({.fields = {test("level=error"), test("text!=other")}}), (Lines{8}));
}

TEST_F(Reader, FiltersByOrigin) {
  append(40, section_of({message("a")}, 1, origin_b()), section_of({message("c")}, 100));
  EXPECT_EQ(lines({.origin = [](const Uuid& id) { return id == origin_b(); }}), (Lines{10}));
  EXPECT_EQ(lines({.newest_first = true,
                   .origin = [](const Uuid& id) { return id == origin_a(); },
                   .limit = 2}),
            (Lines{11, 9}));
}

TEST_F(Reader, EndsAPageThatLookedAtEnoughLines) {
  const auto page =
      read(store_, {.kinds = kind_bit(model::RecordKind::kSnapshotTaken), .scan_lines_max = 4})
          .value();
  EXPECT_TRUE(page.entries.empty());
  EXPECT_EQ(page.next, Line{5});
  EXPECT_FALSE(page.end);
}

TEST_F(Reader, ReturnsNothingAndMovesNowhereWithLimitZero) {
  const auto page = read(store_, {.from = Line{3}, .limit = 0}).value();
  EXPECT_TRUE(page.entries.empty());
  EXPECT_EQ(page.next, Line{3});
}

TEST_F(Reader, AnEmptyJournalHasAnEnd) {
  const MemoryStore empty;
  EXPECT_TRUE(read(empty, {}).value().end);
  EXPECT_EQ(read(empty, {}).value().next, Line{1});
  EXPECT_TRUE(read(empty, {.newest_first = true}).value().end);
}

}  // namespace
}  // namespace tidemark::journal
