#include "actors/live.h"

#include <gmock/gmock.h>

#include "node_test.h"

namespace tidemark::actors {
namespace {

namespace api = model::api;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

model::PvUpdate value_of(std::uint32_t channel, double value) {
  model::PvUpdate update;
  update.channel = model::ChannelId{channel};
  update.value = value;
  return update;
}

class LiveTest : public NodeTest {
 protected:
  LiveTest() {
    tell(live_, channels_atom_v,
         share(api::Channels{1,
                             {{model::ChannelId{1}, "Q1:S"},
                              {model::ChannelId{2}, "Q2:S"},
                              {model::ChannelId{3}, "X"}}}));
  }

  void heartbeat(std::uint64_t last) {
    bus::FrameHeader header;
    header.frame_class = bus::FrameClass::kHeartbeat;
    header.stream = {test::number_of("monitor"), bus::kLiveStream};
    header.incarnation = 1;
    header.sequence = last;
    link_->deliver(header);
    settle();
  }
  void frame(std::uint64_t sequence, const std::vector<model::PvUpdate>& updates) {
    bus::FrameHeader header;
    header.stream = {test::number_of("monitor"), bus::kLiveStream};
    header.incarnation = 1;
    header.sequence = sequence;
    header.count = static_cast<std::uint32_t>(updates.size());
    link_->deliver(header, model::encode_updates(updates));
    settle();
  }
  std::vector<bus::Call> states() const { return link_->asked("monitor.state"); }
  void answer_state(std::uint64_t sequence, const std::vector<model::PvUpdate>& updates,
                    std::uint32_t parts = 1) {
    states().back().progress(
        model::pack(api::StatePart{model::Blob{model::encode_updates(updates)}}));
    states().back().done(model::pack(api::StateEnd{1, sequence, parts}));
    settle();
  }
  void join() {
    heartbeat(0);
    answer_state(0, {value_of(1, 1.0), value_of(2, 2.0)});
  }
  Shared<api::LiveReply> look(std::vector<std::string> addresses) {
    return answer<Shared<api::LiveReply>>(live_, live_atom_v, api::LiveQuery{std::move(addresses)});
  }
  model::PvValue value(const std::string& address) { return look({address})->values.at(0).value; }

  Live live_ = spawn(live_actor, LiveOptions{link_, test::number_of("monitor"), board_, outbox_});
};

TEST_F(LiveTest, TakesTheStateAndThenTheFramesAfterIt) {
  heartbeat(4);
  ASSERT_THAT(states(), SizeIs(1));
  frame(5, {value_of(1, 5.0)});  // while the state is on its way
  answer_state(4, {value_of(1, 1.0), value_of(2, 2.0)});
  EXPECT_EQ(value("Q1:S"), model::PvValue{5.0});
  EXPECT_EQ(value("Q2:S"), model::PvValue{2.0});
  frame(6, {value_of(2, 6.0)});
  EXPECT_EQ(value("Q2:S"), model::PvValue{6.0});
  EXPECT_TRUE(look({})->live);
}

TEST_F(LiveTest, FetchesTheStateAgainAfterAGap) {
  join();
  frame(3, {value_of(1, 3.0)});  // 1 and 2 were lost
  EXPECT_THAT(states(), SizeIs(1));
  link_->asked("bus.resend").at(0).fail({Code::kNotFound, "not kept any more"});
  settle();
  ASSERT_THAT(states(), SizeIs(2));
  EXPECT_FALSE(look({})->live);
  answer_state(3, {value_of(1, 3.0), value_of(2, 2.5)});
  EXPECT_EQ(value("Q2:S"), model::PvValue{2.5});
  EXPECT_TRUE(look({})->live);

  const auto told = journal_.all<model::StreamGap>();
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].source, "monitor");
  EXPECT_EQ(told[0].from, 1u);
  EXPECT_EQ(told[0].to, 2u);
}

/// A handle becomes another one when it understands as much, or the program does not compile.
template <class From, class To>
constexpr bool kBecomes =
    caf::detail::tl_subset_of<typename To::signatures, typename From::signatures>::value;
static_assert(kBecomes<Live, Table>, "what asks a table may ask a live one");
static_assert(!kBecomes<Table, Live>, "captures and restores take a Live: no replay's table");

class ReplayTableTest : public NodeTest {
 protected:
  static constexpr bus::StreamNumber kStream = bus::kReplayStreams + 4;

  ReplayTableTest() {
    tell(table_, channels_atom_v, share(api::Channels{1, {{model::ChannelId{1}, "Q1:S"}}}));
  }
  static ReplayTableOptions options(std::shared_ptr<bus::Link> link) {
    api::ReplayStatus replay;
    replay.id = Uuid::derive("replay");
    replay.stream = kStream;
    return {std::move(link), test::number_of("journal"), replay, Uuid::derive("reader")};
  }
  void frame(std::uint64_t sequence, Bytes payload, bus::FrameClass frame_class) {
    bus::FrameHeader header;
    header.frame_class = frame_class;
    header.stream = {test::number_of("journal"), kStream};
    header.incarnation = 1;
    header.sequence = sequence;
    header.count = frame_class == bus::FrameClass::kHeartbeat ? 0 : 1;
    link_->deliver(header, std::move(payload));
    settle();
  }
  void answer_state(std::uint64_t sequence, double value) {
    const auto asked = link_->asked("journal.replay_state").back();
    EXPECT_EQ(model::unpack<api::ReplayRead>(asked.payload()).value().id, Uuid::derive("replay"));
    asked.progress(
        model::pack(api::StatePart{model::Blob{model::encode_updates({value_of(1, value)})}}));
    asked.done(model::pack(api::StateEnd{1, sequence, 1}));
    settle();
  }
  model::PvValue value() {
    return answer<Shared<api::LiveReply>>(table_, live_atom_v, api::LiveQuery{{"Q1:S"}})
        ->values.at(0)
        .value;
  }
  std::uint64_t acknowledged() const {
    const auto acks = link_->asked("journal.replay_ack");
    return acks.empty() ? 0 : model::unpack<api::ReplayAck>(acks.back().payload()).value().items;
  }

  Table table_ = spawn(replay_table_actor, options(link_));
};

TEST_F(ReplayTableTest, FollowsAReplayAsTheSameTableFollowsTheMonitor) {
  frame(3, {}, bus::FrameClass::kHeartbeat);
  answer_state(3, 1.0);
  EXPECT_EQ(value(), model::PvValue{1.0});
  EXPECT_EQ(acknowledged(), 3u);
  frame(4, model::encode_updates({value_of(1, 2.0)}), bus::FrameClass::kReplayState);
  EXPECT_EQ(value(), model::PvValue{2.0});
  EXPECT_EQ(acknowledged(), 4u);
}

TEST_F(ReplayTableTest, TakesTheStateAnewWhenTheReplayJumps) {
  frame(3, {}, bus::FrameClass::kHeartbeat);
  answer_state(3, 1.0);
  frame(4, {}, bus::FrameClass::kReplayState);
  answer_state(4, -7.0);
  EXPECT_EQ(value(), model::PvValue{-7.0});
  EXPECT_THAT(journal_.all<model::StreamGap>(), IsEmpty());
}

TEST_F(LiveTest, FillsAGapWithTheFramesThatWereLost) {
  join();
  frame(2, {value_of(2, 2.5)});  // 1 was lost
  EXPECT_FALSE(look({})->live);
  bus::FrameHeader lost;
  lost.stream = {test::number_of("monitor"), bus::kLiveStream};
  lost.incarnation = 1;
  lost.sequence = 1;
  lost.count = 1;
  const auto asked = link_->asked("bus.resend").at(0);
  asked.progress(bus::encode_frame(lost, model::encode_updates({value_of(1, 1.5)})));
  asked.done({});
  settle();
  EXPECT_THAT(states(), SizeIs(1));
  EXPECT_TRUE(look({})->live);
  EXPECT_EQ(value("Q1:S"), model::PvValue{1.5});
  EXPECT_EQ(value("Q2:S"), model::PvValue{2.5});
}

TEST_F(LiveTest, AsksAgainWhenPartsOfTheStateAreMissing) {
  heartbeat(0);
  answer_state(0, {value_of(1, 1.0)}, 2);
  EXPECT_FALSE(look({})->live);
  pass(seconds(1));
  EXPECT_THAT(states(), SizeIs(2));
}

TEST_F(LiveTest, IsNotLiveWhenTheMonitorIsSilent) {
  join();
  pass(seconds(3));
  EXPECT_FALSE(look({})->live);
  EXPECT_EQ(value("Q1:S"), model::PvValue{1.0});  // the last known
  EXPECT_THAT(warnings(), SizeIs(1));
}

TEST_F(LiveTest, FindsByAddressAndByGlobAndNamesWhatItDoesNotKnow) {
  join();
  const auto reply = look({"Q*:S", "X", "NOBODY"});
  ASSERT_THAT(reply->values, SizeIs(3));
  EXPECT_EQ(reply->values[0].address, "Q1:S");
  EXPECT_EQ(reply->values[1].address, "Q2:S");
  EXPECT_EQ(reply->values[2].address, "X");
  EXPECT_EQ(reply->values[2].state, model::LiveState::kNeverConnected);
  EXPECT_THAT(reply->unknown, ElementsAre("NOBODY"));
}

TEST_F(LiveTest, CapturesWhatItKnowsAndCountsWhatItDoesNot) {
  join();
  model::Snapshot draft;
  draft.values.resize(3);
  for (std::uint32_t i = 0; i < 3; ++i) draft.values[i].channel = model::ChannelId{i + 1};
  const auto snapshot =
      answer<Draft>(live_, capture_atom_v, std::make_shared<model::Snapshot>(draft));
  EXPECT_EQ(snapshot->values[0].value, model::PvValue{1.0});
  EXPECT_EQ(snapshot->values[1].value, model::PvValue{2.0});
  EXPECT_FALSE(snapshot->values[2].has_value());
  EXPECT_EQ(snapshot->header.values, 2u);
  EXPECT_EQ(snapshot->header.missing, 1u);
  EXPECT_TRUE(snapshot->header.monitor_alive);
}

TEST_F(LiveTest, PlansNothingWhileTheMonitorIsSilent) {
  join();
  const auto snapshot = share(model::Snapshot{});
  const Shared<std::vector<bool>> all;
  answer<Shared<model::RestorePlan>>(live_, plan_atom_v, snapshot, model::RestoreOptions{}, all);
  pass(seconds(3));
  EXPECT_EQ(refusal<Shared<model::RestorePlan>>(live_, plan_atom_v, snapshot,
                                                model::RestoreOptions{}, all)
                .code,
            Code::kUnavailable);
}

}  // namespace
}  // namespace tidemark::actors
