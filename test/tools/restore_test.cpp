#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <optional>

#include "fake_site.h"
#include "model/api/keeper.h"

namespace tidemark::tools {
namespace {

namespace api = model::api;
using testing::HasSubstr;

/// A keeper with one snapshot, and what it was asked to write.
class Restore : public testing::Test {
 protected:
  void SetUp() override {
    site_.start("keeper");
    plan_.hash = "h1";
    plan_.writes = 2;
    plan_.steps = {step(model::StepAction::kWrite, "A"), step(model::StepAction::kWrite, "B")};
    job_.id = Uuid::random();
    job_.type = "snapshot_restore";
    job_.state = model::JobState::kRunning;
    job_.total = 2;
    outcome_.total = 2;
    outcome_.confirmed = 2;
    outcome_.verified = 2;
    site_.serve<api::RestoreRequest, model::RestorePlan>(
        "keeper", "keeper.restore_plan",
        [this](const auto&) -> Result<model::RestorePlan> { return plan_; });
    site_.serve<api::RestoreRequest, model::Job>("keeper", "keeper.restore",
                                                 [this](const auto& request) -> Result<model::Job> {
                                                   ++restores_;
                                                   asked_ = request;
                                                   return job_;
                                                 });
    site_.serve<api::JobQuery, model::Job>("keeper", "keeper.job",
                                           [this](const auto&) -> Result<model::Job> {
                                             auto ended = job_;
                                             ended.state = end_state_;
                                             ended.restore = outcome_;
                                             return ended;
                                           });
  }

  static model::RestoreStep step(model::StepAction action, const std::string& address) {
    model::RestoreStep step;
    step.action = action;
    step.address = address;
    step.target = 1.5;
    step.live = 1.0;
    step.reason = action == model::StepAction::kRefuse ? "read-only" : "";
    return step;
  }

  void on_terminal(const std::string& answer) {
    site_.terminal = true;
    site_.input = answer;
  }

  FakeSite site_;
  model::RestorePlan plan_;
  model::Job job_;
  model::JobState end_state_ = model::JobState::kCompleted;
  model::RestoreOutcome outcome_;
  std::atomic<int> restores_{0};
  std::optional<api::RestoreRequest> asked_;
};

TEST_F(Restore, WritesWhatWasShownWhenToldYes) {
  const auto ran = site_.run({"snapshot", "restore", "golden", "--yes", "--comment", "why"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  ASSERT_EQ(restores_, 1);
  EXPECT_EQ(asked_->plan_hash, "h1");
  EXPECT_EQ(asked_->snapshot, "golden");
  EXPECT_EQ(asked_->user, "ada@console");
  EXPECT_EQ(asked_->comment, "why");
  EXPECT_FALSE(asked_->idempotency.is_nil());
  EXPECT_THAT(ran.out, HasSubstr("written 2 (2 verified, 0 not)"));
}

TEST_F(Restore, RefusesToWriteUnaskedWithoutATerminal) {
  const auto ran = site_.run({"snapshot", "restore", "golden"});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_EQ(restores_, 0);
}

TEST_F(Restore, WritesNothingUnlessTheAnswerIsYes) {
  for (const auto* answer : {"", "\n", "n\n", "yea\n", "x\n"}) {
    on_terminal(answer);
    const auto ran = site_.run({"snapshot", "restore", "golden"});
    EXPECT_EQ(ran.exit, 1) << answer;
    EXPECT_THAT(ran.err, HasSubstr("Write 2 PVs? [y/N]"));
    EXPECT_THAT(ran.err, HasSubstr("nothing was written"));
  }
  EXPECT_EQ(restores_, 0);
}

TEST_F(Restore, WritesAfterAYesOnTheTerminal) {
  on_terminal("Y\n");
  EXPECT_EQ(site_.run({"snapshot", "restore", "golden"}).exit, 0);
  EXPECT_EQ(restores_, 1);
}

TEST_F(Restore, DryRunShowsThePlanAndWritesNothing) {
  const auto ran = site_.run({"snapshot", "restore", "golden", "--dry-run"});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_THAT(ran.out, HasSubstr("plan h1: 2 to write, 0 refused"));
  EXPECT_EQ(restores_, 0);
}

TEST_F(Restore, DryRunExitsWithOneWhenAnythingWouldBeRefused) {
  plan_.refusals = 1;
  plan_.steps.push_back(step(model::StepAction::kRefuse, "C"));
  const auto ran = site_.run({"snapshot", "restore", "golden", "--dry-run"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_LT(ran.out.find("refuse  C"), ran.out.find("write   A")) << ran.out;
}

TEST_F(Restore, WritesNothingWhenThePlanIsNotTheOneDemanded) {
  const auto ran = site_.run({"snapshot", "restore", "golden", "--plan-hash", "other", "--yes"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.err, HasSubstr("the plan is another one by now"));
  EXPECT_EQ(restores_, 0);
}

TEST_F(Restore, WritesNothingWhenNothingDiffers) {
  plan_.writes = 0;
  plan_.steps.clear();
  const auto ran = site_.run({"snapshot", "restore", "golden", "--yes"});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_EQ(restores_, 0);
}

TEST_F(Restore, ExitsWithOneAndNamesWhatWasRefusedFirst) {
  end_state_ = model::JobState::kPartial;
  outcome_.confirmed = 1;
  outcome_.verified = 1;
  outcome_.refused = 1;
  outcome_.failures = {{Uuid{}, "B", "refused", "no write access"}};
  const auto ran = site_.run({"snapshot", "restore", "golden", "--yes"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_LT(ran.out.find("no write access"), ran.out.find("partially completed")) << ran.out;
}

TEST_F(Restore, ExitsWithFourWhenAnyWriteIsUnknown) {
  end_state_ = model::JobState::kPartial;
  outcome_.unknown = 1;
  outcome_.refused = 1;
  outcome_.failures = {{Uuid{}, "A", "refused", "no"}, {Uuid{}, "B", "unknown", "timeout"}};
  const auto ran = site_.run({"snapshot", "restore", "golden", "--yes"});
  EXPECT_EQ(ran.exit, 4);
  EXPECT_LT(ran.out.find("unknown  B"), ran.out.find("refused  A")) << ran.out;
}

TEST_F(Restore, ExitsWithOneWhenAValueReadsBackDifferent) {
  outcome_.verified = 1;
  outcome_.unverified = 1;
  EXPECT_EQ(site_.run({"snapshot", "restore", "golden", "--yes"}).exit, 1);
}

TEST_F(Restore, SaysNothingOfVerificationWhenNobodyReadBack) {
  outcome_.verified = 0;
  const auto ran = site_.run({"snapshot", "restore", "golden", "--yes"});
  EXPECT_THAT(ran.out, HasSubstr("written 2, refused 0"));
}

TEST_F(Restore, SaysThatTheJobGoesOnWhenItsTimeIsOver) {
  end_state_ = model::JobState::kRunning;
  const auto ran = site_.run({"snapshot", "restore", "golden", "--yes", "--timeout", "300ms"});
  EXPECT_EQ(ran.exit, 4);
  EXPECT_THAT(ran.err, HasSubstr("tidemark job cancel"));
}

TEST_F(Restore, PrintsNothingButTheJobAsJson) {
  const auto ran = site_.run({"snapshot", "restore", "golden", "--yes", "--json"});
  EXPECT_EQ(ran.exit, 0);
  const auto job = Json::parse(ran.out);
  EXPECT_EQ(job.at("state"), "completed");
  EXPECT_EQ(job.at("restore").at("verified"), 2);
}

}  // namespace
}  // namespace tidemark::tools
