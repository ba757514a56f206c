#include "catalog/csv_import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace tidemark::catalog {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

CsvFile parsed(std::string_view text) {
  auto file = parse_csv(text);
  if (!file) {
    ADD_FAILURE() << file.error().message;
    return {};
  }
  return std::move(file).value();
}

std::string fault(std::string_view text) {
  const auto file = parse_csv(text);
  if (file) return "no fault";
  EXPECT_EQ(file.error().code, Code::kInvalidArgument);
  return file.error().message;
}

/// What is wrong with the one row under that header.
std::string row_problem(const std::string& header, const std::string& row) {
  const auto file = parsed(header + "\n" + row + "\n");
  if (file.problems.size() != 1 || !file.rows.empty()) return "no problem";
  return file.problems[0].message;
}

TEST(Csv, ReadsTheDocumentedColumns) {
  const auto file = parsed(
      "Setpoint,Readback,Region,Area,Subsystem\n"
      "Q1:S,Q1:R,Linac,\"A1, A2\",none\n"
      ",Q2:R,,nan,RF\n");
  EXPECT_THAT(file.tag_groups, ElementsAre("Region", "Area", "Subsystem"));
  ASSERT_EQ(file.rows.size(), 2u);
  EXPECT_EQ(file.rows[0].line, 2u);
  EXPECT_EQ(file.rows[0].setpoint, "Q1:S");
  EXPECT_EQ(file.rows[0].readback, "Q1:R");
  EXPECT_THAT(file.rows[0].tags,
              ElementsAre(Pair("Region", "Linac"), Pair("Area", "A1"), Pair("Area", "A2")));
  EXPECT_FALSE(file.rows[0].read_only);
  EXPECT_THAT(file.rows[1].tags, ElementsAre(Pair("Subsystem", "RF")));
  EXPECT_TRUE(file.rows[1].read_only) << "nothing to write";
}

TEST(Csv, ReadsOurOwnColumnsInAnyCase) {
  const auto file = parsed(
      "setpoint,CONFIG,Device,description,Abs Tolerance,rel_tolerance,ReadOnly\n"
      "Q1:S,Q1:C,Quad,\"first, of two\",0.5,1e-3,yes\n");
  ASSERT_EQ(file.rows.size(), 1u);
  const auto& row = file.rows[0];
  EXPECT_EQ(row.config, "Q1:C");
  EXPECT_EQ(row.device, "Quad");
  EXPECT_EQ(row.description, "first, of two");
  EXPECT_EQ(row.abs_tolerance, 0.5);
  EXPECT_EQ(row.rel_tolerance, 1e-3);
  EXPECT_TRUE(row.read_only);
  EXPECT_TRUE(file.tag_groups.empty());
  EXPECT_TRUE(file.columns.rel_tolerance);
  EXPECT_FALSE(parsed("Setpoint\nA\n").columns.rel_tolerance);
}

TEST(Csv, AcceptsBomAndEveryLineEnd) {
  for (const auto* text :
       {"\xef\xbb\xbfSetpoint,Region\r\nA,x\r\nB,y", "Setpoint,Region\nA,x\nB,y\n",
        "Setpoint,Region\rA,x\rB,y\r", "\n\nSetpoint,Region\n\nA,x\n\n\nB,y\n\n"}) {
    const auto file = parsed(text);
    ASSERT_EQ(file.rows.size(), 2u) << text;
    EXPECT_EQ(file.rows[1].setpoint, "B");
    EXPECT_TRUE(file.problems.empty());
  }
}

TEST(Csv, CountsLinesAlsoInsideQuotes) {
  const auto file = parsed("Setpoint,Description\r\nA,\"one\r\ntwo\"\r\nB,\"say \"\"hi\"\"\"\r\n");
  ASSERT_EQ(file.rows.size(), 2u);
  EXPECT_EQ(file.rows[0].description, "one\r\ntwo");
  EXPECT_EQ(file.rows[0].line, 2u);
  EXPECT_EQ(file.rows[1].description, "say \"hi\"");
  EXPECT_EQ(file.rows[1].line, 4u);
}

TEST(Csv, ReportsARowWithoutAddressByItsLine) {
  const auto file = parsed("Setpoint,Readback,Region\nA,,x\n,,y\n");
  ASSERT_EQ(file.problems.size(), 1u);
  EXPECT_EQ(file.problems[0].line, 3u);
  EXPECT_THAT(file.problems[0].message, HasSubstr("no address"));
  EXPECT_EQ(file.rows.size(), 1u);
}

TEST(Csv, NamesTheColumnOfABadCell) {
  EXPECT_THAT(row_problem("Setpoint", "A B"), HasSubstr("Setpoint: PV name 'A B'"));
  EXPECT_THAT(row_problem("Setpoint,AbsTolerance", "A,-1"), HasSubstr("AbsTolerance: '-1'"));
  EXPECT_THAT(row_problem("Setpoint,AbsTolerance", "A,nan"), HasSubstr("AbsTolerance: 'nan'"));
  EXPECT_THAT(row_problem("Setpoint,RelTolerance", "A,inf"), HasSubstr("RelTolerance"));
  EXPECT_THAT(row_problem("Setpoint,RelTolerance", "A,1%"), HasSubstr("RelTolerance: '1%'"));
  EXPECT_THAT(row_problem("Setpoint,ReadOnly", "A,maybe"), HasSubstr("ReadOnly: 'maybe'"));
  EXPECT_THAT(row_problem("Setpoint,Device", "A," + std::string(256, 'd')),
              HasSubstr("Device: has 256 bytes, the limit is 255"));
  EXPECT_THAT(row_problem("Setpoint,Area", "A," + std::string(256, 'd')), HasSubstr("Area: has"));
  EXPECT_THAT(row_problem("Setpoint,Description", "A,5 \xb5m"), HasSubstr("not UTF-8"));
}

TEST(Csv, ReportsCellsThatNoColumnHas) {
  EXPECT_THAT(row_problem("Setpoint", "A,b"), HasSubstr("more cells than the header"));
  EXPECT_THAT(row_problem("Setpoint,", "A,b"), HasSubstr("column 2 has no name, but 'b'"));
  EXPECT_EQ(parsed("Setpoint,,\nA,,,,\n").rows.size(), 1u) << "empty ones do not matter";
  EXPECT_EQ(parsed("Setpoint,Device\nA\n").rows.size(), 1u) << "nor do missing ones";
}

TEST(Csv, TakesEveryWordForReadOnly) {
  for (const auto* yes : {"true", "TRUE", "yes", "1"}) {
    EXPECT_TRUE(parsed(std::string("Setpoint,ReadOnly\nA,") + yes).rows.at(0).read_only) << yes;
  }
  for (const auto* no : {"false", "No", "0", ""}) {
    EXPECT_FALSE(parsed(std::string("Setpoint,ReadOnly\nA,") + no).rows.at(0).read_only) << no;
  }
}

TEST(Csv, RefusesAFileThatIsOfNoUse) {
  EXPECT_THAT(fault(""), HasSubstr("empty"));
  EXPECT_THAT(fault("Name,Region\nA,b\n"), HasSubstr("neither a Setpoint nor a Readback"));
  EXPECT_THAT(fault("Setpoint;Readback\nA;B\n"), HasSubstr("not semicolons"));
  EXPECT_THAT(fault("Setpoint,setpoint\n"), HasSubstr("'setpoint' twice"));
  EXPECT_THAT(fault("Setpoint,Area,AREA\n"), HasSubstr("'AREA' twice"));
  EXPECT_THAT(fault("Setpoint,Device\nA,\"x\nB,y\n"), HasSubstr("line 2: the quote that opens"));
  EXPECT_THAT(fault(std::string(kCsvBytesMax + 1, 'x')), HasSubstr("bytes, the limit"));
}

TEST(Csv, ReportsTextAfterAClosingQuote) {
  EXPECT_THAT(row_problem("Setpoint,Device", "A,\"x\"y"), HasSubstr("after a closing quote"));
}

std::string quoted(const std::string& cell) {
  std::string out = "\"";
  for (const char c : cell) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

RC_GTEST_PROP(Csv, ReadsBackAnyQuotedText, ()) {
  const auto cells = *rc::gen::container<std::vector<std::string>>(
      rc::gen::container<std::string>(rc::gen::element('a', 'Z', '"', ',', ';', '\n', '\r', '.')));
  std::string text = "Setpoint,Description\n";
  for (const auto& cell : cells) text += "P," + quoted("<" + cell + ">") + "\r\n";
  const auto file = parse_csv(text);
  RC_ASSERT(file.ok());
  RC_ASSERT(file.value().rows.size() + file.value().problems.size() == cells.size());
  RC_ASSERT(file.value().problems.empty());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    RC_ASSERT(file.value().rows[i].description == "<" + cells[i] + ">");
  }
}

RC_GTEST_PROP(Csv, NeverThrows, (const std::string& bytes)) {
  (void)parse_csv(bytes);
  (void)parse_csv("Setpoint,Device,Area\n" + bytes);
}

}  // namespace
}  // namespace tidemark::catalog
