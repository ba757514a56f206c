#include "base/glob.h"

#include <gtest/gtest.h>

#include <string>

namespace tidemark {
namespace {

TEST(Glob, WithoutSpecialCharactersFitsOnlyItself) {
  EXPECT_TRUE(glob_match("MAG:Q1", "MAG:Q1"));
  EXPECT_FALSE(glob_match("MAG:Q1", "MAG:Q11"));
  EXPECT_FALSE(glob_match("MAG:Q1", "mag:q1"));
  EXPECT_TRUE(glob_match("", ""));
  EXPECT_FALSE(glob_match("", "x"));
}

TEST(Glob, StarIsAnyRunAlsoAnEmptyOne) {
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("MAG:*:I", "MAG:Q1:I"));
  EXPECT_TRUE(glob_match("MAG:*:I", "MAG::I"));
  EXPECT_TRUE(glob_match("*:I", "MAG:I:I"));
  EXPECT_FALSE(glob_match("*:I", "MAG:I:V"));
  EXPECT_TRUE(glob_match("a*b*c", "a-b-b-c"));
  EXPECT_TRUE(glob_match("**", "x"));
}

TEST(Glob, QuestionMarkIsExactlyOneCharacter) {
  EXPECT_TRUE(glob_match("Q?", "Q1"));
  EXPECT_FALSE(glob_match("Q?", "Q"));
  EXPECT_FALSE(glob_match("Q?", "Q12"));
}

TEST(Glob, TakesBracketsAndBackslashesAsTheyAre) {
  EXPECT_TRUE(glob_match("A[1]", "A[1]"));
  EXPECT_FALSE(glob_match("A[1]", "A1"));
  EXPECT_TRUE(glob_match("A\\*", "A\\B"));
}

TEST(Glob, DoesNotExplodeOnManyStars) {
  std::string pattern;
  for (int i = 0; i < 100; ++i) pattern += "a*";
  EXPECT_FALSE(glob_match(pattern + "b", std::string(10'000, 'a')));
}

TEST(Glob, IsRecognisedByItsSpecialCharacters) {
  EXPECT_TRUE(is_glob("MAG:*"));
  EXPECT_TRUE(is_glob("Q?"));
  EXPECT_FALSE(is_glob("MAG:Q1[0]"));
}

}  // namespace
}  // namespace tidemark
