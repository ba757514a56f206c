// test/journal/waveforms_test.cpp
//
// Segments of waveforms take no more memory than others: measured, in processes of their own.

#include <gtest/gtest.h>
#include <stdio.h>

#include "journal_samples.h"

namespace tidemark::journal {
namespace {

/// A segment of them holds more than 400 MB.
#ifdef __SANITIZE_ADDRESS__
constexpr std::uint64_t kPeakMiBMax = 640;  // it keeps what was freed
#else
constexpr std::uint64_t kPeakMiBMax = 256;
#endif

struct Ran {
  unsigned long long lines = 0;
  unsigned long long sum = 0;
  unsigned long long peak_kib = 0;
};

Ran run(const std::string& directory, const std::string& step) {
  Ran ran;
  const auto command = std::string(TIDEMARK_JOURNAL_WAVEFORMS) + " '" + directory + "' " + step;
  FILE* out = ::popen(command.c_str(), "r");
  if (out == nullptr) return ran;
  EXPECT_EQ(::fscanf(out, "%llu %llu %llu", &ran.lines, &ran.sum, &ran.peak_kib), 3) << step;
  EXPECT_EQ(::pclose(out), 0) << step;
  EXPECT_LE(ran.peak_kib, kPeakMiBMax * 1024) << step;
  ::testing::Test::RecordProperty(step + "_peak_mib", std::to_string(ran.peak_kib / 1024));
  return ran;
}

TEST(Waveforms, TakeBoundedMemoryAndNoneIsLost) {
  const TempDir dir;
  const auto filled = run(dir.path(), "fill");
  ASSERT_GT(filled.lines, 6000U);
  EXPECT_EQ(run(dir.path(), "thin").lines, filled.lines);
  for (const auto* step : {"scan", "back", "pages"}) {
    const auto read = run(dir.path(), step);
    EXPECT_EQ(read.lines, filled.lines) << step;
    EXPECT_EQ(read.sum, filled.sum) << step;
  }
  constexpr unsigned long long kMessages = 120;
  const auto newest = run(dir.path(), "newest");
  EXPECT_EQ(newest.lines, filled.lines - kMessages);
  EXPECT_EQ(newest.sum, filled.sum);
  EXPECT_GT(run(dir.path(), "state").lines, 0U);
  EXPECT_EQ(run(dir.path(), "check").lines, filled.lines);
}

}  // namespace
}  // namespace tidemark::journal
