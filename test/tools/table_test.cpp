#include "tools/table.h"

#include <gtest/gtest.h>

#include <sstream>

#include "tools/progress.h"

namespace tidemark::tools {
namespace {

std::string printed(const Table& table, std::size_t width = 0, bool colored = false) {
  std::ostringstream out;
  table.print(out, width, colored);
  return out.str();
}

TEST(Table, AlignsTextLeftAndNumbersRight) {
  Table table({{"PV"}, {"VALUE", true}, {"UNIT"}});
  table.add({"A", "1.5", "mm"});
  table.add({"LONGER", "12.25", ""});
  EXPECT_EQ(printed(table),
            "PV      VALUE  UNIT\n"
            "A         1.5  mm\n"
            "LONGER  12.25\n");
}

TEST(Table, CountsColumnsAndNotBytes) {
  Table table({{"UNIT"}, {"X"}});
  table.add({"µm", "1"});
  table.add({"真空", "2"});
  table.add({"e\u0301", "3"});
  EXPECT_EQ(printed(table),
            "UNIT  X\n"
            "µm    1\n"
            "真空  2\n"
            "e\u0301     3\n");
}

TEST(Table, CutsTheWidestColumnToTheTerminal) {
  Table table({{"ID", false, false}, {"TEXT"}});
  table.add({"0123456789", "a text that is much too long"});
  EXPECT_EQ(printed(table, 24),
            "ID          TEXT\n"
            "0123456789  a text that…\n");
}

TEST(Table, NeverCutsAColumnThatMustStayWhole) {
  Table table({{"ID", false, false}});
  table.add({"0123456789"});
  EXPECT_EQ(printed(table, 5), "ID\n0123456789\n");
}

TEST(Table, ColoursOnlyWhenAsked) {
  Table table({{"A"}});
  table.add({{"x", Color::kRed}});
  EXPECT_EQ(printed(table, 0, false), "A\nx\n");
  EXPECT_EQ(printed(table, 0, true), "\x1b[1mA\x1b[0m\n\x1b[31mx\x1b[0m\n");
}

TEST(Printable, ShowsControlCharactersAndSendsNone) {
  EXPECT_EQ(printable("a\x1b[31mb\n\t\x7f"), "a\\x1b[31mb\\n\\t\\x7f");
}

TEST(Printable, ShowsBytesThatAreNotUtf8) {
  EXPECT_EQ(printable("\xb0 C"), "\\xb0 C");
  EXPECT_EQ(printable("°C µ 真"), "°C µ 真");
}

TEST(Printable, ShowsMarksThatTurnTheText) {
  EXPECT_EQ(printable("a\u202eb"), "a\\xe2\\x80\\xaeb");
}

TEST(Shorten, NeverCutsAGlyphInTwo) {
  EXPECT_EQ(shorten("真空真空", 4), "真…");
  EXPECT_EQ(shorten("abc", 3), "abc");
  EXPECT_EQ(shorten("abcd", 3), "ab…");
}

TEST(Progress, FillsAsTheJobGoesOn) {
  model::Job job;
  job.done = 600;
  job.total = 1000;
  job.message = "writing";
  const auto bar = progress_bar(job, 200);
  EXPECT_NE(bar.find("60 %  600 of 1000  writing"), std::string::npos) << bar;
  job.total = 0;
  EXPECT_NE(progress_bar(job, 200).find(" 0 %"), std::string::npos);
}

TEST(Progress, IsSilentWithoutATerminalForTheFirstSeconds) {
  std::ostringstream err;
  Progress progress(err, false, 80);
  model::Job job;
  job.type = "snapshot_restore";
  job.total = 10;
  const auto now = steady_now();
  progress.show(job, now);
  EXPECT_EQ(err.str(), "");
  progress.show(job, now + std::chrono::seconds(11));
  EXPECT_EQ(err.str(), "snapshot_restore: 0 of 10\n");
}

}  // namespace
}  // namespace tidemark::tools
