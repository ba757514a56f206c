#include "actors/supervisor.h"

#include <gmock/gmock.h>

#include <csignal>

#include "node_test.h"

namespace tidemark::actors {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

class SupervisorTest : public NodeTest {
 protected:
  SupervisorTest() : NodeTest("supervisor") {
    policy_.backoff_min = milliseconds(100);
    policy_.backoff_max = seconds(1);
    policy_.restarts_max = 4;
    policy_.window = seconds(60);
    policy_.young = seconds(1);
  }

  void begin(std::vector<std::string> nodes = {"journal", "monitor", "keeper"}) {
    supervisor_ = spawn(
        supervisor_actor,
        SupervisorOptions{std::move(nodes), policy_, seconds(5), link_, test::number_of("registry"),
                          board_, outbox_,
                          [this](const std::string& node) -> Result<int> {
                            if (!refuses_.empty()) return Error{Code::kFailed, refuses_};
                            started_.push_back(node);
                            return next_pid_++;
                          },
                          [this](int pid, int signal) { signals_.emplace_back(pid, signal); }});
    settle();
  }
  void dies(const std::string& node, int pid, const std::string& what = "killed by signal 9") {
    tell(supervisor_, exited_atom_v, node, pid, ProcessEnd{what, 9, {"one", "two"}});
  }

  model::RestartPolicy policy_;
  Supervisor supervisor_;
  std::vector<std::string> started_;
  std::vector<std::pair<int, int>> signals_;
  int next_pid_ = 1;
  std::string refuses_;
};

TEST_F(SupervisorTest, StartsNodesInOrder) {
  begin();
  EXPECT_THAT(started_, ElementsAre("journal", "monitor", "keeper"));
}

TEST_F(SupervisorTest, StartsANodeOnce) {
  begin();
  tell(supervisor_, start_atom_v, std::string("journal"));
  EXPECT_THAT(started_, SizeIs(3));
}

TEST_F(SupervisorTest, StartsAnOldNodeAgainAtOnce) {
  begin();
  pass(seconds(10));
  dies("monitor", 2);
  pass(milliseconds(0));
  EXPECT_THAT(started_, ElementsAre("journal", "monitor", "keeper", "monitor"));
  const auto records = journal_.all<model::NodeRestarted>();
  ASSERT_THAT(records, SizeIs(1));
  EXPECT_EQ(records[0].node, "monitor");
  EXPECT_EQ(records[0].pid, 4u);
  EXPECT_EQ(records[0].restarts, 1u);
  EXPECT_EQ(records[0].reason, "killed by signal 9");
  EXPECT_EQ(records[0].signal, 9u);
  EXPECT_THAT(records[0].last_words, ElementsAre("one", "two"));
}

TEST_F(SupervisorTest, TellsTheRegistryWhoDied) {
  begin();
  dies("monitor", 2, "exited with 3");
  ASSERT_THAT(link_->asked("registry.exited"), SizeIs(1));
  const auto exited =
      model::unpack<model::api::Exited>(link_->asked("registry.exited")[0].payload()).value();
  EXPECT_EQ(exited.name, "monitor");
  EXPECT_EQ(exited.pid, 2u);
  EXPECT_EQ(exited.reason, "exited with 3");
}

TEST_F(SupervisorTest, IgnoresTheEndOfAProcessThatIsNotItsOwnAnyMore) {
  begin();
  dies("monitor", 99);
  pass(seconds(1));
  EXPECT_THAT(started_, SizeIs(3));
}

TEST_F(SupervisorTest, PausesLongerWithEachEarlyDeath) {
  begin({"monitor"});
  dies("monitor", 1);
  pass(milliseconds(99));
  EXPECT_THAT(started_, SizeIs(1));
  pass(milliseconds(1));
  EXPECT_THAT(started_, SizeIs(2));

  dies("monitor", 2);
  pass(milliseconds(199));
  EXPECT_THAT(started_, SizeIs(2));
  pass(milliseconds(1));
  EXPECT_THAT(started_, SizeIs(3));
}

TEST_F(SupervisorTest, LeavesANodeDownThatDiesTooOften) {
  begin({"monitor"});
  for (int pid = 1; pid <= 5; ++pid) {
    dies("monitor", pid);
    pass(seconds(2));
  }
  EXPECT_THAT(started_, SizeIs(5));
  ASSERT_THAT(warnings(), SizeIs(1));
  EXPECT_THAT(warnings()[0], HasSubstr("left down"));
  ASSERT_THAT(journal_.all<model::LogMessage>(), SizeIs(1));
  EXPECT_EQ(journal_.all<model::LogMessage>()[0].level, model::Level::kError);
}

TEST_F(SupervisorTest, TriesAgainWhenAStartFails) {
  refuses_ = "no such program";
  begin({"monitor"});
  EXPECT_THAT(started_, IsEmpty());
  refuses_.clear();
  pass(milliseconds(100));
  EXPECT_THAT(started_, ElementsAre("monitor"));
}

TEST_F(SupervisorTest, StopsInReverseOrder) {
  begin();
  const auto stopped = ask<Unit>(supervisor_, stop_atom_v);
  settle();
  EXPECT_THAT(signals_, ElementsAre(Pair(3, SIGTERM)));
  dies("keeper", 3, "stopped");
  dies("monitor", 2, "stopped");
  EXPECT_THAT(signals_, ElementsAre(Pair(3, SIGTERM), Pair(2, SIGTERM), Pair(1, SIGTERM)));
  EXPECT_TRUE(stopped->pending());
  dies("journal", 1, "stopped");
  EXPECT_TRUE(stopped->value.has_value());
  pass(seconds(10));
  EXPECT_THAT(started_, SizeIs(3));
  EXPECT_THAT(signals_, SizeIs(3));
}

TEST_F(SupervisorTest, StopsAtOnceWhenNothingRuns) {
  begin({});
  answer<Unit>(supervisor_, stop_atom_v);
}

TEST_F(SupervisorTest, KillsWhatDoesNotStopInTime) {
  begin({"monitor"});
  const auto stopped = ask<Unit>(supervisor_, stop_atom_v);
  pass(milliseconds(4999));
  EXPECT_THAT(signals_, ElementsAre(Pair(1, SIGTERM)));
  pass(milliseconds(1));
  EXPECT_THAT(signals_, ElementsAre(Pair(1, SIGTERM), Pair(1, SIGKILL)));
  dies("monitor", 1);
  EXPECT_TRUE(stopped->value.has_value());
}

TEST_F(SupervisorTest, StartsNothingWhileItStops) {
  begin({"journal", "monitor"});
  dies("journal", 1);  // to be started again in 100 ms
  const auto stopped = ask<Unit>(supervisor_, stop_atom_v);
  pass(seconds(1));
  EXPECT_THAT(started_, SizeIs(2));
  dies("monitor", 2, "stopped");
  EXPECT_TRUE(stopped->value.has_value());
}

class SupervisorWatchTest : public SupervisorTest {
 protected:
  void directory(const std::string& node, std::uint32_t pid, bus::NodeState state) {
    bus::Directory directory;
    auto info = test::node_called(node);
    info.pid = pid;
    info.state = state;
    directory.nodes.push_back(info);
    tell(supervisor_, directory_atom_v, directory);
  }
};

TEST_F(SupervisorWatchTest, KillsAFrozenNode) {
  begin();
  directory("monitor", 2, bus::NodeState::kDisconnected);
  EXPECT_THAT(signals_, ElementsAre(Pair(2, SIGKILL)));
  dies("monitor", 2);
  pass(seconds(1));
  EXPECT_THAT(started_, SizeIs(4));
}

TEST_F(SupervisorWatchTest, LeavesASuspectAlone) {
  begin();
  directory("monitor", 2, bus::NodeState::kSuspect);
  EXPECT_THAT(signals_, IsEmpty());
}

TEST_F(SupervisorWatchTest, TakesNoOlderProcessForItsOwn) {
  begin();
  directory("monitor", 77, bus::NodeState::kDisconnected);
  EXPECT_THAT(signals_, IsEmpty());
}

}  // namespace
}  // namespace tidemark::actors
