#include "actors/monitor.h"

#include <gmock/gmock.h>

#include "epics/client.h"
#include "node_test.h"
#include "test/support/fake_ioc.h"

namespace tidemark::actors {
namespace {

namespace api = model::api;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class MonitorTest : public NodeTest {
 protected:
  MonitorTest() : NodeTest("monitor") {
    ioc_->define("Q1", 1.0);
    ioc_->define("Q2", 2.0);
    monitor_ = spawn(monitor_actor,
                     MonitorOptions{link_, ioc_, board_, outbox_, test::number_of("keeper")});
    settle();
  }

  void answer_channels(std::uint64_t revision, std::vector<api::Channel> channels) {
    link_->asked("keeper.channels")
        .back()
        .done(model::pack(api::Channels{revision, std::move(channels)}));
    settle();
  }
  void follow_both() {
    answer_channels(3, {{model::ChannelId{1}, "Q1"}, {model::ChannelId{2}, "Q2"}});
    drain();
  }
  void drain() {
    caf::anon_send(monitor_, wake_atom_v);
    pass(milliseconds(1));
  }
  void catalog_changes(std::uint64_t sequence) {
    bus::FrameHeader header;
    header.frame_class = bus::FrameClass::kEvent;
    header.stream = {test::number_of("keeper"), bus::kCatalogStream};
    header.incarnation = 1;
    header.sequence = sequence;
    header.count = 1;
    link_->deliver(header);
    settle();
  }
  std::vector<model::PvUpdate> published() const {
    std::vector<model::PvUpdate> all;
    for (const auto& each : link_->published(bus::kLiveStream)) {
      for (auto& update : model::decode_updates(each.payload).value()) {
        all.push_back(std::move(update));
      }
    }
    return all;
  }
  template <class Atom>
  std::shared_ptr<test::Asked> call(Atom atom, Bytes payload) {
    auto asked = std::make_shared<test::Asked>();
    caf::anon_send(monitor_, atom, test::call_of(asked, "monitor", std::move(payload)));
    settle();
    return asked;
  }
  std::size_t asks() const { return link_->asked("keeper.channels").size(); }

  std::shared_ptr<test::FakeIoc> ioc_ = std::make_shared<test::FakeIoc>();
  Monitor monitor_;
};

TEST_F(MonitorTest, FollowsTheChannelsOfTheKeeper) {
  follow_both();
  EXPECT_EQ(ioc_->status().channels, 2u);
  const auto updates = published();
  ASSERT_THAT(updates, SizeIs(4));  // connected and a value, of each
  EXPECT_EQ(link_->published(bus::kLiveStream)[0].sequence, 1u);
}

TEST_F(MonitorTest, SendsToTheJournalWhatItPublishes) {
  follow_both();
  ioc_->set("Q1", 1.5);
  drain();
  EXPECT_EQ(journal_.updates(), published());
  EXPECT_EQ(published().back().value, model::PvValue{1.5});
}

TEST_F(MonitorTest, AnswersTheStateAsItIsAfterWhatWasPublished) {
  follow_both();
  ioc_->set("Q1", 1.5);
  ioc_->disconnect("Q2");
  drain();
  const auto asked = call(state_atom_v, model::pack(api::Empty{}));
  const auto end = model::unpack<api::StateEnd>(asked->answer->value()).value();
  EXPECT_EQ(end.sequence, published().size());
  EXPECT_EQ(end.incarnation, link_->self().incarnation);
  ASSERT_THAT(asked->parts, SizeIs(end.parts));

  model::LiveTable from_state;
  for (const auto& packed : asked->parts) {
    const auto part = model::unpack<api::StatePart>(packed).value();
    for (const auto& each : model::decode_updates(part.updates.bytes).value()) {
      from_state.apply(each, UtcTime{});
    }
  }
  model::LiveTable from_stream;
  for (const auto& each : published()) from_stream.apply(each, UtcTime{});
  for (const auto channel : {model::ChannelId{1}, model::ChannelId{2}}) {
    ASSERT_NE(from_state.find(channel), nullptr);
    EXPECT_EQ(from_state.find(channel)->state, from_stream.find(channel)->state);
    EXPECT_EQ(from_state.find(channel)->value, from_stream.find(channel)->value);
  }
}

TEST_F(MonitorTest, PublishesNothingOfAChannelThatWasRemoved) {
  follow_both();
  catalog_changes(1);
  answer_channels(4, {{model::ChannelId{1}, "Q1"}});
  const auto before = published().size();
  ioc_->set("Q2", 9.0);
  drain();
  EXPECT_THAT(published(), SizeIs(before));
  EXPECT_EQ(ioc_->status().channels, 1u);
}

TEST_F(MonitorTest, ReadsInTheOrderAsked) {
  follow_both();
  const auto asked =
      call(read_atom_v, model::pack(api::ReadChannels{{model::ChannelId{2}, model::ChannelId{9}}}));
  const auto values = model::unpack<api::ChannelValues>(asked->answer->value()).value();
  const auto updates = model::decode_updates(values.updates.bytes).value();
  ASSERT_THAT(updates, SizeIs(2));
  EXPECT_EQ(updates[0].value, model::PvValue{2.0});
  EXPECT_EQ(values.errors[0], "");
  EXPECT_NE(values.errors[1], "");
}

TEST_F(MonitorTest, SaysOfEachPutWhatBecameOfIt) {
  follow_both();
  ioc_->refuse_puts("Q2", "no write access");
  const auto asked =
      call(put_atom_v,
           model::pack(api::PutChannels{{{model::ChannelId{1}, 7.0}, {model::ChannelId{2}, 8.0}}}));
  ASSERT_TRUE(asked->answer && asked->answer->ok());
  std::map<std::uint32_t, api::PutResult> results;
  for (const auto& part : asked->parts) {
    for (const auto& each : model::unpack<api::PutResults>(part).value().results) {
      results[model::raw(each.channel)] = each;
    }
  }
  ASSERT_THAT(results, SizeIs(2));
  EXPECT_EQ(results[1].state, static_cast<std::uint8_t>(epics::PutState::kConfirmed));
  EXPECT_EQ(results[2].state, static_cast<std::uint8_t>(epics::PutState::kRefused));
  EXPECT_NE(results[2].reason, "");
}

TEST_F(MonitorTest, AnswersAPutOnlyWhenTheLastOfThemIsKnown) {
  follow_both();
  ioc_->hold_puts();
  const auto asked = call(put_atom_v, model::pack(api::PutChannels{{{model::ChannelId{1}, 7.0}}}));
  EXPECT_FALSE(asked->answer);
  ioc_->expire_puts();
  ASSERT_TRUE(asked->answer);
  const auto results = model::unpack<api::PutResults>(asked->parts.at(0)).value().results;
  EXPECT_EQ(results.at(0).state, static_cast<std::uint8_t>(epics::PutState::kUnknown));
}

TEST_F(MonitorTest, RefusesWhatIsNoRequest) {
  EXPECT_EQ(call(put_atom_v, "?")->answer->error().code, Code::kInvalidArgument);
  EXPECT_EQ(call(read_atom_v, "?")->answer->error().code, Code::kInvalidArgument);
}

TEST_F(MonitorTest, AsksAgainUntilTheKeeperAnswers) {
  link_->asked("keeper.channels").back().fail({Code::kUnavailable, "not up"});
  pass(milliseconds(600));
  EXPECT_GE(asks(), 2u);
}

TEST_F(MonitorTest, AsksAgainWhenAnAnswerToAChangeIsLost) {
  follow_both();
  catalog_changes(1);
  link_->asked("keeper.channels").back().fail({Code::kTimeout, "no answer"});
  settle();
  const auto before = asks();
  pass(milliseconds(1100));
  EXPECT_GT(asks(), before);
}

TEST_F(MonitorTest, AsksAgainForAChangeThatCameWhileItAsked) {
  follow_both();
  catalog_changes(1);
  const auto before = asks();
  catalog_changes(2);
  answer_channels(4, {{model::ChannelId{1}, "Q1"}});  // from before the second change
  pass(milliseconds(1100));
  EXPECT_GT(asks(), before);
}

}  // namespace
}  // namespace tidemark::actors
