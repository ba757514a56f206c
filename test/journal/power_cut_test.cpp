// test/journal/power_cut_test.cpp
//
// A journal in full use (journal_stress.cpp) on a machine whose power goes (power_disk.h), again
// and again. What was flushed before each acknowledgement is there; what the mode says may go is at
// the end, and its numbers are not given to anybody else. TIDEMARK_CRASH_ROUNDS: how often.
// TIDEMARK_SEED: the same cuts again, but for what threads do.

#include <gtest/gtest.h>

#include <fstream>

#include "crashed_journal.h"

namespace tidemark::journal {
namespace {

class PowerCutJournal : public CrashedJournal {
 protected:
  /// Starts the machine, and runs the journal until its power goes; answers the last line that it
  /// acknowledged. The directory is what is left.
  std::uint64_t run_until_cut(const char* mode) {
    ++boots_;
    // Few steps as often as many: the cut may be in what happens at the start.
    const auto steps = 1 + random_() % (std::uint64_t{1} << random_() % 15);
    Environment environment{{"TIDEMARK_POWER_CUT", std::to_string(steps)},
                            {"TIDEMARK_SEED", std::to_string(random_())},
                            {"TIDEMARK_BOOT", boot_name()}};
    if (random_() % 2 == 0) environment.emplace_back("TIDEMARK_POWER_CUT_AT_LOG", "1");
    Stress child(directory_, mode, environment);
    std::uint64_t acknowledged = 0;
    while (const auto line = child.next()) acknowledged = *line;
    EXPECT_EQ(child.wait(), 0) << "in boot " << boots_ << ", with " << steps << " steps";
    fs::remove_all(directory_);
    fs::rename(directory_ + ".after", directory_);
    durable_ = 0;
    std::ifstream(directory_ + "/durable") >> durable_;
    return acknowledged;
  }
  std::string boot_name() const { return "boot " + std::to_string(boots_); }

  int boots_ = 0;
  std::uint64_t durable_ = 0;  // the last line of which the disk had said so
};

TEST_F(PowerCutJournal, HasEveryAcknowledgedLineWhenEachIsSynced) {
  for (std::uint64_t round = 0; round < 3 * rounds_ && !HasFailure(); ++round) {
    begin_anew_when_large(directory_);
    const auto acknowledged = run_until_cut("batch");
    ASSERT_FALSE(HasFailure());
    // A first start that is cut short leaves less than a journal; it is finished by the next one.
    ASSERT_TRUE(open_rocks_store(options(directory_)));
    ASSERT_NO_FATAL_FAILURE(verify(directory_, acknowledged));
  }
}

TEST_F(PowerCutJournal, LosesTheEndOfAnIntervalAndSaysWhichNumbersAreNotUsedAgain) {
  std::uint64_t lost_lines = 0;
  for (std::uint64_t round = 0; round < 3 * rounds_ && !HasFailure(); ++round) {
    begin_anew_when_large(directory_);
    const auto known = stress::lost();
    auto acknowledged = run_until_cut("interval");
    const auto durable = durable_;
    // Sometimes the power goes again, maybe before that is said.
    if (round % 3 == 2) acknowledged = std::max(acknowledged, run_until_cut("interval"));
    ASSERT_FALSE(HasFailure());
    ++boots_;
    {
      auto now = options(directory_);
      now.boot = Uuid::derive(boot_name());
      const auto opened = open_rocks_store(now);
      ASSERT_TRUE(opened) << opened.error().message;
      EXPECT_GE(raw(opened.value()->last()), acknowledged);
      ASSERT_EQ(stress::find_lost(*opened.value()), "");
    }
    const auto& lost = stress::lost();
    ASSERT_GE(lost.size(), known.size());
    EXPECT_TRUE(std::equal(known.begin(), known.end(), lost.begin()));
    for (auto i = known.size(); i < lost.size(); ++i) {
      EXPECT_GT(raw(lost[i].first), durable) << to_text(lost[i]) << " were on the disk";
      lost_lines += raw(lost[i].last) - raw(lost[i].first) + 1;
    }
    ASSERT_NO_FATAL_FAILURE(verify(directory_, acknowledged));
  }
  EXPECT_GT(lost_lines, 0u) << "nothing was ever lost";
}

}  // namespace
}  // namespace tidemark::journal
