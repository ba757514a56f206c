// What every epics::Client keeps, on the fake and on libca with a real IOC.

#include <gmock/gmock.h>

#include "epics/ca_client.h"
#include "test/epics/soft_ioc.h"
#include "test/epics/watcher.h"
#include "test/support/fake_ioc.h"

namespace tidemark::epics {
namespace {

using model::ChannelId;
using model::PvValue;
using test::Watcher;
using testing::HasSubstr;
using Event = model::PvUpdate::Event;

constexpr ChannelId kCurrent{1};
constexpr ChannelId kSwitch{2};
constexpr ChannelId kReadOnly{3};
constexpr ChannelId kMissing{4};

constexpr const char* kDatabase = R"(
record(ao, "T:CURRENT") {
  field(VAL, "1.5") field(PINI, "YES") field(EGU, "A") field(PREC, "3")
  field(HOPR, "10") field(LOPR, "-10") field(DRVH, "8") field(DRVL, "-8")
}
record(bo, "T:SWITCH") { field(VAL, "1") field(PINI, "YES") field(ZNAM, "Off") field(ONAM, "On") }
record(ao, "T:LIMITED") { field(VAL, "3") field(PINI, "YES") field(ASG, "READONLY") }
)";
constexpr const char* kAccess = R"(
ASG(DEFAULT) { RULE(1, WRITE) }
ASG(READONLY) { RULE(1, READ) }
)";

/// A client, and the machine that it sees.
struct Site {
  virtual ~Site() = default;
  virtual Client& client() = 0;
  virtual void lose() = 0;
  virtual void bring_back() = 0;

  test::Bell bell;
};

struct FakeSite final : Site {
  FakeSite() {
    model::PvMeta current;
    current.units = "A";
    current.precision = 3;
    current.display_limits = {-10, 10};
    current.control_limits = {-8, 8};
    ioc.define("T:CURRENT", 1.5, current);
    model::PvMeta toggle;
    toggle.labels = {"Off", "On"};
    ioc.define("T:SWITCH", model::EnumIndex{1}, toggle);
    model::PvMeta limited;
    limited.writable = false;
    ioc.define("T:LIMITED", 3.0, limited);
  }
  Client& client() override { return ioc; }
  void lose() override { ioc.disconnect_all(); }
  void bring_back() override { ioc.connect_all(); }

  test::FakeIoc ioc{[this] { bell.ring(); }};
};

struct CaSite final : Site {
  CaSite() : ioc(kDatabase, kAccess) {
    opened = open_ca_client(ioc.options(), [this] { bell.ring(); }).value();
  }
  Client& client() override { return *opened; }
  void lose() override { ioc.kill(); }
  void bring_back() override { ioc.start(); }

  test::SoftIoc ioc;
  std::unique_ptr<Client> opened;
};

struct SiteKind {
  const char* name;
  std::unique_ptr<Site> (*make)();
};

class ClientContract : public testing::TestWithParam<SiteKind> {
 protected:
  void add_all() {
    client().add({{kCurrent, "T:CURRENT"},
                  {kSwitch, "T:SWITCH"},
                  {kReadOnly, "T:LIMITED"},
                  {kMissing, "T:MISSING"}});
    ASSERT_TRUE(watcher_.until(
        [&] { return has_value(kCurrent) && has_value(kSwitch) && has_value(kReadOnly); }));
  }
  bool has_value(ChannelId id) { return watcher_.count(id, Event::kValue) > 0; }
  Client& client() { return site_->client(); }

  std::unique_ptr<Site> site_ = GetParam().make();
  Watcher watcher_{site_->client(), site_->bell};
};

TEST_P(ClientContract, TellsWhatAPvIsBeforeItsFirstValue) {
  add_all();

  const auto& first = watcher_.of(kCurrent).at(0);
  ASSERT_EQ(first.event, Event::kConnected);
  ASSERT_NE(first.meta, nullptr);
  EXPECT_EQ(first.meta->native_type, "double");
  EXPECT_EQ(first.meta->count, 1u);
  EXPECT_EQ(first.meta->units, "A");
  EXPECT_EQ(first.meta->precision, 3);
  EXPECT_EQ(first.meta->display_limits, (model::Range{-10, 10}));
  EXPECT_EQ(first.meta->control_limits, (model::Range{-8, 8}));
  EXPECT_FALSE(first.meta->host.empty());
  EXPECT_EQ(watcher_.of(kCurrent).at(1).event, Event::kValue);
  EXPECT_EQ(watcher_.last(kCurrent), PvValue(1.5));
  EXPECT_EQ(watcher_.of(kSwitch).at(0).meta->labels, (std::vector<std::string>{"Off", "On"}));
  EXPECT_EQ(watcher_.last(kSwitch), PvValue(model::EnumIndex{1}));
}

TEST_P(ClientContract, CountsItsChannels) {
  add_all();

  const auto status = client().status();

  EXPECT_EQ(status.channels, 4u);
  EXPECT_EQ(status.connected, 3u);
  EXPECT_EQ(status.never_connected, 1u);
  EXPECT_GE(status.updates, 6u);
}

TEST_P(ClientContract, ConfirmsAPutThatTheMonitorThenSees) {
  add_all();

  const auto outcomes = watcher_.put({{kCurrent, 2.25}, {kSwitch, std::string("Off")}});

  ASSERT_EQ(outcomes.size(), 2u);
  for (const auto& each : outcomes) EXPECT_EQ(each.state, PutState::kConfirmed) << each.reason;
  EXPECT_TRUE(watcher_.until([&] {
    return watcher_.last(kCurrent) == PvValue(2.25) &&
           watcher_.last(kSwitch) == PvValue(model::EnumIndex{0});
  }));
}

TEST_P(ClientContract, KeepsTheOrderOfPutsToOneChannel) {
  add_all();
  std::vector<Put> puts;
  for (int i = 1; i <= 50; ++i) puts.push_back({kCurrent, i * 0.125});

  const auto outcomes = watcher_.put(puts);

  ASSERT_EQ(outcomes.size(), 50u);
  EXPECT_TRUE(watcher_.until([&] { return watcher_.last(kCurrent) == PvValue(6.25); }));
  double before = 0;
  for (const auto& update : watcher_.of(kCurrent)) {
    if (update.event != Event::kValue || update.value == PvValue(1.5)) continue;
    EXPECT_GT(std::get<double>(update.value), before);
    before = std::get<double>(update.value);
  }
}

TEST_P(ClientContract, RefusesAPutThatCannotBeSent) {
  add_all();

  const auto outcomes = watcher_.put({{ChannelId{99}, 1.0},
                                      {kMissing, 1.0},
                                      {kReadOnly, 1.0},
                                      {kCurrent, std::string("much")},
                                      {kSwitch, std::string("Half")}});

  ASSERT_EQ(outcomes.size(), 5u);
  for (const auto& each : outcomes) EXPECT_EQ(each.state, PutState::kRefused);
  EXPECT_EQ(outcomes[0].reason, "channel 99 is not known");
  EXPECT_EQ(outcomes[1].reason, "T:MISSING is not connected");
  EXPECT_EQ(outcomes[2].reason, "T:LIMITED: no write access");
  EXPECT_THAT(outcomes[3].reason, HasSubstr("T:CURRENT: 'much'"));
  EXPECT_THAT(outcomes[4].reason, HasSubstr("T:SWITCH: 'Half'"));
}

TEST_P(ClientContract, ReadsFreshValuesInTheOrderAsked) {
  add_all();
  watcher_.put({{kCurrent, 4.5}});

  const auto outcomes = watcher_.read({kMissing, kCurrent, ChannelId{99}, kSwitch});

  ASSERT_EQ(outcomes.size(), 4u);
  EXPECT_EQ(outcomes[0].update.channel, kMissing);
  EXPECT_EQ(outcomes[0].error, "T:MISSING is not connected");
  EXPECT_EQ(outcomes[1].error, "");
  EXPECT_EQ(outcomes[1].update.channel, kCurrent);
  EXPECT_EQ(outcomes[1].update.value, PvValue(4.5));
  EXPECT_EQ(outcomes[2].error, "channel 99 is not known");
  EXPECT_EQ(outcomes[3].update.value, PvValue(model::EnumIndex{1}));
}

TEST_P(ClientContract, TellsNothingOfARemovedChannel) {
  add_all();
  watcher_.put({{kCurrent, 5.0}});

  client().remove({kCurrent, ChannelId{77}});
  watcher_.forget();
  const auto outcomes = watcher_.put({{kCurrent, 6.0}, {kSwitch, 0.0}});

  EXPECT_EQ(outcomes.at(0).reason, "channel 1 is not known");
  ASSERT_TRUE(watcher_.until([&] { return has_value(kSwitch); }));
  EXPECT_TRUE(watcher_.of(kCurrent).empty());
  EXPECT_EQ(client().status().channels, 3u);
}

TEST_P(ClientContract, ReplacesAChannelOfTheSameId) {
  add_all();
  watcher_.forget();

  client().add({{kCurrent, "T:SWITCH"}});

  ASSERT_TRUE(watcher_.until([&] { return has_value(kCurrent); }));
  EXPECT_EQ(watcher_.of(kCurrent).at(0).event, Event::kConnected);
  EXPECT_EQ(watcher_.of(kCurrent).at(0).meta->native_type, "enum");
  EXPECT_EQ(watcher_.last(kCurrent), PvValue(model::EnumIndex{1}));
  EXPECT_EQ(client().status().channels, 4u);
}

TEST_P(ClientContract, TellsThatTheConnectionWentAndCameBack) {
  add_all();
  watcher_.forget();

  site_->lose();
  ASSERT_TRUE(watcher_.until([&] {
    return watcher_.count(kCurrent, Event::kDisconnected) == 1 &&
           watcher_.count(kSwitch, Event::kDisconnected) == 1;
  }));
  EXPECT_TRUE(watcher_.until([&] { return client().status().connected == 0; }));
  EXPECT_EQ(watcher_.put({{kCurrent, 1.0}}).at(0).reason, "T:CURRENT is not connected");

  site_->bring_back();
  ASSERT_TRUE(watcher_.until([&] { return has_value(kCurrent) && has_value(kSwitch); }));
  const auto& updates = watcher_.of(kCurrent);
  ASSERT_EQ(updates.size(), 3u);
  EXPECT_EQ(updates[0].event, Event::kDisconnected);
  EXPECT_EQ(updates[1].event, Event::kConnected);
  EXPECT_EQ(updates[2].event, Event::kValue);
  EXPECT_EQ(client().status().never_connected, 1u);
}

INSTANTIATE_TEST_SUITE_P(
    , ClientContract,
    testing::Values(
        SiteKind{"FakeIoc", []() -> std::unique_ptr<Site> { return std::make_unique<FakeSite>(); }},
        SiteKind{"CaClient", []() -> std::unique_ptr<Site> { return std::make_unique<CaSite>(); }}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace tidemark::epics
