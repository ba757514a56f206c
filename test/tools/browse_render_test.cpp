#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/tools/browse_lab.h"

namespace tidemark::tools::browse {
namespace {

using model::Level;
using model::RecordKind;
using testing::ElementsAre;
using testing::HasSubstr;

class BrowseScreen : public testing::Test {
 protected:
  void SetUp() override {
    lab_.add("shift 12", "begins", RecordKind::kMarkBegin);
    lab_.add("QUAD:1", "4.25", RecordKind::kPvUpdate);
    lab_.add("QUAD:2", "no write access", RecordKind::kPutRefused, Level::kWarning);
    lab_.add("shot 7", "begins", RecordKind::kMarkBegin);
    lab_.add("keeper", "disk full", RecordKind::kLogMessage, Level::kError);
    lab_.mark("shift 12", 1, 0);
    lab_.mark("shot 7", 4, 0);
    lab_.begin();
    lab_.answer_all();
  }
  BrowseLab lab_;
};

TEST_F(BrowseScreen, HasLinesWithMarksBesideATitleAndTheStatus) {
  lab_.take(Size{8, 80});
  EXPECT_THAT(
      lab_.screen(),
      ElementsAre(
          " site  all lines                                                 2026-11-21 UTC",
          "┌      1 14:05:00.000   MarkBegin      shift 12  begins",
          "│      2 14:05:01.000   PvUpdate       QUAD:1  4.25",
          "│      3 14:05:02.000 W PutRefused     QUAD:2  no write access",
          "│┌     4 14:05:03.000   MarkBegin      shot 7  begins",
          "││     5 14:05:04.000 E LogMessage     keeper  disk full", "",
          " shift 12 › shot 7                                                       5 of 5"));
}

TEST_F(BrowseScreen, ShowsOriginAndAlignsTextsWhenItIsWide) {
  lab_.take(Size{8, 120});
  EXPECT_EQ(lab_.screen()[3],
            "│      3 14:05:02.000 W PutRefused     keeper     QUAD:2                    no write "
            "access");
}

TEST_F(BrowseScreen, FitsIntoAnyWindow) {
  for (std::size_t rows = 0; rows < 15; ++rows) {
    for (std::size_t columns = 0; columns < 90; ++columns) {
      lab_.take(Size{rows, columns});
      for (const auto& mode : {"", "/text", "\x1b", "h", "q", "M", "q", "\n", "\n"}) {
        for (const char c : std::string(mode)) {
          lab_.press(c == '\n'     ? Key{KeyName::kEnter, 0}
                     : c == '\x1b' ? Key{KeyName::kEscape, 0}
                                   : Key{KeyName::kCharacter, static_cast<char32_t>(c)});
        }
        const auto frame = render(lab_.state);
        ASSERT_EQ(frame.rows.size(), rows);
        for (const auto& row : frame.rows) {
          std::size_t width = 0;
          for (const auto& span : row.spans) width += display_width(span.text);
          ASSERT_LE(width, columns) << rows << " × " << columns << ": " << text_of(row);
        }
        if (frame.caret && columns > 0) {
          ASSERT_LT(*frame.caret, columns);
        }
      }
    }
  }
}

TEST_F(BrowseScreen, TwoRowsAreALineAndTheStatus) {
  lab_.take(Size{2, 30});
  EXPECT_THAT(lab_.screen(), ElementsAre("││     5 14:05:04.000 E LogMe…", HasSubstr("5 of 5")));
}

TEST_F(BrowseScreen, WideCharactersAreCutWhole) {
  lab_.add("電源", "警報が出ています", RecordKind::kLogMessage, Level::kWarning);
  lab_.press("G");
  lab_.take(Size{8, 50});
  const auto row = lab_.screen()[6];
  EXPECT_LE(display_width(row), 50u);
  EXPECT_THAT(row, HasSubstr("電源  警"));
  EXPECT_THAT(row, testing::EndsWith("…"));
}

TEST_F(BrowseScreen, LongLinesMoveToTheSide) {
  lab_.add("SUBJECT:OF:THIS", std::string(60, 'a') + "the end");
  lab_.press("G");
  EXPECT_THAT(lab_.screen()[6], HasSubstr("SUBJECT:OF:THIS  aaaa"));
  for (int i = 0; i < 3; ++i) lab_.press(KeyName::kRight);
  EXPECT_THAT(lab_.screen()[6], HasSubstr("LogMessage     aaa"));
  EXPECT_THAT(lab_.screen()[6], testing::EndsWith("the end"));
  for (int i = 0; i < 3; ++i) lab_.press(KeyName::kLeft);
  EXPECT_THAT(lab_.screen()[6], HasSubstr("SUBJECT:OF:THIS"));
}

TEST_F(BrowseScreen, WhatWasSearchedForIsMarked) {
  lab_.press("?WRITE\n");
  const auto frame = render(lab_.state);
  std::string marked;
  for (const auto& row : frame.rows) {
    for (const auto& span : row.spans) {
      if (span.reverse) marked += span.text;
    }
  }
  EXPECT_EQ(marked, "write");
}

TEST_F(BrowseScreen, LevelsAndAlarmsHaveColours) {
  auto& line = lab_.add("BPM:1", "9", RecordKind::kPvUpdate);
  line.alarm = {model::Severity::kMajor, 3};
  lab_.press("G");
  const auto frame = render(lab_.state);
  const auto color_of = [&](std::size_t row, std::string_view text) {
    for (const auto& span : frame.rows[row].spans) {
      if (span.text.find(text) != std::string::npos) return span.color;
    }
    return Color::kNone;
  };
  EXPECT_EQ(color_of(3, "PutRefused"), Color::kYellow);
  EXPECT_EQ(color_of(5, "LogMessage"), Color::kRed);
  EXPECT_EQ(color_of(2, "PvUpdate"), Color::kNone);
  EXPECT_EQ(color_of(6, "9"), Color::kRed);
}

TEST_F(BrowseScreen, ThePromptShowsWhereOneTypes) {
  lab_.press("flevel=error");
  const auto frame = render(lab_.state);
  EXPECT_EQ(text_of(frame.rows.back()), "filter: level=error");
  EXPECT_EQ(frame.caret, 19u);
}

TEST_F(BrowseScreen, HelpListsTheKeysAndScrolls) {
  lab_.press("h");
  EXPECT_THAT(lab_.screen()[1], HasSubstr("j k, arrows"));
  lab_.press(" ");
  EXPECT_THAT(lab_.text(), HasSubstr("filter: level=warning"));
  lab_.press("x");
  EXPECT_EQ(lab_.state.mode, Mode::kLines);
}

TEST_F(BrowseScreen, TheListOfMarksSaysHowLongTheyAre) {
  lab_.press("M");
  EXPECT_THAT(lab_.screen()[0], HasSubstr("2 marks, the newest first"));
  EXPECT_EQ(lab_.screen()[1], " 2026-11-21T14:05:03Z  open      shot 7");
}

TEST_F(BrowseScreen, BookmarksAreBesideTheirLines) {
  lab_.press("kma");
  EXPECT_THAT(lab_.screen()[4], HasSubstr("│┌a    4"));
}

}  // namespace
}  // namespace tidemark::tools::browse
