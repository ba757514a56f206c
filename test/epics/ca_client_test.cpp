// What only CaClient on a real IOC can show.

#include "epics/ca_client.h"

#include <gmock/gmock.h>

#include <atomic>
#include <numeric>

#include "test/epics/soft_ioc.h"
#include "test/epics/watcher.h"

namespace tidemark::epics {
namespace {

using model::ChannelId;
using model::EnumIndex;
using model::PvArray;
using model::PvValue;
using model::SharedArray;
using testing::HasSubstr;
using Event = model::PvUpdate::Event;

class CaClientTest : public testing::Test {
 protected:
  // Its callbacks use the watcher.
  ~CaClientTest() override { client_.reset(); }

  void open(const std::string& database, const std::vector<std::string>& addresses,
            CaOptions options = {}, const std::string& access = "") {
    ioc_ = std::make_unique<test::SoftIoc>(database, access);
    open_client(addresses, std::move(options));
  }
  void open_client(const std::vector<std::string>& addresses, CaOptions options = {}) {
    auto merged = ioc_->options();
    merged.limits = options.limits;
    merged.array_elements_max = options.array_elements_max;
    client_ = open_ca_client(merged, [this] { bell_.ring(); }).value();
    watcher_ = std::make_unique<test::Watcher>(*client_, bell_);
    std::vector<ChannelSpec> specs;
    for (const auto& address : addresses) {
      ids_[address] = ChannelId{static_cast<std::uint32_t>(specs.size() + 1)};
      specs.push_back({ids_[address], address});
    }
    client_->add(specs);
  }
  bool all_have_values() {
    return watcher_->until([this] {
      for (const auto& [address, id] : ids_) {
        if (watcher_->count(id, Event::kValue) == 0) return false;
      }
      return true;
    });
  }
  const PvValue& value(const std::string& address) { return watcher_->last(ids_.at(address)); }
  const model::PvMeta& meta(const std::string& address) {
    return *watcher_->of(ids_.at(address)).at(0).meta;
  }
  PutOutcome put(const std::string& address, PvValue value) {
    return watcher_->put({{ids_.at(address), std::move(value)}}).at(0);
  }
  bool becomes(const std::string& address, const PvValue& expected) {
    return watcher_->until([&] { return value(address) == expected; });
  }

  std::unique_ptr<test::SoftIoc> ioc_;
  test::Bell bell_;
  std::unique_ptr<Client> client_;
  std::unique_ptr<test::Watcher> watcher_;
  std::map<std::string, ChannelId> ids_;
};

template <class T>
PvValue array(std::vector<T> elements) {
  return SharedArray(PvArray(std::move(elements)));
}

constexpr const char* kTypes = R"(
record(ao, "D") { field(VAL, "0.1") field(PINI, "YES") field(EGU, "mm") field(PREC, "5")
  field(HIHI, "9") field(HIGH, "7") field(LOW, "-7") field(LOLO, "-9")
  field(HHSV, "MAJOR") field(HSV, "MINOR") field(LSV, "MINOR") field(LLSV, "MAJOR") }
record(ao, "PLAIN") { field(VAL, "1") field(PINI, "YES") }
record(longout, "L") { field(VAL, "-70000") field(PINI, "YES") }
record(mbbo, "M") { field(VAL, "2") field(PINI, "YES") field(ZRVL, "0") field(ONVL, "1")
  field(TWVL, "2") field(ZRST, "Stop") field(ONST, "Slow") field(TWST, "Fast") }
record(stringout, "S") { field(VAL, "hello") field(PINI, "YES") }
record(waveform, "WD") { field(FTVL, "DOUBLE") field(NELM, "100") }
record(waveform, "WF") { field(FTVL, "FLOAT") field(NELM, "1") }
record(waveform, "WFA") { field(FTVL, "FLOAT") field(NELM, "8") }
record(waveform, "WL") { field(FTVL, "LONG") field(NELM, "8") }
record(waveform, "WS") { field(FTVL, "SHORT") field(NELM, "8") }
record(waveform, "WS1") { field(FTVL, "SHORT") field(NELM, "1") }
record(waveform, "WC") { field(FTVL, "UCHAR") field(NELM, "8") }
record(waveform, "WC1") { field(FTVL, "UCHAR") field(NELM, "1") }
record(waveform, "WE") { field(FTVL, "ENUM") field(NELM, "4") }
record(waveform, "WT") { field(FTVL, "STRING") field(NELM, "4") }
record(lso, "TEXT") { field(SIZV, "200") }
)";

TEST_F(CaClientTest, CarriesEachNativeTypeBothWays) {
  open(kTypes, {"D", "L", "M", "S", "WD", "WF", "WFA", "WL", "WS", "WS1", "WC", "WC1", "WE", "WT",
                "TEXT.VAL$", "D.DESC$"});
  ASSERT_TRUE(all_have_values());
  EXPECT_EQ(value("D"), PvValue(0.1));
  EXPECT_EQ(value("L"), PvValue(std::int32_t{-70000}));
  EXPECT_EQ(value("M"), PvValue(EnumIndex{2}));
  EXPECT_EQ(value("S"), PvValue(std::string("hello")));
  EXPECT_EQ(value("WD"), array<double>({}));
  EXPECT_EQ(value("TEXT.VAL$"), PvValue(std::string()));

  const std::string long_text(150, 'x');
  std::vector<double> ramp(100);
  std::iota(ramp.begin(), ramp.end(), 0.5);
  const std::vector<std::pair<std::string, PvValue>> written = {
      {"D", -2.5},
      {"L", std::int32_t{123456}},
      {"M", EnumIndex{1}},
      {"S", std::string("world")},
      {"WD", array(ramp)},
      {"WF", 0.25f},
      {"WFA", array<float>({1.5f, -2.5f})},
      {"WL", array<std::int32_t>({1 << 30, -1})},
      {"WS", array<std::int16_t>({-32768, 32767})},
      {"WS1", std::int16_t{-5}},
      {"WC", array<std::uint8_t>({0, 255})},
      {"WC1", std::uint8_t{200}},
      {"WE", array<EnumIndex>({EnumIndex{3}, EnumIndex{1}})},
      {"WT", array<std::string>({"one", "", "three"})},
      {"TEXT.VAL$", long_text},
      {"D.DESC$", std::string("a magnet")}};
  for (const auto& [address, sent] : written) {
    const auto outcome = put(address, sent);
    EXPECT_EQ(outcome.state, PutState::kConfirmed) << address << ' ' << outcome.reason;
    EXPECT_TRUE(becomes(address, sent)) << address << ' ' << model::to_text(value(address));
    const auto read = watcher_->read({ids_.at(address)});
    EXPECT_EQ(read.at(0).update.value, sent) << address << ' ' << read.at(0).error;
  }
}

TEST_F(CaClientTest, TellsTypesUnitsLimitsAndLabels) {
  open(kTypes, {"D", "PLAIN", "M", "WD", "TEXT.VAL$", "WT"});
  ASSERT_TRUE(all_have_values());

  EXPECT_EQ(meta("D").units, "mm");
  EXPECT_EQ(meta("D").precision, 5);
  EXPECT_EQ(meta("D").alarm_limits, (model::Range{-9, 9}));
  EXPECT_EQ(meta("D").warning_limits, (model::Range{-7, 7}));
  EXPECT_EQ(meta("D").display_limits, std::nullopt);
  EXPECT_EQ(meta("PLAIN").alarm_limits, std::nullopt);
  EXPECT_EQ(meta("M").native_type, "enum");
  EXPECT_EQ(meta("M").labels, (std::vector<std::string>{"Stop", "Slow", "Fast"}));
  EXPECT_EQ(meta("WD").native_type, "double[]");
  EXPECT_EQ(meta("WD").count, 100u);
  EXPECT_EQ(meta("TEXT.VAL$").native_type, "string");
  EXPECT_EQ(meta("WT").native_type, "string[]");
}

TEST_F(CaClientTest, TellsAlarmsAndTheTimeOfTheIoc) {
  open(kTypes, {"D"});
  ASSERT_TRUE(all_have_values());
  const auto before = utc_now();

  put("D", 8.0);
  ASSERT_TRUE(becomes("D", 8.0));

  const auto& update = watcher_->of(ids_.at("D")).back();
  EXPECT_EQ(update.alarm.severity, model::Severity::kMinor);
  EXPECT_EQ(model::status_text(update.alarm.status), "HIGH");
  EXPECT_LT(std::chrono::abs(update.taken_at - before), std::chrono::minutes(1));
}

TEST_F(CaClientTest, RefusesWhatThePvCannotHold) {
  open(kTypes, {"L", "M", "WD", "S"});
  ASSERT_TRUE(all_have_values());

  EXPECT_THAT(put("L", 1.5).reason, HasSubstr("L: 1.5 is no long"));
  EXPECT_THAT(put("M", EnumIndex{3}).reason, HasSubstr("3 is none of its 3 states"));
  EXPECT_THAT(put("S", std::string(40, 's')).reason, HasSubstr("40 bytes"));
  EXPECT_THAT(put("WD", array(std::vector<double>(101))).reason, HasSubstr("101 elements"));
  EXPECT_EQ(put("L", 3.0).state, PutState::kConfirmed);
  EXPECT_EQ(put("M", std::string("Fast")).state, PutState::kConfirmed);
}

TEST_F(CaClientTest, ConnectsWhatItMayNotReadWithoutAValue) {
  open("record(ao, \"HIDDEN\") { field(ASG, \"HIDDEN\") field(EGU, \"A\") }", {"HIDDEN"}, {},
       "ASG(DEFAULT) { RULE(1, WRITE) }\nASG(HIDDEN) { RULE(1, NONE) }");
  const auto id = ids_.at("HIDDEN");
  ASSERT_TRUE(watcher_->until([&] { return watcher_->count(id, Event::kConnected) == 1; }));

  EXPECT_FALSE(meta("HIDDEN").readable);
  EXPECT_FALSE(meta("HIDDEN").writable);
  EXPECT_EQ(meta("HIDDEN").native_type, "double");
  ASSERT_TRUE(watcher_->until([&] { return client_->status().connected == 1; }));
  EXPECT_NE(watcher_->read({id}).at(0).error, "");
  EXPECT_EQ(put("HIDDEN", 1.0).reason, "HIDDEN: no write access");
  EXPECT_EQ(watcher_->count(id, Event::kValue), 0u);
}

TEST_F(CaClientTest, CutsArraysThatAreTooLong) {
  CaOptions options;
  options.array_elements_max = 10;
  open(kTypes, {"WD"}, options);
  ASSERT_TRUE(all_have_values());

  put("WD", array(std::vector<double>(50, 1.0)));

  EXPECT_TRUE(becomes("WD", array(std::vector<double>(10, 1.0))));
}

std::string many(std::size_t count) {
  std::string database;
  for (std::size_t i = 0; i < count; ++i) {
    database += "record(ao, \"N:" + std::to_string(i) + "\") { field(PINI, \"YES\") }\n";
  }
  return database;
}

TEST_F(CaClientTest, ConfirmsFiveThousandPuts) {
  std::vector<std::string> addresses;
  for (int i = 0; i < 5000; ++i) addresses.push_back("N:" + std::to_string(i));
  open(many(5000), addresses);
  ASSERT_TRUE(all_have_values());
  std::vector<Put> puts;
  for (const auto& [address, id] : ids_) puts.push_back({id, double(model::raw(id))});

  const auto outcomes = watcher_->put(puts);

  ASSERT_EQ(outcomes.size(), 5000u);
  for (const auto& each : outcomes) ASSERT_EQ(each.state, PutState::kConfirmed) << each.reason;
  EXPECT_TRUE(watcher_->until([&] {
    for (const auto& [address, id] : ids_) {
      if (watcher_->last(id) != PvValue(double(model::raw(id)))) return false;
    }
    return true;
  }));
}

TEST_F(CaClientTest, ConnectsLivingNamesAmongManyDeadOnes) {
  std::vector<std::string> addresses;
  for (int i = 0; i < 5000; ++i) {
    addresses.push_back("N:" + std::to_string(i));
    if (i % 5 == 0) addresses.push_back("DEAD:" + std::to_string(i));
  }
  ioc_ = std::make_unique<test::SoftIoc>(many(5000));
  open_client({"N:0"});  // The IOC is up.
  ASSERT_TRUE(all_have_values());

  ids_.clear();
  const auto start = steady_now();
  open_client(addresses);
  ASSERT_TRUE(watcher_->until([&] { return client_->status().connected == 5000; }));

  // libca alone finds some 800 names a second then, and would take six seconds.
  EXPECT_LT(steady_now() - start, std::chrono::seconds(5));
  EXPECT_EQ(client_->status().never_connected, 1000u);
}

TEST_F(CaClientTest, FindsAnIocThatStartsLater) {
  ioc_ = std::make_unique<test::SoftIoc>(many(100));
  ioc_->kill();
  std::vector<std::string> addresses;
  for (int i = 0; i < 100; ++i) addresses.push_back("N:" + std::to_string(i));
  open_client(addresses);
  ASSERT_TRUE(watcher_->until([&] { return client_->status().channels == 100; }));

  ioc_->start();

  EXPECT_TRUE(all_have_values());
  EXPECT_EQ(client_->status().never_connected, 0u);
}

/// Its puts complete after ten seconds.
constexpr const char* kSlow = R"(
record(ao, "SLOW") { field(OUT, "DELAY.A CA PP") field(FLNK, "") field(PINI, "NO") field(VAL, "0") }
record(calcout, "DELAY") { field(ODLY, "10") field(CALC, "A") field(OUT, "SINK PP") }
record(ao, "SINK") {}
)";

TEST_F(CaClientTest, DoesNotKnowWhatBecameOfAPutWhenTheIocDies) {
  open(kSlow, {"DELAY.A", "DELAY.PROC"});
  ASSERT_TRUE(all_have_values());
  std::vector<PutOutcome> outcomes;
  std::mutex mutex;

  // The first takes ten seconds, the second waits for it.
  const auto id = ids_.at("DELAY.PROC");
  client_->put({{id, 1.0}, {id, 1.0}}, std::chrono::seconds(20), [&](auto some) {
    const std::lock_guard lock(mutex);
    outcomes.insert(outcomes.end(), some.begin(), some.end());
    bell_.ring();
  });
  ASSERT_TRUE(watcher_->until([&] { return client_->status().puts_in_flight == 1; }));
  watcher_->read({id});  // So the put has arrived.
  ioc_->kill();

  ASSERT_TRUE(watcher_->until([&] {
    const std::lock_guard lock(mutex);
    return outcomes.size() == 2;
  }));
  EXPECT_EQ(outcomes[0].state, PutState::kUnknown);
  EXPECT_THAT(outcomes[0].reason, HasSubstr("DELAY.PROC: the connection was lost"));
  EXPECT_EQ(outcomes[1].state, PutState::kRefused);
}

TEST_F(CaClientTest, DoesNotKnowWhatBecameOfAPutAfterItsDeadline) {
  open(kSlow, {"DELAY.PROC"});
  ASSERT_TRUE(all_have_values());

  const auto outcomes =
      watcher_->put({{ids_.at("DELAY.PROC"), 1.0}}, std::chrono::milliseconds(200));

  ASSERT_EQ(outcomes.size(), 1u);
  EXPECT_EQ(outcomes[0].state, PutState::kUnknown);
  EXPECT_EQ(outcomes[0].reason, "DELAY.PROC: no answer in time");
}

TEST_F(CaClientTest, AnswersAReadOfAFrozenIocAtTheDeadline) {
  open(kTypes, {"D", "L"});
  ASSERT_TRUE(all_have_values());
  ioc_->freeze();

  const auto outcomes =
      watcher_->read({ids_.at("D"), ids_.at("L")}, std::chrono::milliseconds(200));

  ASSERT_EQ(outcomes.size(), 2u);
  EXPECT_EQ(outcomes[0].error, "no answer in time");
  ioc_->resume();
  EXPECT_EQ(watcher_->read({ids_.at("D")}).at(0).update.value, PvValue(0.1));
}

TEST_F(CaClientTest, AnswersEverythingWhenItIsClosed) {
  open(kSlow, {"DELAY.PROC", "SINK"});
  ASSERT_TRUE(all_have_values());
  std::vector<PutOutcome> puts;
  std::vector<ReadOutcome> reads;
  const auto id = ids_.at("DELAY.PROC");
  client_->put({{id, 1.0}, {id, 1.0}}, std::chrono::seconds(20),
               [&](auto some) { puts.insert(puts.end(), some.begin(), some.end()); });
  ASSERT_TRUE(watcher_->until([&] { return client_->status().puts_in_flight == 1; }));
  ioc_->freeze();
  client_->read({ids_.at("SINK")}, std::chrono::seconds(20), [&](auto some) { reads = some; });

  client_.reset();

  ASSERT_EQ(puts.size(), 2u);
  EXPECT_EQ(puts[0].state, PutState::kUnknown);
  EXPECT_EQ(puts[1].state, PutState::kRefused);
  ASSERT_EQ(reads.size(), 1u);
  EXPECT_NE(reads[0].error, "");
}

}  // namespace
}  // namespace tidemark::epics
