#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <sstream>

#include "base/glob.h"
#include "fake_site.h"
#include "model/api/keeper.h"
#include "model/api/monitor.h"
#include "model/pv_update.h"

namespace tidemark::tools {
namespace {

namespace api = model::api;
using testing::HasSubstr;

class Commands : public testing::Test {
 protected:
  void SetUp() override {
    site_.start("keeper");
    site_.serve<api::LiveQuery, api::LiveReply>(
        "keeper", "keeper.pv_live", [](const auto& query) -> Result<api::LiveReply> {
          api::LiveReply reply;
          for (const auto& address : query.addresses) {
            if (!glob_match(address, "QUAD:1")) {
              if (address.find('*') == std::string::npos) reply.unknown.push_back(address);
              continue;
            }
            api::LiveValue value;
            value.address = "QUAD:1";
            value.channel = model::ChannelId{1};
            value.state = model::LiveState::kConnected;
            value.value = 4.25678;
            value.precision = 2;
            value.units = "A";
            value.native_type = "double";
            value.alarm = {model::Severity::kMinor, 4};
            value.taken_at = *parse_iso("2026-11-21T14:05:00Z");
            reply.values.push_back(value);
          }
          return reply;
        });
  }

  void start_monitor() {
    site_.start("monitor");
    site_.serve<api::Empty, api::NodeStatus>(
        "monitor", "node.status", [](const auto&) -> Result<api::NodeStatus> {
          api::NodeStatus status;
          status.pid = 4242;
          status.started_at = utc_now() - std::chrono::minutes(5);
          status.figures = {{"tidemark_monitor_channels", "", false, 10},
                            {"tidemark_monitor_connected", "", false, 9}};
          status.warnings = {"one IOC is slow"};
          return status;
        });
  }

  static api::ImportReport report(bool imported, std::uint32_t bad) {
    api::ImportReport report;
    report.rows = 3;
    report.created = 2;
    report.imported = imported;
    report.problem_count = bad;
    if (bad > 0) report.problems = {{3, "no address"}};
    return report;
  }

  FakeSite site_;
};

// ---- pv -----------------------------------------------------------------------------------------

TEST_F(Commands, ShellsGetNamesAndNoMessages) {
  EXPECT_EQ(site_.run({"complete-names", "pv", "QUA"}).out, "QUAD:1\n");
  const auto none = site_.run({"complete-names", "mark", "s"});
  EXPECT_EQ(none.exit, 0);
  EXPECT_EQ(none.out + none.err, "") << "there is no journal";
}

TEST_F(Commands, APvThatIsMistypedIsAnsweredWithTheNearest) {
  EXPECT_THAT(site_.run({"pv", "get", "QUAD:11"}).err,
              HasSubstr("no PV has the address 'QUAD:11'; did you mean 'QUAD:1'?"));
  EXPECT_THAT(site_.run({"pv", "get", "QAUD:1"}).err, HasSubstr("did you mean 'QUAD:1'?"));
  EXPECT_THAT(site_.run({"pv", "get", "BPM:27:X"}).err, testing::EndsWith("'BPM:27:X'\n"));
}

TEST_F(Commands, GetShowsValueUnitAlarmAndTime) {
  const auto ran = site_.run({"pv", "get", "QUAD:1"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("4.26  A     HIGH MINOR  2026-11-21T14:05:00.000Z  ok"));
}

TEST_F(Commands, GetGivesAllDigitsAsJson) {
  const auto ran = site_.run({"pv", "get", "QUAD:1", "--json"});
  const auto document = Json::parse(ran.out);
  EXPECT_EQ(document.at("values").at(0).at("value"), 4.25678);
  EXPECT_EQ(document.at("values").at(0).at("alarm").at("severity"), "MINOR");
}

TEST_F(Commands, GetExitsWithOneForANameThatNobodyDefined) {
  const auto ran = site_.run({"pv", "get", "QUAD:1", "QUAD:2", "BPM:*"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.out, HasSubstr("QUAD:1"));
  EXPECT_THAT(ran.err, HasSubstr("no PV has the address 'QUAD:2'"));
  EXPECT_THAT(ran.err, HasSubstr("no PV matches 'BPM:*'"));
}

TEST_F(Commands, GetShowsAPvOnceThatTwoNamesMean) {
  const auto ran = site_.run({"pv", "get", "QUAD:1", "QUAD:*", "--json"});
  EXPECT_EQ(Json::parse(ran.out).at("values").size(), 1u);
}

TEST_F(Commands, GetFreshReadsThroughTheMonitor) {
  start_monitor();
  site_.serve<api::ReadChannels, api::ChannelValues>(
      "monitor", "monitor.read", [](const auto& request) -> Result<api::ChannelValues> {
        model::PvUpdate update;
        update.channel = request.channels.at(0);
        update.value = 5.5;
        return api::ChannelValues{{model::encode_updates({update})}, {""}};
      });
  const auto ran = site_.run({"pv", "get", "QUAD:1", "--fresh"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("5.50"));
}

TEST_F(Commands, GetFreshExitsWithOneWhenAnIocDoesNotAnswer) {
  start_monitor();
  site_.serve<api::ReadChannels, api::ChannelValues>(
      "monitor", "monitor.read", [](const auto&) -> Result<api::ChannelValues> {
        return api::ChannelValues{{model::encode_updates({})}, {"not connected"}};
      });
  const auto ran = site_.run({"pv", "get", "QUAD:1", "--fresh"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.err, HasSubstr("QUAD:1: not connected"));
}

TEST_F(Commands, ImportExitsWithTwoWhenABadRowStoppedIt) {
  site_.serve<api::ImportRequest, api::ImportReport>(
      "keeper", "keeper.pv_import",
      [](const auto& request) -> Result<api::ImportReport> { return report(request.skip_bad, 1); });
  site_.input = "setpoint,readback\n";
  const auto stopped = site_.run({"pv", "import", "-"});
  EXPECT_EQ(stopped.exit, 2);
  EXPECT_THAT(stopped.err, HasSubstr("-:3: no address"));
  EXPECT_THAT(stopped.out, HasSubstr("nothing imported"));
  EXPECT_EQ(site_.run({"pv", "import", "-", "--skip-bad"}).exit, 0);
}

TEST_F(Commands, ImportOfAFileThatIsNotThereIsBadInput) {
  EXPECT_EQ(site_.run({"pv", "import", "/nonexistent.csv"}).exit, 2);
}

TEST_F(Commands, PutExitsAsTheJobEnded) {
  site_.serve<api::PutRequest, model::Job>(
      "keeper", "keeper.pv_put", [](const auto& request) -> Result<model::Job> {
        if (request.value == "x") return Error{Code::kInvalidArgument, "'x' is no number"};
        model::Job job;
        job.id = Uuid::random();
        job.state = request.value == "1" ? model::JobState::kCompleted : model::JobState::kFailed;
        return job;
      });
  EXPECT_EQ(site_.run({"pv", "put", "QUAD:1", "1"}).exit, 0);
  EXPECT_EQ(site_.run({"pv", "put", "QUAD:1", "2"}).exit, 1);
  EXPECT_EQ(site_.run({"pv", "put", "QUAD:1", "x"}).exit, 2);
}

TEST_F(Commands, PutTakesANegativeNumber) {
  std::string value;
  site_.serve<api::PutRequest, model::Job>("keeper", "keeper.pv_put",
                                           [&](const auto& request) -> Result<model::Job> {
                                             value = request.value;
                                             model::Job job;
                                             job.state = model::JobState::kCompleted;
                                             return job;
                                           });
  EXPECT_EQ(site_.run({"pv", "put", "QUAD:1", "-4.5"}).exit, 0);
  EXPECT_EQ(value, "-4.5");
}

TEST_F(Commands, WatchShowsTheValueNowAndThenItsChanges) {
  start_monitor();
  model::PvUpdate old;
  old.channel = model::ChannelId{1};
  old.value = 4.25678;
  old.alarm = {model::Severity::kMinor, 4};
  old.taken_at = *parse_iso("2026-11-21T14:05:00Z");
  auto changed = old;
  changed.value = 9.0;
  auto& monitor = site_.link("monitor");
  monitor.declare_stream(bus::FrameClass::kState, bus::kLiveStream);
  monitor.serve("monitor.state", [&](bus::Call call) {
    call.progress(model::pack(api::StatePart{{model::encode_updates({old})}}));
    call.done(model::pack(api::StateEnd{1, 0, 1}));
    monitor.publish(bus::FrameClass::kState, bus::kLiveStream, 1, model::encode_updates({changed}));
  });
  const auto ran = site_.run({"pv", "watch", "QUAD:1", "--count", "2", "--for", "10s", "--json"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  std::istringstream lines(ran.out);
  std::string first;
  std::string second;
  std::getline(lines, first);
  std::getline(lines, second);
  EXPECT_EQ(Json::parse(first).at("value"), 4.25678);
  EXPECT_EQ(Json::parse(second).at("value"), 9.0);
}

TEST_F(Commands, WatchLeavesOutNoChangeWhenAFrameIsLost) {
  start_monitor();
  const auto update_to = [](double value) {
    model::PvUpdate update;
    update.channel = model::ChannelId{1};
    update.value = value;
    update.taken_at = *parse_iso("2026-11-21T14:05:01Z");
    return model::encode_updates({update});
  };
  auto& monitor = site_.link("monitor");
  const auto publish = [&](double value) {
    monitor.publish(bus::FrameClass::kState, bus::kLiveStream, 1, update_to(value));
  };
  monitor.declare_stream(bus::FrameClass::kState, bus::kLiveStream);
  monitor.serve("monitor.state", [&](bus::Call call) {
    call.progress(model::pack(api::StatePart{{update_to(6.0)}}));
    call.done(model::pack(api::StateEnd{1, 0, 1}));
  });
  int shown = 0;
  const auto go_on = [&] {
    if (++shown != 2) return;  // The state is here.
    publish(7.0);
    monitor.after(Duration{0}, [&] {
      site_.bus().drop_next({bus::node_number(monitor.self().uuid), bus::kLiveStream}, 1);
      publish(8.0);
      publish(9.0);
    });
  };
  const auto ran =
      site_.run({"pv", "watch", "QUAD:1", "--count", "5", "--for", "10s", "--json"}, go_on);
  EXPECT_EQ(ran.exit, 0) << ran.err;
  std::istringstream lines(ran.out);
  std::vector<double> values;
  for (std::string line; std::getline(lines, line);) {
    values.push_back(Json::parse(line).at("value").get<double>());
  }
  EXPECT_THAT(values, testing::ElementsAre(4.25678, 6.0, 7.0, 8.0, 9.0));
}

// ---- snapshots ----------------------------------------------------------------------------------

TEST_F(Commands, CompareExitsLikeDiff) {
  std::uint32_t different = 0;
  site_.serve<api::CompareRequest, api::CompareReply>(
      "keeper", "keeper.snapshot_compare", [&](const auto& request) -> Result<api::CompareReply> {
        EXPECT_EQ(request.right, "live");
        api::CompareReply reply;
        reply.left.title = "golden";
        reply.matching = 5;
        reply.different = different;
        if (different > 0) {
          model::PvComparison pv;
          pv.name = "QUAD:1";
          pv.setpoint.emplace();
          pv.setpoint->difference = model::Difference::kDifferent;
          pv.setpoint->left = 1.0;
          pv.setpoint->right = 2.0;
          pv.setpoint->deviation = 1.0;
          reply.pvs.push_back(pv);
        }
        return reply;
      });
  EXPECT_EQ(site_.run({"snapshot", "compare", "golden"}).exit, 0);
  different = 1;
  const auto ran = site_.run({"snapshot", "compare", "golden"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.out, HasSubstr("1 different, 5 matching"));
  EXPECT_THAT(ran.out, HasSubstr("QUAD:1"));
}

TEST_F(Commands, CreateWaitsForTheJobAndPrintsTheSnapshot) {
  const auto id = Uuid::random();
  std::atomic<int> looks{0};
  model::Job job;
  job.id = Uuid::random();
  job.state = model::JobState::kRunning;
  job.result = id;
  site_.serve<api::SnapshotRequest, model::Job>(
      "keeper", "keeper.snapshot_create", [&](const auto& request) -> Result<model::Job> {
        EXPECT_EQ(request.title, "before the shift");
        EXPECT_EQ(request.scope.tags, (std::vector<std::string>{"a/b", "c/d"}));
        return job;
      });
  site_.serve<api::JobQuery, model::Job>("keeper", "keeper.job",
                                         [&](const auto&) -> Result<model::Job> {
                                           auto now = job;
                                           if (++looks > 2) now.state = model::JobState::kCompleted;
                                           return now;
                                         });
  site_.serve<api::SnapshotGet, model::Snapshot>("keeper", "keeper.snapshot_get",
                                                 [&](const auto& get) -> Result<model::Snapshot> {
                                                   EXPECT_EQ(get.snapshot, id.text());
                                                   model::Snapshot snapshot;
                                                   snapshot.header.id = id;
                                                   snapshot.header.line = 77;
                                                   return snapshot;
                                                 });
  const auto ran = site_.run(
      {"snapshot", "create", "before the shift", "--tag", "a/b", "--tag", "c/d", "--json"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(Json::parse(ran.out).at("line"), 77);
  EXPECT_EQ(looks, 3);
}

TEST_F(Commands, ASnapshotThatIsNotThereExitsWithOne) {
  site_.serve<api::SnapshotGet, model::Snapshot>(
      "keeper", "keeper.snapshot_get", [](const auto& get) -> Result<model::Snapshot> {
        return Error{Code::kNotFound, "no snapshot '" + get.snapshot + "'"};
      });
  const auto ran = site_.run({"snapshot", "show", "nope"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_EQ(ran.err, "tidemark: no snapshot 'nope'\n");
}

// ---- status, jobs, errors -----------------------------------------------------------------------

TEST_F(Commands, StatusExitsWithOneUnlessEveryNodeAnswers) {
  start_monitor();
  const auto ran = site_.run({"status", "--timeout", "1s"});
  EXPECT_EQ(ran.exit, 1);  // The keeper and the registry of this site have no node.status.
  EXPECT_THAT(ran.out, HasSubstr("silent"));
  EXPECT_THAT(ran.out, HasSubstr("9 of 10 connected"));
  EXPECT_THAT(ran.out, HasSubstr("monitor: one IOC is slow"));

  for (const auto* node : {"keeper", "registry"}) {
    site_.serve<api::Empty, api::NodeStatus>(
        node, "node.status",
        [](const auto&) -> Result<api::NodeStatus> { return api::NodeStatus{}; });
  }
  EXPECT_EQ(site_.run({"status"}).exit, 0);
  site_.stop("monitor");
  EXPECT_EQ(site_.run({"status"}).exit, 1);
}

TEST_F(Commands, JobsAreFoundByTheFirstPartOfTheirId) {
  model::Job job;
  job.id = *Uuid::parse("7d1b00aa-0000-4000-8000-000000000001");
  job.state = model::JobState::kCancelled;
  auto other = job;
  other.id = *Uuid::parse("7d1c00aa-0000-4000-8000-000000000001");
  site_.serve<api::JobsQuery, api::JobList>("keeper", "keeper.jobs",
                                            [&](const auto&) -> Result<api::JobList> {
                                              return api::JobList{{job, other}};
                                            });
  site_.serve<api::JobQuery, model::Job>("keeper", "keeper.job_cancel",
                                         [&](const auto& query) -> Result<model::Job> {
                                           EXPECT_EQ(query.job, job.id);
                                           return job;
                                         });
  EXPECT_EQ(site_.run({"job", "cancel", "7d1b"}).exit, 0);
  EXPECT_EQ(site_.run({"job", "cancel", "7d1"}).exit, 1);
  EXPECT_EQ(site_.run({"job", "cancel", "ff"}).exit, 1);
}

TEST_F(Commands, ANodeThatIsDownIsNamedWithTheTime) {
  site_.stop("keeper");
  const auto ran = site_.run({"pv", "get", "QUAD:1"});
  EXPECT_EQ(ran.exit, 3);
  EXPECT_THAT(ran.err, HasSubstr("node 'keeper' is disconnected since 20"));
}

TEST_F(Commands, ANodeThatNeverCameIsNamed) {
  const auto ran = site_.run({"log", "query"});
  EXPECT_EQ(ran.exit, 3);
  EXPECT_THAT(ran.err, HasSubstr("no node 'journal' has registered"));
}

TEST_F(Commands, ASiteThatDoesNotRunIsUnreachable) {
  site_.stop("registry");
  const auto ran = site_.run({"status", "--timeout", "200ms"});
  EXPECT_EQ(ran.exit, 3);
  EXPECT_THAT(ran.err, HasSubstr("is `tidemark up` running?"));
}

TEST_F(Commands, ANodeThatDoesNotAnswerIsATimeout) {
  std::vector<bus::Call> kept;  // never answered
  site_.link("keeper").serve("keeper.tags", [&](bus::Call call) { kept.push_back(call); });
  const auto ran = site_.run({"tag", "list", "--timeout", "200ms"});
  EXPECT_EQ(ran.exit, 4);
  EXPECT_THAT(ran.err, HasSubstr("no answer from node 'keeper' to keeper.tags"));
  site_.stop("keeper");
}

}  // namespace
}  // namespace tidemark::tools
