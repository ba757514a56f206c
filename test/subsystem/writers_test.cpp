// test/subsystem/writers_test.cpp
//
// Keys that are written and read, and what their handlers may do.

#include <gmock/gmock.h>

#include <array>
#include <atomic>
#include <cmath>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "subsystem_fixture.h"

namespace tidemark {
namespace {

using namespace std::chrono_literals;
using test::eventually;
using testing::ElementsAre;
using testing::HasSubstr;

class Writers : public test::SubsystemTest {};

TEST_F(Writers, WriterLearnsThatHisValueWasAccepted) {
  Subsystem psu{"psu.1"};
  const auto setpoint = psu.writable<double>("setpoint", {.unit = "A", .range = {{0, 100}}});
  std::string writer;
  setpoint.on_write([&](double, const std::string& who) {
    writer = who;
    return accept();
  });
  join(psu);
  Subsystem other{"control"};
  join(other);

  const auto written = other.key<double>("psu.1/setpoint").set(12.5);
  ASSERT_TRUE(written.ok()) << written.error().message;
  EXPECT_EQ(setpoint.value(), 12.5);
  EXPECT_EQ(writer, "control");
  EXPECT_EQ(other.key<double>("psu.1/setpoint").get().value(), 12.5);
  ASSERT_TRUE(eventually([&] { return site_.recorded<model::KvUpdate>().size() == 1; }));
  const auto record = site_.recorded<model::KvUpdate>()[0];
  EXPECT_EQ(record.key, "psu.1/setpoint");
  EXPECT_EQ(record.value, Value(12.5));
  EXPECT_EQ(record.writer, "control");
}

TEST_F(Writers, WriterLearnsTheReasonWhyNot) {
  Subsystem psu{"psu.1"};
  const auto setpoint = psu.writable<double>("setpoint", {.unit = "A", .range = {{0, 100}}});
  setpoint.on_write([](double) { return reject("interlock open"); });
  psu.publish<double>("current");
  join(psu);
  Client client;
  join_client(client);
  ASSERT_TRUE(sees(client, "psu.1"));

  const auto refused = client.key<double>("psu.1/setpoint").set(12.5);
  EXPECT_EQ(refused.error().code, Code::kRefused);
  EXPECT_EQ(refused.error().message, "interlock open");
  const auto beyond = client.key<double>("psu.1/setpoint").set(140);
  EXPECT_EQ(beyond.error().code, Code::kInvalidArgument);
  EXPECT_EQ(beyond.error().message, "psu.1/setpoint: 140 A is above the limit of 100 A");
  const auto nan = client.key<double>("psu.1/setpoint").set(std::nan(""));
  EXPECT_EQ(nan.error().code, Code::kInvalidArgument);
  const auto read_only = client.key<double>("psu.1/current").set(1);
  EXPECT_EQ(read_only.error().code, Code::kRefused);
  EXPECT_THAT(read_only.error().message, HasSubstr("cannot be written"));
  const auto nothing = client.key<double>("psu.1/nothing").set(1);
  EXPECT_EQ(nothing.error().code, Code::kNotFound);
  const auto nobody = client.key<double>("nobody/setpoint").set(1, 50ms);
  EXPECT_EQ(nobody.error().code, Code::kNotFound);
}

TEST_F(Writers, HandlerThatThrowsFailsItsWriterAndNothingElse) {
  Subsystem psu{"psu.1"};
  const auto setpoint = psu.writable<double>("setpoint");
  setpoint.on_write([](double amps) -> Decision {
    if (amps < 0) throw std::runtime_error("no such field");
    return accept();
  });
  join(psu);
  Client client;
  join_client(client);
  const auto failed = client.key<double>("psu.1/setpoint").set(-1);
  EXPECT_EQ(failed.error().code, Code::kFailed);
  EXPECT_THAT(failed.error().message, HasSubstr("no such field"));
  EXPECT_TRUE(client.key<double>("psu.1/setpoint").set(1).ok());
}

TEST_F(Writers, ReaderAsksTheOwnersHandler) {
  Subsystem psu{"psu.1"};
  const auto load = psu.publish<double>("load", {.published = false});
  load.on_read([]() -> Result<double> { return 0.25; });
  const auto broken = psu.publish<double>("broken");
  broken.on_read([]() -> Result<double> { return Error{Code::kRefused, "no sensor"}; });
  join(psu);
  Client client;
  join_client(client);
  EXPECT_EQ(client.key<double>("psu.1/load").get().value(), 0.25);
  EXPECT_EQ(client.key<double>("psu.1/broken").get().error().message, "no sensor");
}

TEST_F(Writers, KeyIsReadableWritableAndPublishedInAnyCombination) {
  Subsystem psu{"psu.1"};
  const auto trigger =
      psu.writable<std::int64_t>("trigger", {.readable = false, .published = false});
  std::atomic<std::int64_t> triggered{0};
  trigger.on_write([&](std::int64_t shots) {
    triggered = shots;
    return accept();
  });
  const auto told = psu.publish<double>("told", {.readable = false});
  const auto asked = psu.publish<double>("asked", {.published = false});
  const auto quiet = psu.writable<double>("quiet", {.published = false});
  told = 1;
  asked = 2;
  quiet = 3;
  join(psu);
  Client client;
  join_client(client);

  EXPECT_TRUE(client.key<std::int64_t>("psu.1/trigger").set(7).ok());
  EXPECT_EQ(triggered, 7);
  const auto read = client.key<std::int64_t>("psu.1/trigger").get();
  EXPECT_EQ(read.error().code, Code::kRefused);
  EXPECT_EQ(read.error().message, "psu.1/trigger cannot be read");
  EXPECT_EQ(client.key<double>("psu.1/told").get().error().code, Code::kRefused);
  EXPECT_EQ(client.key<double>("psu.1/asked").get().value(), 2);
  EXPECT_EQ(client.key<double>("psu.1/quiet").get().value(), 3);
  EXPECT_TRUE(client.key<double>("psu.1/quiet").set(4).ok());
  test::Heard heard;
  const auto subscription = client.subscribe("psu.1", [&](const auto& update) { heard(update); });
  ASSERT_TRUE(eventually([&] { return heard.count() == 1; }));
  told = 5;
  ASSERT_TRUE(eventually([&] { return heard.last().value == Value(5.0); }));
  EXPECT_EQ(heard.count(), 2U);

  Subsystem useless{"useless"};
  useless.publish<double>("neither", {.readable = false, .published = false});
  const auto started = useless.start(0s);
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().message, "neither: neither readable, writable nor published");
}

TEST_F(Writers, HandlerThatThrowsWhateverFailsTheReadOrWriteAndNothingElse) {
  Subsystem psu{"psu.1"};
  const auto odd = psu.publish<double>("odd");
  odd.on_read([]() -> Result<double> { throw 1; });
  const auto broken = psu.writable<double>("broken");
  broken.on_read([]() -> Result<double> { throw std::runtime_error("no sensor"); });
  broken.on_write([](double) -> Decision { throw 1; });
  const auto fine = psu.publish<double>("fine");
  fine.on_read([]() -> Result<double> { return 1.5; });
  join(psu);
  Client client;
  join_client(client);
  EXPECT_EQ(client.key<double>("psu.1/odd").get().error().message, "its on_read threw");
  const auto read = client.key<double>("psu.1/broken").get().error();
  EXPECT_EQ(read.code, Code::kFailed);
  EXPECT_EQ(read.message, "its on_read threw: no sensor");
  EXPECT_EQ(client.key<double>("psu.1/broken").set(1).error().message, "its on_write threw");
  EXPECT_EQ(client.key<double>("psu.1/fine").get().value(), 1.5);
}

TEST_F(Writers, WaitingInsideACallbackIsRefusedAndNeverHangs) {
  Subsystem psu{"psu.1"};
  const auto setpoint = psu.writable<double>("setpoint");
  std::optional<Error> read;
  std::optional<Error> called;
  setpoint.on_write([&](double) {
    read = psu.key<double>("psu.1/setpoint").get().error();
    called =
        Error{Code::kFailed, psu.call("degauss", {}, to("psu.1"), 1s).targets().at("psu.1").text};
    return accept();
  });
  join(psu);
  Client client;
  join_client(client);
  ASSERT_TRUE(client.key<double>("psu.1/setpoint").set(1).ok());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->code, Code::kRefused);
  EXPECT_THAT(read->message, HasSubstr("inside a callback"));
  EXPECT_THAT(called->message, HasSubstr("inside a callback"));
}

TEST_F(Writers, CallbackMayWriteWithoutWaiting) {
  Subsystem psu{"psu.1"};
  const auto setpoint = psu.writable<double>("setpoint");
  const auto twice = psu.writable<double>("twice");
  std::atomic<bool> written{false};
  setpoint.on_write([&](double amps) {
    psu.key<double>("psu.1/twice").set_later(2 * amps, [&](const Result<Unit>& result) {
      written = result.ok();
    });
    return accept();
  });
  join(psu);
  Client client;
  join_client(client);
  ASSERT_TRUE(client.key<double>("psu.1/setpoint").set(4).ok());
  ASSERT_TRUE(eventually([&] { return written.load(); }));
  EXPECT_EQ(twice.value(), 8.0);
}

TEST_F(Writers, ValuesOfEveryTypeComeAsTheyWere) {
  Subsystem all{"all"};
  const auto flag = all.writable<bool>("flag");
  const auto text = all.writable<std::string>("text");
  const auto number = all.writable<std::uint64_t>("number");
  const auto trace = all.writable<std::vector<double>>("trace");
  const auto point = all.writable<std::array<std::int64_t, 3>>("point");
  const auto when = all.writable<UtcTime>("when");
  const auto any = all.writable<Value>("any");
  join(all);
  Client client;
  join_client(client);
  ASSERT_TRUE(client.key<bool>("all/flag").set(true).ok());
  ASSERT_TRUE(client.key<std::string>("all/text").set("läuft").ok());
  ASSERT_TRUE(client.key<std::uint64_t>("all/number").set(~0ull).ok());
  ASSERT_TRUE(client.key<std::vector<double>>("all/trace").set({1, 2.5, -0.0}).ok());
  ASSERT_TRUE((client.key<std::array<std::int64_t, 3>>("all/point").set({1, 2, 3}).ok()));
  const auto now = utc_now();
  ASSERT_TRUE(client.key<UtcTime>("all/when").set(now).ok());
  ASSERT_TRUE(client.key<Value>("all/any").set(Value(Struct{{"x", 1.5}})).ok());
  EXPECT_TRUE(flag.value());
  EXPECT_EQ(text.value(), "läuft");
  EXPECT_EQ(number.value(), ~0ull);
  EXPECT_THAT(trace.value(), ElementsAre(1, 2.5, -0.0));
  EXPECT_THAT(point.value(), ElementsAre(1, 2, 3));
  EXPECT_EQ(when.value(), now);
  EXPECT_EQ(any.value(), Value(Struct{{"x", 1.5}}));
}

}  // namespace
}  // namespace tidemark
