#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/tools/browse_lab.h"
#include "tools/browse/filter_words.h"
#include "tools/browse/line_edit.h"
#include "tools/browse/line_window.h"
#include "tools/browse/mark_lanes.h"

namespace tidemark::tools::browse {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

api::ReadReply page(std::vector<std::uint64_t> numbers, std::uint64_t next, std::uint64_t last,
                    bool end = false) {
  api::ReadReply reply;
  for (const auto number : numbers) {
    reply.lines.emplace_back();
    reply.lines.back().line = number;
  }
  reply.next = next;
  reply.last_line = last;
  reply.end = end;
  return reply;
}

std::vector<std::uint64_t> numbers_of(const LineWindow& window) {
  std::vector<std::uint64_t> out;
  for (const auto& line : window.lines()) out.push_back(line.line);
  return out;
}

// ---- the window ---------------------------------------------------------------------------------

TEST(LineWindow, BeginsAtTheEndOfAJournalWhoseLengthNobodyKnows) {
  LineWindow window;
  window.reset_to_end();
  EXPECT_EQ(window.older_from(), 0u);
  EXPECT_FALSE(window.newer_from());
  window.add_older(page({100, 98, 90}, 89, 100));
  EXPECT_THAT(numbers_of(window), ElementsAre(90, 98, 100));
  EXPECT_EQ(window.older_from(), 89u);
  EXPECT_EQ(window.newer_from(), 101u);
  EXPECT_TRUE(window.at_end());
}

TEST(LineWindow, GrowsAtBothEndsFromTheLineThatOneJumpsTo) {
  LineWindow window;
  window.reset(50);
  EXPECT_EQ(window.older_from(), 49u);
  EXPECT_EQ(window.newer_from(), 50u);
  window.add_newer(page({50, 52}, 53, 100));
  window.add_older(page({48}, 30, 100));
  EXPECT_THAT(numbers_of(window), ElementsAre(48, 50, 52));
  EXPECT_TRUE(window.covers(31));
  EXPECT_FALSE(window.covers(30));
  EXPECT_FALSE(window.covers(53));
  EXPECT_EQ(window.position(49), 1u);
  EXPECT_EQ(window.position(1'000'000), 2u);
}

TEST(LineWindow, ForgetsTheFarEndWhenItIsLong) {
  LineWindow window(3);
  window.reset(10);
  window.add_newer(page({10, 11, 12}, 13, 100));
  window.add_newer(page({13, 14}, 15, 100));
  EXPECT_THAT(numbers_of(window), ElementsAre(12, 13, 14));
  EXPECT_EQ(window.older_from(), 11u);
  window.add_older(page({11, 10}, 9, 100));
  EXPECT_THAT(numbers_of(window), ElementsAre(10, 11, 12));
  EXPECT_EQ(window.newer_from(), 13u) << "what was forgotten is asked for again";
}

TEST(LineWindow, KnowsNothingOfLinesThatAreStillToCome) {
  LineWindow window;
  window.reset(500);
  window.add_newer(page({}, 500, 100, true));
  window.add_older(page({100, 99}, 98, 100));
  EXPECT_EQ(window.newer_from(), 101u);
  window.add_newer(page({101}, 102, 101, true));
  EXPECT_THAT(numbers_of(window), ElementsAre(99, 100, 101));
}

TEST(LineWindow, KeepsLittleOfALongText) {
  api::LogLine line;
  for (int i = 0; i < 100'000; ++i) line.text += "é";
  EXPECT_EQ(kept_of(line).text.size(), kTextMax);
  EXPECT_EQ(kept_of(line).text.find("\\x"), std::string::npos) << "no half of a character";
}

// ---- marks --------------------------------------------------------------------------------------

std::string gutter(const std::vector<LanedMark>& marks, std::uint64_t before, std::uint64_t line,
                   std::uint64_t after) {
  std::string out;
  for (const auto& sign : gutter_of(marks, before, line, after)) out += sign;
  out.erase(out.find_last_not_of(' ') + 1);
  return out;
}

TEST(MarkLanes, AMarkInsideAnotherIsFurtherRight) {
  BrowseLab lab;
  lab.mark("shift", 2, 8);
  lab.mark("shot 1", 3, 4);
  lab.mark("shot 2", 6, 0);
  const auto marks = lanes_of(lab.marks);
  const auto row = [&](std::uint64_t line) { return gutter(marks, line - 1, line, line + 1); };
  EXPECT_EQ(row(1), "");
  EXPECT_EQ(row(2), "┌");
  EXPECT_EQ(row(3), "│┌");
  EXPECT_EQ(row(4), "│└");
  EXPECT_EQ(row(5), "│");
  EXPECT_EQ(row(6), "│┌");
  EXPECT_EQ(row(8), "└│");
  EXPECT_EQ(row(9), " │") << "an open one goes on";
  EXPECT_EQ(within(marks, 7), "shift › shot 2");
  EXPECT_EQ(lanes_used(marks, 9, 20), 2u);
  EXPECT_EQ(lanes_used(marks, 1, 1), 0u);
}

TEST(MarkLanes, CornersAreAtTheLinesThatAFilterLeaves) {
  BrowseLab lab;
  lab.mark("shot", 10, 20);
  const auto marks = lanes_of(lab.marks);
  EXPECT_EQ(gutter(marks, 5, 12, 15), "┌");
  EXPECT_EQ(gutter(marks, 12, 15, 19), "│");
  EXPECT_EQ(gutter(marks, 15, 19, 25), "└");
  EXPECT_EQ(gutter(marks, 5, 12, 25), "├") << "only one line of it is left";
  EXPECT_EQ(gutter(marks, 5, 30, 40), "╶") << "none of its lines is left";
  EXPECT_EQ(gutter(marks, 30, 40, 50), "");
}

TEST(MarkLanes, DeeperThanThereIsRoomIsStillSeen) {
  BrowseLab lab;
  for (std::uint64_t i = 1; i <= 6; ++i) lab.mark("m", i, 0);
  const auto marks = lanes_of(lab.marks);
  EXPECT_EQ(gutter(marks, 3, 4, 5), "│││┌");
  EXPECT_EQ(gutter(marks, 4, 5, 6), "│││┆");
}

// ---- words of a filter --------------------------------------------------------------------------

TEST(FilterWords, AreTheFiltersOfLogQuery) {
  const auto words = parse_filter_words(
      "level=warning kind=PutIntended,PutConfirmed subject=QUAD:* text='beam loss' since=-10m "
      "until=now in=\"shot 12\" regex='beam (on|off)' field=user!=anna field='data.shot>=4711' "
      "origin=psu.*");
  ASSERT_TRUE(words) << words.error().message;
  const auto& filter = words.value();
  EXPECT_EQ(filter.level, "warning");
  EXPECT_THAT(filter.kinds, ElementsAre("PutIntended,PutConfirmed"));
  EXPECT_EQ(filter.subject, "QUAD:*");
  EXPECT_EQ(filter.text, "beam loss");
  EXPECT_EQ(filter.since, "-10m");
  EXPECT_EQ(filter.until, "now");
  EXPECT_EQ(filter.mark, "shot 12");
  EXPECT_EQ(filter.regex, "beam (on|off)");
  EXPECT_THAT(filter.fields, ElementsAre("user!=anna", "data.shot>=4711"));
  EXPECT_EQ(filter.origin, "psu.*");
}

TEST(FilterWords, AWordAloneIsWhatItLooksLike) {
  const auto words = parse_filter_words("error PvUpdate BPM:* refused by him");
  ASSERT_TRUE(words);
  EXPECT_EQ(words.value().level, "error");
  EXPECT_THAT(words.value().kinds, ElementsAre("PvUpdate"));
  EXPECT_EQ(words.value().subject, "BPM:*");
  EXPECT_EQ(words.value().text, "refused by him");
}

TEST(FilterWords, AreReadAgainAsTheyAreWritten) {
  for (const auto* text : {"", "level=error", "kind=PvUpdate kind=Gap subject=*:X",
                           "text='it'\"'\"'s = here' in='a b'", "text='a  b'",
                           "regex='a b|c' field='data.shot=4711' field='who!=anna' origin=psu.*"}) {
    const auto words = parse_filter_words(text);
    ASSERT_TRUE(words) << text;
    EXPECT_EQ(filter_words_text(words.value()), text);
  }
}

TEST(FilterWords, WrongOnesAreNamedWithTheNearest) {
  EXPECT_THAT(parse_filter_words("levle=error").error().message,
              HasSubstr("'levle=' is no filter; did you mean 'level'?"));
  EXPECT_THAT(parse_filter_words("text='beam").error().message, HasSubstr("' is missing"));
}

// ---- what is typed ------------------------------------------------------------------------------

void type(LineEdit& edit, std::u32string_view text) {
  for (const auto c : text) edit.take({KeyName::kCharacter, c});
}

TEST(LineEdit, TakesTheUsualKeys) {
  LineEdit edit("", {});
  type(edit, U"größe 4");
  edit.take({KeyName::kHome, 0});
  edit.take({KeyName::kRight, 0});
  edit.take({KeyName::kRight, 0});
  edit.take({KeyName::kRight, 0});
  edit.take({KeyName::kBackspace, 0});
  EXPECT_EQ(edit.text(), "grße 4") << "a character goes whole";
  edit.take({KeyName::kDelete, 0});
  EXPECT_EQ(edit.text(), "gre 4");
  edit.take({KeyName::kEnd, 0});
  edit.take({KeyName::kCharacter, ctrl('W')});
  EXPECT_EQ(edit.text(), "gre ");
  edit.take({KeyName::kCharacter, ctrl('U')});
  EXPECT_EQ(edit.text(), "");
  edit.take({KeyName::kBackspace, 0});
  EXPECT_EQ(edit.cursor(), 0u);
  EXPECT_FALSE(edit.take({KeyName::kCharacter, 0x1b}));
}

TEST(LineEdit, RecallsWhatWasTypedEarlier) {
  LineEdit edit("", {"first", "second"});
  type(edit, U"new");
  edit.take({KeyName::kUp, 0});
  EXPECT_EQ(edit.text(), "second");
  edit.take({KeyName::kUp, 0});
  edit.take({KeyName::kUp, 0});
  EXPECT_EQ(edit.text(), "first");
  edit.take({KeyName::kDown, 0});
  edit.take({KeyName::kDown, 0});
  EXPECT_EQ(edit.text(), "new") << "what was being typed is not lost";
}

}  // namespace
}  // namespace tidemark::tools::browse
