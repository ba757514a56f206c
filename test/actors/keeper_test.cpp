#include "actors/keeper.h"

#include <gmock/gmock.h>

#include "catalog/memory_store.h"
#include "epics/client.h"
#include "node_test.h"

namespace tidemark::actors {
namespace {

namespace api = model::api;
using model::JobState;
using model::RecordKind;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class KeeperTest : public NodeTest {
 protected:
  KeeperTest() {
    link_->on("monitor.state", [this](const bus::Call& call) {
      call.progress(model::pack(api::StatePart{model::Blob{model::encode_updates(state_)}}));
      call.done(model::pack(api::StateEnd{1, 0, 1}));
    });
    settle();
  }

  api::ImportReport import(const std::string& csv) {
    api::ImportRequest request;
    request.csv = csv;
    request.user = "ann@ring";
    return answer<api::ImportReport>(keeper_, import_atom_v, request);
  }
  /// Channel `channel` is connected and has that value.
  void add_value(std::uint32_t channel, double value) {
    auto meta = std::make_shared<model::PvMeta>();
    meta->native_type = "double";
    model::PvUpdate connected;
    connected.channel = model::ChannelId{channel};
    connected.event = model::PvUpdate::Event::kConnected;
    connected.meta = meta;
    model::PvUpdate update;
    update.channel = connected.channel;
    update.value = value;
    state_.push_back(connected);
    state_.push_back(update);
  }
  /// The monitor is heard of: the live table takes its state.
  void hear_monitor() {
    bus::FrameHeader header;
    header.frame_class = bus::FrameClass::kHeartbeat;
    header.stream = {test::number_of("monitor"), bus::kLiveStream};
    header.incarnation = 1;
    link_->deliver(header);
    settle();
  }
  /// Q1 and Q2 with setpoints (channels 1 and 3) and readbacks, all at 1.
  void two_pvs() {
    import("Setpoint,Readback\nQ1:S,Q1:R\nQ2:S,Q2:R\n");
    for (std::uint32_t channel = 1; channel <= 4; ++channel) add_value(channel, 1.0);
    hear_monitor();
  }
  /// The live values are others than in the snapshot.
  void move_setpoints() {
    std::vector<model::PvUpdate> updates(2);
    updates[0].channel = channel_of("Q1:S");
    updates[1].channel = channel_of("Q2:S");
    for (auto& each : updates) each.value = 5.0;
    bus::FrameHeader header;
    header.stream = {test::number_of("monitor"), bus::kLiveStream};
    header.incarnation = 1;
    header.sequence = 1;
    header.count = 2;
    link_->deliver(header, model::encode_updates(updates));
    settle();
  }
  model::ChannelId channel_of(const std::string& address) {
    return model::ChannelId{answer<std::uint32_t>(catalog_, find_atom_v, address)};
  }

  api::SnapshotRequest snapshot_request(const std::string& title = "before") {
    api::SnapshotRequest request;
    request.title = title;
    request.user = "ann@ring";
    return request;
  }
  model::Job job(const Uuid& id) {
    return answer<model::Job>(keeper_, job_atom_v, api::JobQuery{id, {}, {}});
  }
  static api::RestoreRequest restore_request() {
    api::RestoreRequest request;
    request.snapshot = "before";
    request.user = "bob@ring";
    return request;
  }
  void take_snapshot() { answer<model::Job>(keeper_, snapshot_atom_v, snapshot_request()); }

  std::vector<model::PvUpdate> state_;
  CatalogActor catalog_ = spawn(
      catalog_actor, std::make_shared<catalog::Catalog>(
                         catalog::Catalog::load(std::make_shared<catalog::MemoryStore>()).value()));
  Live live_ = spawn(live_actor, LiveOptions{link_, test::number_of("monitor"), board_, outbox_});
  Keeper keeper_ =
      spawn(keeper_actor, KeeperOptions{link_, board_, outbox_, catalog_, live_,
                                        test::number_of("monitor"), test::number_of("journal")});
};

TEST_F(KeeperTest, MakesChannelsKnownToTheJournalBeforeItAnnouncesThem) {
  const auto announced = link_->published(bus::kCatalogStream).size();
  journal_.hold();
  const auto report = ask<api::ImportReport>(
      keeper_, import_atom_v,
      api::ImportRequest{"Setpoint,Readback\nQ1:S,Q1:R\n", false, false, "ann@ring"});
  settle();
  EXPECT_TRUE(report->pending());
  EXPECT_THAT(link_->published(bus::kCatalogStream), SizeIs(announced));
  EXPECT_THAT(answer<Shared<api::Channels>>(catalog_, channels_atom_v)->channels, IsEmpty());

  journal_.release();
  settle();
  EXPECT_TRUE(report->value.has_value());
  EXPECT_THAT(link_->published(bus::kCatalogStream), SizeIs(announced + 1));
  EXPECT_THAT(journal_.kinds(), ElementsAre(RecordKind::kPvDefined, RecordKind::kPvDefined,
                                            RecordKind::kCatalogChanged));
}

TEST_F(KeeperTest, TakesASnapshotAndRecordsItInOrder) {
  two_pvs();
  const auto before = journal_.records().size();
  const auto accepted = answer<model::Job>(keeper_, snapshot_atom_v, snapshot_request());
  const auto ended = job(accepted.id);

  EXPECT_EQ(ended.state, JobState::kCompleted);
  const auto kinds = journal_.kinds();
  EXPECT_THAT(
      std::vector(kinds.begin() + static_cast<std::ptrdiff_t>(before), kinds.end()),
      ElementsAre(RecordKind::kJobAccepted, RecordKind::kSnapshotTaken, RecordKind::kJobFinished));
  const auto snapshot =
      answer<Shared<model::Snapshot>>(catalog_, load_atom_v, std::string("before"));
  EXPECT_EQ(snapshot->header.id, ended.result);
  EXPECT_EQ(snapshot->header.pvs, 2u);
  EXPECT_EQ(snapshot->header.values, 4u);
  EXPECT_EQ(snapshot->header.missing, 0u);
  EXPECT_TRUE(snapshot->header.monitor_alive);
  EXPECT_EQ(snapshot->values[0].value, model::PvValue{1.0});
}

TEST_F(KeeperTest, SaysThatASnapshotWasTakenWhileTheMonitorWasSilent) {
  import("Setpoint\nQ1:S\n");
  const auto accepted = answer<model::Job>(keeper_, snapshot_atom_v, snapshot_request());
  EXPECT_THAT(job(accepted.id).message, HasSubstr("the monitor was silent"));
}

TEST_F(KeeperTest, RefusesASnapshotWithoutATitle) {
  EXPECT_EQ(refusal<model::Job>(keeper_, snapshot_atom_v, snapshot_request("")).code,
            Code::kInvalidArgument);
}

TEST_F(KeeperTest, GivesTheSameJobToTheSameIdempotencyKey) {
  auto request = snapshot_request();
  request.idempotency = Uuid::random();
  const auto first = answer<model::Job>(keeper_, snapshot_atom_v, request);
  const auto second = answer<model::Job>(keeper_, snapshot_atom_v, request);
  EXPECT_EQ(first.id, second.id);
  EXPECT_THAT(journal_.all<model::JobAccepted>(), SizeIs(1));
}

TEST_F(KeeperTest, GivesTheSameJobToTwoRequestsThatArriveTogether) {
  auto request = snapshot_request();
  request.idempotency = Uuid::random();
  const auto first = ask<model::Job>(keeper_, snapshot_atom_v, request);
  const auto second = ask<model::Job>(keeper_, snapshot_atom_v, request);
  settle();
  ASSERT_TRUE(first->value && second->value);
  EXPECT_EQ(first->value->id, second->value->id);
  EXPECT_THAT(journal_.all<model::JobAccepted>(), SizeIs(1));
}

TEST_F(KeeperTest, RefusesARestoreWhileTheMonitorIsSilent) {
  two_pvs();
  take_snapshot();
  pass(seconds(3));
  EXPECT_EQ(refusal<model::Job>(keeper_, restore_atom_v, restore_request()).code,
            Code::kUnavailable);
}

TEST_F(KeeperTest, RefusesARestoreOfAnotherPlanThanTheOneSeen) {
  two_pvs();
  take_snapshot();
  auto request = restore_request();
  request.plan_hash = "of yesterday";
  EXPECT_EQ(refusal<model::Job>(keeper_, restore_atom_v, request).code, Code::kConflict);
  EXPECT_THAT(link_->asked("monitor.put"), IsEmpty());
}

TEST_F(KeeperTest, CarriesOutThePlanThatWasSeen) {
  two_pvs();
  take_snapshot();
  move_setpoints();
  auto request = restore_request();
  const auto plan = answer<Shared<model::RestorePlan>>(keeper_, plan_atom_v, request);
  EXPECT_EQ(plan->writes, 2u);
  request.plan_hash = plan->hash;
  answer<model::Job>(keeper_, restore_atom_v, request);
  EXPECT_THAT(link_->asked("monitor.put"), SizeIs(1));
}

TEST_F(KeeperTest, NamesTheJobThatAlreadyWritesAPv) {
  two_pvs();
  take_snapshot();
  move_setpoints();
  const auto first = answer<model::Job>(keeper_, restore_atom_v, restore_request());
  const auto error = refusal<model::Job>(keeper_, restore_atom_v, restore_request());
  EXPECT_EQ(error.code, Code::kConflict);
  EXPECT_THAT(error.message, HasSubstr(first.id.text()));
  EXPECT_THAT(error.message, HasSubstr("bob@ring"));

  // Once it has ended the PVs are free again.
  link_->asked("monitor.put")[0].fail({Code::kUnavailable, "gone"});
  settle();
  EXPECT_TRUE(model::ended(job(first.id).state));
  answer<model::Job>(keeper_, restore_atom_v, restore_request());
}

TEST_F(KeeperTest, AnswersAWaitWhenTheJobEnds) {
  two_pvs();
  take_snapshot();
  move_setpoints();
  const auto started = answer<model::Job>(keeper_, restore_atom_v, restore_request());
  const auto waiting =
      ask<model::Job>(keeper_, job_atom_v, api::JobQuery{started.id, seconds(10), {}});
  settle();
  EXPECT_TRUE(waiting->pending());
  link_->asked("monitor.put")[0].fail({Code::kUnavailable, "gone"});
  settle();
  ASSERT_TRUE(waiting->value.has_value());
  EXPECT_EQ(waiting->value->restore->unknown, 2u);
}

TEST_F(KeeperTest, AnswersAWaitThatIsOverWithTheJobAsItIs) {
  two_pvs();
  take_snapshot();
  move_setpoints();
  const auto started = answer<model::Job>(keeper_, restore_atom_v, restore_request());
  const auto waiting =
      ask<model::Job>(keeper_, job_atom_v, api::JobQuery{started.id, seconds(2), {}});
  pass(seconds(3));
  ASSERT_TRUE(waiting->value.has_value());
  EXPECT_EQ(waiting->value->state, JobState::kRunning);
}

TEST_F(KeeperTest, CannotCancelWhatDoesNotRun) {
  EXPECT_EQ(refusal<model::Job>(keeper_, cancel_atom_v, api::JobQuery{Uuid::random(), {}, {}}).code,
            Code::kNotFound);
}

TEST_F(KeeperTest, PutsOneValueAsThePvTakesIt) {
  two_pvs();
  api::PutRequest request;
  request.address = "Q1:S";
  request.value = "2.5";
  answer<model::Job>(keeper_, put_atom_v, request);
  ASSERT_THAT(link_->asked("monitor.put"), SizeIs(1));
  const auto puts =
      model::unpack<api::PutChannels>(link_->asked("monitor.put")[0].payload()).value();
  EXPECT_EQ(puts.puts.at(0).channel, channel_of("Q1:S"));
  EXPECT_EQ(puts.puts.at(0).value, model::PvValue{2.5});
}

TEST_F(KeeperTest, RefusesAPutThatThePvCannotTake) {
  two_pvs();
  api::PutRequest request;
  request.address = "Q1:S";
  request.value = "much";
  EXPECT_EQ(refusal<model::Job>(keeper_, put_atom_v, request).code, Code::kInvalidArgument);
  request.address = "NOBODY";
  EXPECT_EQ(refusal<model::Job>(keeper_, put_atom_v, request).code, Code::kNotFound);
}

}  // namespace
}  // namespace tidemark::actors
