#include "tools/csv.h"

#include <gtest/gtest.h>

#include <sstream>

namespace tidemark::tools {
namespace {

TEST(Csv, QuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(csv_field("QUAD:1"), "QUAD:1");
  EXPECT_EQ(csv_field(""), "");
  EXPECT_EQ(csv_field("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_field("say \"open\""), "\"say \"\"open\"\"\"");
  EXPECT_EQ(csv_field("two\nlines"), "\"two\nlines\"");
}

TEST(Csv, HasARowALine) {
  std::ostringstream out;
  print_csv(out, {"a", "", "b,c"});
  print_csv(out, {"1", "2", "3"});
  EXPECT_EQ(out.str(), "a,,\"b,c\"\n1,2,3\n");
}

}  // namespace
}  // namespace tidemark::tools
