// kv list, get, set, watch.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "test/tools/lab.h"

namespace tidemark::tools {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

class KvCommand : public testing::Test {
 protected:
  void SetUp() override {
    lab_.start("psu.1", [this](Subsystem& made) {
      current_ = made.publish<double>("current", {.unit = "A"});
      setpoint_ =
          made.writable<double>("setpoint", {.unit = "A", .range = KeyOptions::Range{0, 100}});
      setpoint_->on_write(
          [this](double) { return interlock_ ? reject("interlock open") : accept(); });
      made.writable<Value>("mode", {.type = model::kv::enum_of({"off", "on"})});
      made.publish<std::vector<double>>("trace");
      const auto serial = made.publish<std::string>("serial", {.published = false});
      (void)serial.set("SN 42");
    });
    (void)current_->set(1.5);
  }

  Lab lab_;
  std::atomic<bool> interlock_{false};
  std::optional<Published<double>> current_;
  std::optional<Writable<double>> setpoint_;
};

// ---- list ---------------------------------------------------------------------------------------

TEST_F(KvCommand, ListShowsTypeUnitAccessAndValue) {
  const auto ran = lab_.run({"kv", "list"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(ran.out, testing::ContainsRegex("psu.1/current +double +A +read watch +1.5\n"));
  EXPECT_THAT(ran.out, testing::ContainsRegex("psu.1/setpoint +double +A +read write watch +-\n"));
  EXPECT_THAT(ran.out, testing::ContainsRegex("psu.1/mode +enum.off.on. +read write watch +-\n"));
  EXPECT_THAT(ran.out, testing::ContainsRegex("psu.1/serial +string +read +SN 42\n"));
}

TEST_F(KvCommand, ListTakesASubsystemOrAPattern) {
  lab_.start("psu.2", [](Subsystem& made) { made.publish<double>("current"); });
  EXPECT_EQ(lab_.run({"kv", "list", "psu.2"}).lines().size(), 2u);
  EXPECT_EQ(lab_.run({"kv", "list", "*/current"}).lines().size(), 3u);
}

TEST_F(KvCommand, ListGivesOneDocumentForEachKey) {
  const auto documents = lab_.run({"kv", "list", "psu.1/c*", "--json"}).documents();
  ASSERT_EQ(documents.size(), 1u);
  EXPECT_EQ(documents[0].at("key"), "psu.1/current");
  EXPECT_EQ(documents[0].at("value"), 1.5);
  EXPECT_EQ(documents[0].at("writable"), false);
  EXPECT_EQ(documents[0].at("quality"), "good");
  EXPECT_EQ(documents[0].at("error"), nullptr);
}

TEST_F(KvCommand, ListShowsTheKeysOfWhoIsGoneWithoutValues) {
  lab_.stop("psu.1");
  const auto ran = lab_.run({"kv", "list"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(ran.out, testing::ContainsRegex("psu.1/current +double +A +read watch +stopped\n"));
}

TEST_F(KvCommand, ListFailsWhenNothingMatches) {
  const auto ran = lab_.run({"kv", "list", "psu.l/current"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_EQ(ran.err, "tidemark: no key matches 'psu.l/current'; did you mean 'psu.1'?\n");
}

// ---- get ----------------------------------------------------------------------------------------

TEST_F(KvCommand, GetShowsValueUnitTimeQualityAndWriter) {
  ASSERT_EQ(lab_.run({"kv", "set", "psu.1/setpoint", "4"}).exit, 0);
  const auto ran = lab_.run({"kv", "get", "psu.1/setpoint", "psu.1/current"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(ran.out, testing::ContainsRegex("psu.1/setpoint +4 +A +20.* +good +ada@console\n"));
  EXPECT_THAT(ran.out, testing::ContainsRegex("psu.1/current +1.5 +A +20.* +good\n"));
}

TEST_F(KvCommand, GetGivesOneDocumentForEachKey) {
  const auto documents = lab_.run({"kv", "get", "psu.1/current", "psu.1/c*", "--json"}).documents();
  ASSERT_EQ(documents.size(), 1u) << "a name and a pattern may mean the same key";
  EXPECT_EQ(documents[0].at("key"), "psu.1/current");
  EXPECT_EQ(documents[0].at("type"), "double");
  EXPECT_EQ(documents[0].at("unit"), "A");
  EXPECT_EQ(documents[0].at("value"), 1.5);
  EXPECT_EQ(documents[0].at("sequence"), 1);
}

TEST_F(KvCommand, GetAsksTheOwnerNow) {
  current_->on_read([]() -> Result<double> { return 7.25; });
  EXPECT_THAT(lab_.run({"kv", "get", "psu.1/current"}).out, HasSubstr("7.25"));
}

TEST_F(KvCommand, GetSaysWhyAnOwnerDoesNotAnswerAndShowsTheOthers) {
  current_->on_read([]() -> Result<double> { return Error{Code::kRefused, "meter unplugged"}; });
  const auto ran = lab_.run({"kv", "get", "psu.1/current", "psu.1/serial"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_EQ(ran.err, "tidemark: psu.1/current: meter unplugged\n");
  EXPECT_THAT(ran.out, HasSubstr("SN 42"));
}

TEST_F(KvCommand, GetHintsAtTheNearestKeyAndTheNearestSubsystem) {
  auto ran = lab_.run({"kv", "get", "psu.1/curent"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_EQ(ran.err, "tidemark: psu.1 has no key 'curent'; did you mean 'psu.1/current'?\n");
  ran = lab_.run({"kv", "get", "psu.11/current"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_EQ(ran.err, "tidemark: nobody on the bus is called 'psu.11'; did you mean 'psu.1'?\n");
}

TEST_F(KvCommand, GetExplainsWhatAKeyLooksLike) {
  EXPECT_THAT(lab_.run({"kv", "get", "current"}).err, HasSubstr("did you mean 'psu.1/current'?"));
  EXPECT_THAT(lab_.run({"kv", "get", "psu.1"}).err, HasSubstr("'psu.1/*'"));
  EXPECT_EQ(lab_.run({"kv", "get", "current"}).exit, 2);
  EXPECT_THAT(lab_.run({"kv", "get", "journal/x"}).err, HasSubstr("node of Tidemark"));
}

TEST_F(KvCommand, GetExitsWithThreeWhenTheOwnerIsGone) {
  lab_.kill("psu.1");
  const auto ran = lab_.run_while({"kv", "get", "psu.1/current", "--timeout", "2s"}, [] {});
  EXPECT_EQ(ran.exit, 3) << ran.err;
}

TEST_F(KvCommand, GetHasWordsForWhatJsonHasNoNumberFor) {
  const auto nan = std::numeric_limits<double>::quiet_NaN();
  const auto inf = std::numeric_limits<double>::infinity();
  lab_.start("odd", [&](Subsystem& made) {
    (void)made.publish<double>("scalar").set(nan);
    (void)made.publish<std::vector<double>>("array").set({1, -inf});
    (void)made
        .publish<Value>("struct",
                        {.type = model::kv::parse_type("{x: double, d: duration}").value()})
        .set(Struct{{"x", inf}, {"d", 20ns}});
  });
  const auto documents = lab_.run({"kv", "get", "odd/*", "--json"}).documents();
  ASSERT_EQ(documents.size(), 3u);
  EXPECT_EQ(documents[0].at("value"), nullptr);
  EXPECT_EQ(documents[0].at("special"), "nan");
  EXPECT_EQ(documents[1].at("value"), (Json{1.0, nullptr}));
  EXPECT_EQ(documents[1].at("special").at("1"), "-inf");
  EXPECT_EQ(documents[2].at("value").at("d"), 20);
  EXPECT_EQ(documents[2].at("special").at("x"), "inf");
}

// ---- set ----------------------------------------------------------------------------------------

TEST_F(KvCommand, SetSaysWhatWasAccepted) {
  const auto ran = lab_.run({"kv", "set", "psu.1/setpoint", "4.25"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(ran.out, "psu.1/setpoint is 4.25 A\n");
  EXPECT_EQ(setpoint_->value(), 4.25);
}

TEST_F(KvCommand, SetReadsTheValueByTheTypeOfTheKey) {
  const auto documents = lab_.run({"kv", "set", "psu.1/mode", "on", "--json"}).documents();
  ASSERT_EQ(documents.size(), 1u);
  EXPECT_EQ(documents[0].at("value"), 1);
  EXPECT_EQ(documents[0].at("label"), "on");
  EXPECT_EQ(documents[0].at("writer"), "ada@console");
}

TEST_F(KvCommand, SetShowsTheOwnersReason) {
  interlock_ = true;
  const auto ran = lab_.run({"kv", "set", "psu.1/setpoint", "4"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_EQ(ran.err, "tidemark: psu.1/setpoint: interlock open\n");
  EXPECT_EQ(ran.out, "");
}

TEST_F(KvCommand, SetRefusesWhatIsNoValueOfTheKey) {
  auto ran = lab_.run({"kv", "set", "psu.1/setpoint", "much"});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_THAT(ran.err, HasSubstr("psu.1/setpoint is of type double"));
  ran = lab_.run({"kv", "set", "psu.1/setpoint", "140"});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_EQ(ran.err, "tidemark: psu.1/setpoint: 140 A is above the limit of 100 A\n");
  ran = lab_.run({"kv", "set", "psu.1/setpoint", "-1"});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_THAT(ran.err, HasSubstr("below the limit"));
}

TEST_F(KvCommand, SetRefusesAKeyThatCannotBeWritten) {
  const auto ran = lab_.run({"kv", "set", "psu.1/current", "4"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_EQ(ran.err, "tidemark: psu.1/current cannot be written\n");
}

TEST_F(KvCommand, SetHintsAtTheNearestKey) {
  const auto ran = lab_.run({"kv", "set", "psu.1/setpont", "4"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.err, HasSubstr("did you mean 'psu.1/setpoint'?"));
}

TEST_F(KvCommand, SetThatNobodyAnswersIsUnknown) {
  setpoint_->on_write([](double) {
    std::this_thread::sleep_for(300ms);
    return accept();
  });
  const auto ran = lab_.run({"kv", "set", "psu.1/setpoint", "4", "--timeout", "50ms"});
  EXPECT_EQ(ran.exit, 4) << ran.err;
}

// ---- watch --------------------------------------------------------------------------------------

TEST_F(KvCommand, WatchShowsTheValueNowAndThenEveryChange) {
  double next = 2;
  const auto ran =
      lab_.run_while({"kv", "watch", "psu.1/current", "--all", "--count", "5", "--json"},
                     [&] { (void)current_->set(next++); });
  EXPECT_EQ(ran.exit, 0) << ran.err;
  const auto documents = ran.documents();
  ASSERT_EQ(documents.size(), 5u);
  EXPECT_EQ(documents[0].at("key"), "psu.1/current");
  EXPECT_EQ(documents[0].at("unit"), "A");
  for (std::size_t i = 1; i < documents.size(); ++i) {
    EXPECT_EQ(documents[i].at("sequence"), documents[i - 1].at("sequence").get<int>() + 1);
    EXPECT_EQ(documents[i].at("missed"), 0);
  }
}

TEST_F(KvCommand, WatchShowsALineForPeople) {
  const auto ran = lab_.run({"kv", "watch", "psu.*", "--count", "1"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(ran.out, testing::MatchesRegex("20.*Z  psu.1/current  1.5 A\n"));
}

TEST_F(KvCommand, WatchNamesTheWriter) {
  const auto ran = lab_.run_while({"kv", "watch", "psu.1/setpoint", "--count", "1"}, [&] {
    (void)lab_.run({"kv", "set", "psu.1/setpoint", "4"});
  });
  EXPECT_THAT(ran.out, HasSubstr("psu.1/setpoint  4 A  by ada@console\n"));
}

TEST_F(KvCommand, WatchShowsTheLastValueAsDisconnectedWhenItsOwnerGoes) {
  bool there = true;
  const auto ran = lab_.run({"kv", "watch", "psu.1/current", "--count", "2", "--json"}, [&] {
    if (std::exchange(there, false)) lab_.stop("psu.1");
  });
  const auto documents = ran.documents();
  ASSERT_EQ(documents.size(), 2u);
  EXPECT_EQ(documents[0].at("quality"), "good");
  EXPECT_EQ(documents[1].at("quality"), "disconnected");
  EXPECT_EQ(documents[1].at("value"), 1.5);
}

TEST_F(KvCommand, WatchWaitsForWhatIsNotThereYetAndSaysSo) {
  const auto ran = lab_.run({"kv", "watch", "psu.1/curent", "psu.1/serial", "--for", "50ms"});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, HasSubstr("psu.1 has no key 'curent'; did you mean 'psu.1/current'?; wai"));
  EXPECT_THAT(ran.err, HasSubstr("psu.1/serial is not published"));
}

TEST_F(KvCommand, WatchShowsAKeyThatComesLater) {
  bool started = false;
  const auto ran = lab_.run_while({"kv", "watch", "laser/power", "--count", "1"}, [&] {
    if (std::exchange(started, true)) return;
    lab_.start("laser", [](Subsystem& made) { (void)made.publish<int>("power").set(3); });
  });
  EXPECT_THAT(ran.out, HasSubstr("laser/power  3\n"));
}

TEST_F(KvCommand, WatchShowsWhatTheJournalRecordedWithItsLines) {
  const auto power =
      lab_.start("rf").publish<int>("power", {.published = false, .journaled = true});
  for (int i = 1; i <= 3; ++i) (void)power.set(i);
  const auto documents =
      lab_.run({"kv", "watch", "rf/power", "--durable", "--from", "1", "--count", "3", "--json"})
          .documents();
  ASSERT_EQ(documents.size(), 3u);
  for (int i = 0; i < 3; ++i) {
    const auto& document = documents[static_cast<std::size_t>(i)];
    EXPECT_EQ(document.at("value"), i + 1);
    EXPECT_EQ(document.at("missed"), 0);
  }
  const auto line = documents[1].at("line").get<std::uint64_t>();
  EXPECT_LT(documents[0].at("line").get<std::uint64_t>(), line);
  const auto second = lab_.run({"kv", "watch", "rf/power", "--durable", "--from",
                                "@" + std::to_string(line), "--count", "1"});
  EXPECT_THAT(second.out, HasSubstr("rf/power  2  line " + std::to_string(line) + "\n"));
  EXPECT_EQ(second.err, "");
}

TEST_F(KvCommand, WatchGoesOnBehindLinesThatHaveExpired) {
  auto& rf = lab_.start("rf");
  const auto power = rf.publish<int>("power", {.published = false, .journaled = true});
  model::Expired expired;
  expired.of = "kv_updates";
  expired.last = 9;
  ASSERT_TRUE(rf.session()->record(expired).ok());
  (void)power.set(7);
  const auto ran =
      lab_.run({"kv", "watch", "rf/power", "--durable", "--from", "1", "--count", "1"});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_THAT(ran.out, HasSubstr("rf/power  7  line "));
  EXPECT_THAT(ran.err, HasSubstr("expired"));
}

TEST_F(KvCommand, WatchSaysWhichKeysAreNotJournaled) {
  ASSERT_EQ(lab_.run({"kv", "set", "psu.1/setpoint", "4"}).exit, 0);
  const auto ran = lab_.run({"kv", "watch", "psu.1/*", "--durable", "--from", "1", "--count", "1"});
  EXPECT_THAT(ran.out, HasSubstr("psu.1/setpoint  4 A  by "));
  EXPECT_THAT(ran.err, HasSubstr("psu.1/current is not journaled"));
  EXPECT_THAT(ran.err, HasSubstr("psu.1/setpoint is not journaled"));
}

TEST_F(KvCommand, WatchTakesABeginningOnlyOfTheJournal) {
  EXPECT_EQ(lab_.run({"kv", "watch", "psu.1/current", "--from", "1"}).exit, 2);
  EXPECT_EQ(lab_.run({"kv", "watch", "psu.1/current", "--durable", "--all"}).exit, 2);
  const auto ran = lab_.run({"kv", "watch", "psu.1/current", "--durable", "--from", "14:61"});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_THAT(ran.err, HasSubstr("--from: "));
}

}  // namespace
}  // namespace tidemark::tools
