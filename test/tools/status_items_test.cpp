// status-items, status-items ack.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/tools/lab.h"

namespace tidemark::tools {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class StatusItemsCommand : public testing::Test {
 protected:
  void SetUp() override {
    lab_.start("psu.1", [this](Subsystem& made) {
      interlock_ = made.status_item("interlock", latched);
      fan_ = made.status_item("fan");
    });
  }
  Lab lab_;
  std::optional<StatusItem> interlock_;
  std::optional<StatusItem> fan_;
};

TEST_F(StatusItemsCommand, ShowsWhatIsWrongOnly) {
  interlock_->raise(Severity::kError, 12, "door open");
  const auto ran = lab_.run({"status-items"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(ran.out, ContainsRegex("psu.1 +interlock +error +12 +20.*Z +there +needed +door"));
  EXPECT_THAT(ran.out, Not(HasSubstr("fan")));
}

TEST_F(StatusItemsCommand, ShowsAllWhenAsked) {
  EXPECT_THAT(lab_.run({"status-items", "--all"}).out, HasSubstr("fan"));
  EXPECT_EQ(lab_.run({"status-items", "--all", "--json"}).documents().size(), 2u);
}

TEST_F(StatusItemsCommand, SaysThatNothingIsWrong) {
  const auto ran = lab_.run({"status-items"});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.err, "nothing is wrong\n");
}

TEST_F(StatusItemsCommand, GivesOneDocumentForEachItem) {
  fan_->raise(Severity::kWarning, 3, "slow");
  const auto documents = lab_.run({"status-items", "psu.*", "--json"}).documents();
  ASSERT_EQ(documents.size(), 1u);
  EXPECT_EQ(documents[0].at("subsystem"), "psu.1");
  EXPECT_EQ(documents[0].at("item"), "fan");
  EXPECT_EQ(documents[0].at("severity"), "warning");
  EXPECT_EQ(documents[0].at("active"), true);
}

TEST_F(StatusItemsCommand, HintsAtTheNearestSubsystem) {
  const auto ran = lab_.run({"status-items", "psu.l"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_EQ(ran.err, "tidemark: no subsystem matches 'psu.l'; did you mean 'psu.1'?\n");
}

TEST_F(StatusItemsCommand, ExitsWithThreeWhenSomebodyWhoOughtToBeThereIsNot) {
  lab_.start("psu.2");
  lab_.start("psu.3");
  lab_.stop("psu.3");
  EXPECT_EQ(lab_.run({"status-items"}).exit, 0) << "who said goodbye need not be there";
  lab_.kill("psu.2");
  const auto ran = lab_.run({"status-items", "--timeout", "1s"});
  EXPECT_EQ(ran.exit, 3) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("psu.2"));
}

TEST_F(StatusItemsCommand, FollowShowsWhatIsWrongAndThenWhatChanges) {
  interlock_->raise(Severity::kError, 12, "door open");
  int step = 0;
  const auto ran = lab_.run({"status-items", "--follow", "--count", "3"}, [&] {
    ++step;
    if (step == 1) interlock_->clear();
    if (step == 2) (void)lab_.run({"status-items", "ack", "psu.1", "interlock"});
  });
  EXPECT_EQ(ran.exit, 0) << ran.err;
  const auto lines = ran.lines();
  ASSERT_EQ(lines.size(), 3u) << ran.out;
  EXPECT_THAT(lines[0], HasSubstr("psu.1/interlock  error 12  door open"));
  EXPECT_THAT(lines[1], HasSubstr("(its cause is gone)"));
  EXPECT_THAT(lines[2], HasSubstr("psu.1/interlock  cleared"));
}

TEST_F(StatusItemsCommand, FollowGivesOneDocumentForEachChange) {
  fan_->raise(Severity::kWarning, 3, "slow");
  bool first = true;
  const auto documents = lab_.run({"status-items", "--follow", "--count", "2", "--json"},
                                  [&] {
                                    if (std::exchange(first, false)) fan_->clear();
                                  })
                             .documents();
  ASSERT_EQ(documents.size(), 2u);
  EXPECT_EQ(documents[0].at("shown"), true);
  EXPECT_EQ(documents[1].at("shown"), false);
}

TEST_F(StatusItemsCommand, AcknowledgingSaysWhoAndLetsALatchedItemGo) {
  interlock_->raise(Severity::kError, 12, "door open");
  auto ran = lab_.run({"status-items", "ack", "psu.1", "interlock"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(ran.out, "psu.1/interlock is acknowledged; its cause is still there\n");
  EXPECT_EQ(interlock_->now().acknowledged_by, "ada@console");
  interlock_->clear();
  EXPECT_EQ(lab_.run({"status-items"}).err, "nothing is wrong\n");
}

TEST_F(StatusItemsCommand, AcknowledgingGivesTheItemAsADocument) {
  interlock_->raise(Severity::kError, 12, "door open");
  const auto documents =
      lab_.run({"status-items", "ack", "psu.1", "interlock", "--json"}).documents();
  ASSERT_EQ(documents.size(), 1u);
  EXPECT_EQ(documents[0].at("acknowledged_by"), "ada@console");
}

TEST_F(StatusItemsCommand, AcknowledgingHintsAtTheNearestItemAndSubsystem) {
  auto ran = lab_.run({"status-items", "ack", "psu.1", "interlok"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_EQ(ran.err, "tidemark: psu.1 has no status item 'interlok'; did you mean 'interlock'?\n");
  ran = lab_.run({"status-items", "ack", "psu.l", "interlock"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.err, HasSubstr("did you mean 'psu.1'?"));
  EXPECT_EQ(lab_.run({"status-items", "ack", "psu.1"}).exit, 2);
}

}  // namespace
}  // namespace tidemark::tools
