// test/subsystem/status_test.cpp
//
// Status items, marks and log messages.

#include <gmock/gmock.h>

#include <mutex>
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
