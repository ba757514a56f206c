#include <gtest/gtest.h>

#include "model/job.h"
#include "model/restore_plan.h"

namespace tidemark::model {
namespace {

TEST(Names, AreTheWordsThatClientsKnow) {
  EXPECT_EQ(to_string(LiveState::kNeverConnected), "never connected");
  EXPECT_EQ(to_string(Difference::kWithinTolerance), "within tolerance");
  EXPECT_EQ(to_string(Difference::kTypeChanged), "type changed");
  EXPECT_EQ(to_string(StepAction::kRefuse), "refuse");
  EXPECT_EQ(to_string(JobState::kPartial), "partially completed");
  EXPECT_EQ(to_string(JobState::kInterrupted), "interrupted");
}

TEST(Names, SayThatANumberOfALaterVersionIsUnknown) {
  EXPECT_EQ(to_string(static_cast<JobState>(99)), "unknown");
  EXPECT_EQ(to_string(static_cast<LiveState>(99)), "unknown");
}

}  // namespace
}  // namespace tidemark::model
