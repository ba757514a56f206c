#include <gmock/gmock.h>

#include "actors/monitor.h"
#include "node_test.h"
#include "test/support/fake_ioc.h"

namespace tidemark::actors {
namespace {

namespace api = model::api;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr model::ChannelId kQ1{1};

class MonitorArchivingTest : public NodeTest {
 protected:
  MonitorArchivingTest() : NodeTest("monitor") {
    ioc_->define("Q1", 1.0);
    ioc_->define("Q2", 2.0);
    MonitorOptions options{link_, ioc_, board_, outbox_, test::number_of("keeper"), {20, 1e9}};
    monitor_ = spawn(monitor_actor, options);
    settle();
  }

  /// The keeper's answer: both channels, Q1 with `thinning`.
  void follow(const model::Thinning& thinning) {
    caf::anon_send(monitor_, start_atom_v);
    settle();
    api::Channels channels{3, {{kQ1, "Q1"}, {model::ChannelId{2}, "Q2"}}, {}};
    if (thinning != model::Thinning{}) channels.thinned.push_back({"slow", thinning, {kQ1}});
    link_->asked("keeper.channels").back().done(model::pack(channels));
    settle();
    drain();
  }
  void drain() {
    caf::anon_send(monitor_, wake_atom_v);
    pass(milliseconds(1));
  }
  void set(const std::string& name, double value) {
    ioc_->set(name, value);
    drain();
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
  /// Values of Q1 in the journal.
  std::vector<double> archived() const {
    std::vector<double> values;
    for (const auto& each : journal_.updates()) {
      if (each.channel == kQ1 && each.event == model::PvUpdate::Event::kValue) {
        values.push_back(*model::as_number(each.value));
      }
    }
    return values;
  }
  std::uint32_t hidden() const {
    std::uint32_t hidden = 0;
    for (const auto& each : journal_.updates()) hidden += each.hidden_before;
    return hidden;
  }
  template <class Reply, class Atom, class Request>
  Reply call(Atom atom, const Request& request) {
    auto asked = std::make_shared<test::Asked>();
    caf::anon_send(monitor_, atom, test::call_of(asked, "monitor", model::pack(request)));
    settle();
    EXPECT_TRUE(asked->answer && asked->answer->ok());
    return model::unpack<Reply>(asked->answer->value()).value();
  }

  static model::Thinning rate(double updates_per_s) {
    model::Thinning thinning;
    thinning.updates_per_s_max = updates_per_s;
    return thinning;
  }

  std::shared_ptr<test::FakeIoc> ioc_ = std::make_shared<test::FakeIoc>();
  Monitor monitor_;
};

TEST_F(MonitorArchivingTest, ThinsTheJournalAndNotTheLiveStream) {
  follow(rate(1));
  for (int i = 2; i <= 9; ++i) set("Q1", i);
  set("Q2", 5);
  EXPECT_THAT(archived(), testing::ElementsAre(1));
  EXPECT_EQ(journal_.updates().back().value, model::PvValue{5.0});
  std::size_t live = 0;
  for (const auto& each : published()) live += each.channel == kQ1 ? 1 : 0;
  EXPECT_EQ(live, 1u + 9u);  // connected, and each value

  pass(milliseconds(1'100));  // the newest comes at the end of the second, by itself
  EXPECT_THAT(archived(), testing::ElementsAre(1, 9));
  EXPECT_EQ(hidden(), 7u);
  EXPECT_EQ(figure("tidemark_monitor_thinned_total"), 7);
  EXPECT_EQ(figure("tidemark_monitor_thinned_channels"), 1);
}

TEST_F(MonitorArchivingTest, ABatchThatNobodyThinsIsTheSameInJournalAndStream) {
  follow(rate(1));
  set("Q2", 5);
  set("Q2", 5);
  EXPECT_EQ(journal_.updates(), published());
}

TEST_F(MonitorArchivingTest, ArchivesWhatWaitsBeforeItEnds) {
  follow(rate(0.001));
  set("Q1", 2);
  set("Q1", 3);
  answer<Unit>(monitor_, stop_atom_v);
  EXPECT_THAT(archived(), testing::ElementsAre(1, 3));
}

TEST_F(MonitorArchivingTest, AnotherPolicyCountsFromThenOn) {
  follow(rate(0.001));
  set("Q1", 2);
  set("Q1", 3);
  follow({});
  set("Q1", 4);
  EXPECT_THAT(archived(), testing::ElementsAre(1, 3, 4));
  EXPECT_EQ(hidden(), 1u);
}

TEST_F(MonitorArchivingTest, TheGuardThinsAndSaysSoOnce) {
  follow({});
  for (int i = 0; i < 12 * 50; ++i) {
    set("Q1", i);
    pass(milliseconds(19));
  }
  const auto messages = journal_.all<model::LogMessage>();
  ASSERT_THAT(messages, SizeIs(1));
  EXPECT_EQ(messages[0].level, model::Level::kWarning);
  EXPECT_EQ(messages[0].source, "monitor");
  EXPECT_THAT(messages[0].text, HasSubstr("Q1 exceeds the storage guard's budget"));
  ASSERT_THAT(warnings(), SizeIs(1));
  EXPECT_EQ(warnings()[0], "the storage guard thins what is archived of Q1");
  EXPECT_EQ(figure("tidemark_monitor_guarded_channels"), 1);
  const auto rates = call<api::Rates>(rates_atom_v, api::RatesQuery{});
  ASSERT_THAT(rates.channels, testing::Not(IsEmpty()));
  EXPECT_EQ(rates.channels[0].address, "Q1");
  EXPECT_TRUE(rates.channels[0].guarded);

  pass(seconds(90));  // silent
  EXPECT_THAT(warnings(), IsEmpty());
  ASSERT_THAT(journal_.all<model::LogMessage>(), SizeIs(2));
  EXPECT_THAT(journal_.all<model::LogMessage>()[1].text, HasSubstr("within the storage guard's"));
  EXPECT_EQ(archived().back(), 12 * 50 - 1);
  EXPECT_EQ(archived().size() + hidden(), 1 + 12u * 50);
}

TEST_F(MonitorArchivingTest, ForecastsAndRefusesWhatIsNoQuestion) {
  follow({});
  for (int i = 0; i < 40; ++i) {
    set("Q1", i);
    pass(milliseconds(99));
  }
  const auto forecast =
      call<api::Forecast>(forecast_atom_v, api::ForecastQuery{{{}, rate(1)}, {{kQ1, 0, 1}}});
  ASSERT_THAT(forecast.rows, SizeIs(1));
  EXPECT_NEAR(forecast.rows[0].seen.updates_per_s, 10, 1);
  EXPECT_NEAR(forecast.rows[0].after.updates_per_s, 1, 0.01);
  for (const bool rates : {true, false}) {
    auto asked = std::make_shared<test::Asked>();
    const auto question = test::call_of(asked, "monitor", "?");
    if (rates) {
      tell(monitor_, rates_atom_v, question);
    } else {
      tell(monitor_, forecast_atom_v, question);
    }
    EXPECT_EQ(asked->answer->error().code, Code::kInvalidArgument);
  }
}

}  // namespace
}  // namespace tidemark::actors
