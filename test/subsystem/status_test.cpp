// test/subsystem/status_test.cpp
//
// Status items, marks and log messages.

#include <gmock/gmock.h>

#include <atomic>
#include <future>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "subsystem_fixture.h"

namespace tidemark {
namespace {

using test::eventually;
using testing::SizeIs;

class Status : public test::SubsystemTest {};

TEST_F(Status, StatusItemIsSeenAcknowledgedAndRecorded) {
  Subsystem psu{"psu.1"};
  const auto interlock = psu.status_item("interlock", latched);
  join(psu);
  Client client;
  join_client(client);
  std::mutex mutex;
  std::vector<model::StatusItem> seen;
  const auto watch = client.watch_status("psu.*", [&](const auto&, const auto& item) {
    const std::lock_guard lock(mutex);
    seen.push_back(item);
  });
  const auto last = [&] {
    const std::lock_guard lock(mutex);
    return seen.empty() ? model::StatusItem{} : seen.back();
  };
  ASSERT_TRUE(eventually([&] { return last().name == "interlock"; }));
  interlock.raise(Severity::kError, 12, "door open");
  ASSERT_TRUE(eventually([&] { return last().active; }));
  EXPECT_EQ(last().code, 12);
  interlock.clear();
  ASSERT_TRUE(eventually([&] { return !last().active; }));
  EXPECT_TRUE(last().shown()) << "nobody has seen it yet";
  ASSERT_TRUE(client.acknowledge("psu.1", "interlock").ok());
  ASSERT_TRUE(eventually([&] { return !last().shown(); }));
  EXPECT_EQ(client.acknowledge("psu.1", "nothing").error().code, Code::kNotFound);
  ASSERT_TRUE(eventually([&] { return site_.recorded<model::StatusChanged>().size() == 3; }));
}

TEST_F(Status, WhatWasRaisedBeforeTheStartReachesTheJournal) {
  Subsystem psu{"psu.1"};
  psu.status_item("interlock", latched).raise(Severity::kError, 12, "door open");
  psu.status_item("fan");
  join(psu);
  ASSERT_TRUE(eventually([&] { return site_.recorded<model::StatusChanged>().size() == 1; }));
  const auto changed = site_.recorded<model::StatusChanged>()[0];
  EXPECT_EQ(changed.item, "psu.1/interlock");
  EXPECT_EQ(changed.text, "door open");
  EXPECT_TRUE(changed.active);
}

TEST_F(Status, ItemsAreBoundedAndTheirNamesAreChecked) {
  Subsystem psu{"psu.1"};
  auto& status = psu.session()->status();
  EXPECT_EQ(status.add("two words", false).error().code, Code::kInvalidArgument);
  EXPECT_EQ(status.add("", false).error().code, Code::kInvalidArgument);
  for (std::size_t i = 0; i < subsystem::OwnStatus::kItemsMax; ++i) {
    ASSERT_TRUE(status.add("item." + std::to_string(i), false).ok());
  }
  EXPECT_EQ(status.add("item.1", false).error().code, Code::kInvalidArgument);
  const auto refused = status.add("one.more", false);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, testing::HasSubstr("10000 status items"));
  const auto more = psu.status_item("one.more");
  more.raise(Severity::kError, 1, "nobody sees it");
  more.clear();
  EXPECT_EQ(more.now(), model::StatusItem{});
  const auto started = psu.start();
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().message, refused.error().message);
}

TEST_F(Status, ASecondItemOfThatNameIsAConflict) {
  Subsystem psu{"psu.1"};
  const auto first = psu.status_item("fan");
  first.raise(Severity::kError, 1, "stuck");
  EXPECT_EQ(psu.session()->status().add("fan", true).error().code, Code::kConflict);
  EXPECT_EQ(first.now().text, "stuck");
}

TEST_F(Status, ListenerThatThrowsHearsOn) {
  Subsystem psu{"psu.1"};
  const auto fan = psu.status_item("fan");
  join(psu);
  Client client;
  join_client(client);
  std::atomic<int> heard{0};
  const auto watch = client.watch_status("*", [&](const auto&, const auto&) {
    if (++heard == 1) throw 1;
    throw std::runtime_error("broken");
  });
  ASSERT_TRUE(eventually([&] { return heard == 1; }));
  fan.raise(Severity::kError, 1, "stuck");
  ASSERT_TRUE(eventually([&] { return heard == 2; }));
  fan.clear();
  EXPECT_TRUE(eventually([&] { return heard == 3; }));
}

TEST_F(Status, WatchThatIsClosedAsksNobodyAnyMore) {
  Subsystem psu{"psu.1"};
  const auto fan = psu.status_item("fan");
  join(psu);
  Client client;
  join_client(client);
  Client other;
  join_client(other);
  std::atomic<int> heard{0};
  auto watch = client.watch_status("*", [&](const auto&, const auto&) { ++heard; });
  std::atomic<bool> out{false};
  const auto second = other.watch_status("*", [&](const auto&, const auto& item) {
    if (item.active) out = true;
  });
  ASSERT_TRUE(eventually([&] { return heard == 1; }));
  watch.close();
  site_.close_registry();  // whose directory is another stream that it reads
  const auto frames = [&] {
    // Whatever the loop was told before has been done when it gets here.
    std::promise<void> told;
    client.session()->link()->after(Duration{0}, [&] { told.set_value(); });
    told.get_future().get();
    return client.session()->link()->counters().frames_received;
  };
  const auto at_rest = frames();
  fan.raise(Severity::kError, 1, "stuck");
  ASSERT_TRUE(eventually([&] { return out.load(); }));
  EXPECT_EQ(frames(), at_rest);
  EXPECT_EQ(heard, 1);
}

TEST_F(Status, AMarkSetAfterTheFactReachesTheJournalWithItsTimes) {
  Subsystem control{"control"};
  join(control);
  const UtcTime from{std::chrono::seconds(1'700'000'000)};
  const auto to = from + std::chrono::seconds(5);
  const auto mark = control.mark_between("beam loss", from, to, 4711, {"fault"});
  control.stop();
  ASSERT_THAT(site_.recorded<model::MarkBegin>(), SizeIs(1));
  EXPECT_EQ(site_.recorded<model::MarkBegin>()[0],
            (model::MarkBegin{mark.id, "beam loss", {"fault"}, "control", 4711, from}));
  ASSERT_THAT(site_.recorded<model::MarkEnd>(), SizeIs(1));
  EXPECT_EQ(site_.recorded<model::MarkEnd>()[0],
            (model::MarkEnd{mark.id, "beam loss", "control", {}, to}));
}

TEST_F(Status, MarksAndLogMessagesReachTheJournal) {
  Subsystem control{"control"};
  join(control);
  const auto mark = control.begin_mark("shot 42", Struct{{"amps", 1.5}}, {"shot"});
  control.log(Severity::kWarning, "beam is weak");
  control.end_mark(mark);
  control.stop();
  ASSERT_THAT(site_.recorded<model::MarkBegin>(), SizeIs(1));
  EXPECT_EQ(site_.recorded<model::MarkBegin>()[0].tags, std::vector<std::string>{"shot"});
  ASSERT_THAT(site_.recorded<model::MarkEnd>(), SizeIs(1));
  EXPECT_EQ(site_.recorded<model::MarkEnd>()[0].mark, site_.recorded<model::MarkBegin>()[0].mark);
  EXPECT_EQ(site_.recorded<model::LogMessage>().at(0).text, "beam is weak");
}

TEST_F(Status, ALogMessageHasItsFieldsAndWhenItWasSaid) {
  Subsystem control{"control"};
  join(control);
  const auto before = utc_now();
  control.log(Severity::kInfo, "beam on", {{"shot", 4711}, {"target", "Al"}}, "beam");
  const auto after = utc_now();
  control.stop();
  ASSERT_THAT(site_.recorded<model::LogMessage>(), SizeIs(1));
  const auto said = site_.recorded<model::LogMessage>()[0];
  EXPECT_EQ(said.data, Value(Struct{{"shot", 4711}, {"target", "Al"}}));
  EXPECT_EQ(said.category, "beam");
  EXPECT_TRUE(before <= said.at && said.at <= after) << to_iso(said.at);
  EXPECT_EQ(describe(said), "beam on, {shot: 4711, target: Al}");
}

}  // namespace
}  // namespace tidemark
