#include "actors/restore.h"

#include <gmock/gmock.h>

#include "epics/client.h"
#include "node_test.h"

namespace tidemark::actors {
namespace {

namespace api = model::api;
using epics::PutState;
using model::JobState;
using model::RecordKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::string address_of(std::uint32_t channel) { return "Q" + std::to_string(channel) + ":S"; }

class RestoreTest : public NodeTest {
 protected:
  RestoreTest() {
    job_.id = Uuid::random();
    job_.type = "snapshot_restore";
  }

  void add_step(std::uint32_t channel, model::StepAction action = model::StepAction::kWrite) {
    model::RestoreStep step;
    step.action = action;
    step.pv = Uuid::derive(address_of(channel));
    step.channel = model::ChannelId{channel};
    step.address = address_of(channel);
    step.target = static_cast<double>(channel);
    if (action == model::StepAction::kRefuse) step.reason = "read-only";
    if (action == model::StepAction::kWrite) ++plan_.writes;
    if (action == model::StepAction::kSkip) ++plan_.skips;
    if (action == model::StepAction::kRefuse) ++plan_.refusals;
    plan_.steps.push_back(std::move(step));
  }
  void add_writes(std::uint32_t count) {
    for (std::uint32_t i = 1; i <= count; ++i) add_step(i);
  }

  void start(bool verify = false) {
    const auto listener = spawn([this]() -> JobListener::behavior_type {
      return {[this](job_atom, const Shared<model::Job>& job) { jobs_.push_back(*job); }};
    });
    restore_ = spawn(restore_actor,
                     RestoreActorOptions{link_, test::number_of("monitor"), outbox_, listener, job_,
                                         share(plan_), std::chrono::seconds(3), verify});
    tell(restore_, start_atom_v);
  }

  std::vector<bus::Call> puts() const { return link_->asked("monitor.put"); }
  static std::vector<std::uint32_t> channels_of(const bus::Call& call) {
    std::vector<std::uint32_t> channels;
    for (const auto& put : model::unpack<api::PutChannels>(call.payload()).value().puts) {
      channels.push_back(model::raw(put.channel));
    }
    return channels;
  }
  void report(const bus::Call& call, std::uint32_t channel, PutState state,
              const std::string& reason = "") {
    call.progress(model::pack(
        api::PutResults{{{model::ChannelId{channel}, static_cast<std::uint8_t>(state), reason}}}));
  }
  void confirm_all(const bus::Call& call) {
    for (const auto channel : channels_of(call)) report(call, channel, PutState::kConfirmed);
    end(call);
  }
  void end(const bus::Call& call) {
    call.done(model::pack(api::Empty{}));
    settle();
  }
  /// What is read back, in the order asked: a number, or why not.
  void read_back(const std::vector<std::variant<double, std::string>>& values) {
    std::vector<model::PvUpdate> updates;
    api::ChannelValues reply;
    for (const auto& each : values) {
      auto& update = updates.emplace_back();
      const auto* number = std::get_if<double>(&each);
      if (number) update.value = *number;
      reply.errors.push_back(number ? "" : std::get<std::string>(each));
    }
    reply.updates.bytes = model::encode_updates(updates);
    link_->asked("monitor.read").back().done(model::pack(reply));
    settle();
  }

  const model::Job& last() const { return jobs_.back(); }
  const model::RestoreOutcome& outcome() const { return *jobs_.back().restore; }

  model::Job job_;
  model::RestorePlan plan_;
  Restore restore_;
  std::vector<model::Job> jobs_;
};

TEST_F(RestoreTest, SendsNoPutBeforeItsIntentIsDurable) {
  add_writes(2);
  journal_.hold();
  start();
  EXPECT_THAT(puts(), IsEmpty());

  journal_.release();
  settle();
  ASSERT_THAT(puts(), SizeIs(1));
  EXPECT_THAT(channels_of(puts()[0]), ElementsAre(1, 2));
  EXPECT_THAT(journal_.kinds(), ElementsAre(RecordKind::kPutIntended, RecordKind::kPutIntended));
  const auto intents = journal_.all<model::PutIntended>();
  EXPECT_EQ(intents[0].address, "Q1:S");
  EXPECT_EQ(intents[0].value, model::PvValue{1.0});
  EXPECT_EQ(intents[0].job, job_.id);
}

TEST_F(RestoreTest, HandsTheDeadlineOfAPutToTheMonitor) {
  add_writes(1);
  start();
  const auto request = model::unpack<api::PutChannels>(puts()[0].payload()).value();
  EXPECT_EQ(request.timeout, std::chrono::seconds(3));
}

TEST_F(RestoreTest, RecordsEachOutcomeAsItWas) {
  add_writes(4);
  start();
  report(puts()[0], 1, PutState::kConfirmed);
  report(puts()[0], 2, PutState::kRefused, "no write access");
  report(puts()[0], 3, PutState::kUnknown, "no answer");
  end(puts()[0]);  // of the fourth nothing was heard

  EXPECT_THAT(
      journal_.kinds(),
      ElementsAre(RecordKind::kPutIntended, RecordKind::kPutIntended, RecordKind::kPutIntended,
                  RecordKind::kPutIntended, RecordKind::kPutConfirmed, RecordKind::kPutRefused,
                  RecordKind::kPutUnknown, RecordKind::kPutUnknown, RecordKind::kJobProgress));
  EXPECT_EQ(journal_.all<model::PutRefused>()[0].reason, "no write access");
  EXPECT_EQ(journal_.all<model::PutUnknown>()[0].reason, "no answer");
  EXPECT_EQ(last().state, JobState::kPartial);
  EXPECT_EQ(outcome().total, 4u);
  EXPECT_EQ(outcome().confirmed, 1u);
  EXPECT_EQ(outcome().refused, 1u);
  EXPECT_EQ(outcome().unknown, 2u);
  ASSERT_THAT(outcome().failures, SizeIs(3));
  EXPECT_EQ(outcome().failures[0].address, "Q2:S");
  EXPECT_EQ(outcome().failures[0].state, "refused");
  EXPECT_EQ(outcome().failures[2].state, "unknown");
  EXPECT_THAT(last().message, HasSubstr("2 unknown, 1 refused, 1 written"));
}

TEST_F(RestoreTest, CompletesWhenAllIsConfirmed) {
  add_writes(2);
  add_step(3, model::StepAction::kSkip);
  start();
  confirm_all(puts()[0]);
  EXPECT_EQ(last().state, JobState::kCompleted);
  EXPECT_EQ(outcome().confirmed, 2u);
  EXPECT_EQ(outcome().skipped, 1u);
  EXPECT_NE(last().ended_at, UtcTime{});
}

TEST_F(RestoreTest, CompletesWithNothingToWrite) {
  add_step(1, model::StepAction::kSkip);
  start(true);
  EXPECT_EQ(last().state, JobState::kCompleted);
  EXPECT_THAT(puts(), IsEmpty());
}

TEST_F(RestoreTest, CountsAndRecordsWhatThePlanRefuses) {
  add_writes(1);
  add_step(2, model::StepAction::kRefuse);
  start();
  EXPECT_THAT(channels_of(puts()[0]), ElementsAre(1));
  confirm_all(puts()[0]);
  EXPECT_EQ(last().state, JobState::kPartial);
  EXPECT_EQ(outcome().refused, 1u);
  EXPECT_EQ(journal_.all<model::PutRefused>()[0].reason, "read-only");
}

TEST_F(RestoreTest, FailsWhenNothingCouldBeWritten) {
  add_step(1, model::StepAction::kRefuse);
  start();
  EXPECT_EQ(last().state, JobState::kFailed);
  EXPECT_FALSE(last().error.empty());
}

TEST_F(RestoreTest, HoldsAWholeChunkUnknownWhenTheMonitorDies) {
  add_writes(3);
  start();
  puts()[0].fail({Code::kUnavailable, "monitor is gone"});
  settle();
  EXPECT_EQ(outcome().unknown, 3u);
  EXPECT_EQ(outcome().failures[0].reason, "monitor is gone");
  EXPECT_THAT(journal_.all<model::PutUnknown>(), SizeIs(3));
  EXPECT_THAT(puts(), SizeIs(1));  // nothing is sent twice
}

TEST_F(RestoreTest, KeepsWhatTheMonitorSaidBeforeItDied) {
  add_writes(3);
  start();
  report(puts()[0], 2, PutState::kConfirmed);
  puts()[0].fail({Code::kUnavailable, "monitor is gone"});
  settle();
  EXPECT_EQ(outcome().confirmed, 1u);
  EXPECT_EQ(outcome().unknown, 2u);
}

TEST_F(RestoreTest, HasFourChunksOnTheWayAtMost) {
  add_writes(6000);
  start();
  EXPECT_THAT(puts(), SizeIs(4));
  EXPECT_THAT(journal_.all<model::PutIntended>(), SizeIs(4000));

  confirm_all(puts()[1]);
  ASSERT_THAT(puts(), SizeIs(5));
  EXPECT_EQ(channels_of(puts()[4]).front(), 4001u);
}

TEST_F(RestoreTest, SendsNothingMoreOnceCancelled) {
  add_writes(6000);
  start();
  tell(restore_, cancel_atom_v);
  for (const auto& call : puts()) confirm_all(call);

  EXPECT_THAT(puts(), SizeIs(4));
  EXPECT_EQ(last().state, JobState::kCancelled);
  EXPECT_EQ(outcome().confirmed, 4000u);
  EXPECT_EQ(outcome().refused, 2000u);
  EXPECT_EQ(outcome().failures[0].reason, "cancelled before it was sent");
}

TEST_F(RestoreTest, SendsNoPutWhoseIntentBecameDurableAfterTheCancel) {
  add_writes(2);
  journal_.hold();
  start();
  tell(restore_, cancel_atom_v);
  journal_.release();
  settle();

  EXPECT_THAT(puts(), IsEmpty());
  EXPECT_EQ(last().state, JobState::kCancelled);
  EXPECT_EQ(outcome().refused, 2u);
  // Each intent has its outcome, so nobody takes it for unknown later.
  EXPECT_THAT(journal_.all<model::PutRefused>(), SizeIs(2));
}

TEST_F(RestoreTest, ReadsBackWhatWasConfirmedAndNothingElse) {
  add_writes(3);
  start(true);
  report(puts()[0], 1, PutState::kConfirmed);
  report(puts()[0], 2, PutState::kRefused, "no");
  report(puts()[0], 3, PutState::kConfirmed);
  end(puts()[0]);

  ASSERT_THAT(link_->asked("monitor.read"), SizeIs(1));
  const auto read =
      model::unpack<api::ReadChannels>(link_->asked("monitor.read")[0].payload()).value();
  EXPECT_THAT(read.channels, ElementsAre(model::ChannelId{1}, model::ChannelId{3}));
  EXPECT_FALSE(model::ended(last().state));

  read_back({1.0, 3.0});
  EXPECT_EQ(outcome().verified, 2u);
  EXPECT_EQ(outcome().unverified, 0u);
}

TEST_F(RestoreTest, ReportsAValueThatReadsBackDifferent) {
  add_writes(2);
  start(true);
  confirm_all(puts()[0]);
  read_back({1.0, 2.5});
  EXPECT_EQ(last().state, JobState::kPartial);
  EXPECT_EQ(outcome().verified, 1u);
  EXPECT_EQ(outcome().unverified, 1u);
  ASSERT_THAT(outcome().failures, SizeIs(1));
  EXPECT_EQ(outcome().failures[0].state, "not verified");
  EXPECT_EQ(outcome().failures[0].reason, "wrote 2, reads 2.5");
}

TEST_F(RestoreTest, TakesAValueWithinToleranceAsVerified) {
  add_writes(1);
  plan_.steps[0].abs_tolerance = 0.2;
  start(true);
  confirm_all(puts()[0]);
  read_back({1.1});
  EXPECT_EQ(outcome().verified, 1u);
}

TEST_F(RestoreTest, ReportsAValueThatCannotBeReadBack) {
  add_writes(1);
  start(true);
  confirm_all(puts()[0]);
  read_back({"not connected"});
  EXPECT_EQ(outcome().unverified, 1u);
  EXPECT_THAT(outcome().failures[0].reason, HasSubstr("not connected"));
}

TEST_F(RestoreTest, EndsAlsoWhenTheReadBackFails) {
  add_writes(2);
  start(true);
  confirm_all(puts()[0]);
  link_->asked("monitor.read")[0].fail({Code::kTimeout, "no answer in time"});
  settle();
  EXPECT_EQ(last().state, JobState::kPartial);
  EXPECT_EQ(outcome().confirmed, 2u);
  EXPECT_EQ(outcome().unverified, 2u);
}

TEST_F(RestoreTest, SkipsReadingBackWhenNotAskedTo) {
  add_writes(1);
  start(false);
  confirm_all(puts()[0]);
  EXPECT_THAT(link_->asked("monitor.read"), IsEmpty());
  EXPECT_EQ(last().state, JobState::kCompleted);
}

}  // namespace
}  // namespace tidemark::actors
