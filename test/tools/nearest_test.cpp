#include "tools/nearest.h"

#include <gtest/gtest.h>

namespace tidemark::tools {
namespace {

TEST(Nearest, CountsLettersThatAreMissingTooManyWrongOrSwapped) {
  EXPECT_EQ(edits_between("current", "current"), 0u);
  EXPECT_EQ(edits_between("curent", "current"), 1u);
  EXPECT_EQ(edits_between("currrent", "current"), 1u);
  EXPECT_EQ(edits_between("durrent", "current"), 1u);
  EXPECT_EQ(edits_between("crurent", "current"), 1u);
  EXPECT_EQ(edits_between("", "psu"), 3u);
  EXPECT_EQ(edits_between("PSU", "psu"), 0u);
}

TEST(Nearest, NamesTheOneThatLooksMostAlike) {
  EXPECT_EQ(did_you_mean("psu.l", {"shutter.1", "psu.1", "psu.12"}), "; did you mean 'psu.1'?");
}

TEST(Nearest, IsSilentWhenNothingLooksAlike) {
  EXPECT_EQ(did_you_mean("laser", {"shutter.1", "psu.1"}), "");
  EXPECT_EQ(did_you_mean("laser", {}), "");
}

TEST(Nearest, DoesNotCompareWhatNobodyTyped) {
  EXPECT_EQ(nearest(std::string(100'000, 'x'), {std::string(100'000, 'x')}), std::nullopt);
}

}  // namespace
}  // namespace tidemark::tools
