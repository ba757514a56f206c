// test/bus/membership_test.cpp

#include "bus/membership.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "simulated_site.h"
#include "test/support/fake_link.h"

namespace tidemark::bus {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr Incarnation kFirst = 10;  // which registry's directory it is, shows by these
constexpr Incarnation kSecond = 20;

class MembershipTest : public testing::Test {
 protected:
  using Node = SimulatedSite::Node;

  MembershipOptions options() {
    MembershipOptions options;
    options.registries = {SimulatedSite::info("first"), SimulatedSite::info("second")};
    return options;
  }
  Node& join(Node& node, MembershipOptions options) {
    node.membership = Membership::start(*node.link, std::move(options));
    return node;
  }
  Node& start_registry(const std::string& name, Incarnation incarnation) {
    return join(site_.start_registry(name, incarnation), options());
  }
  Node& start(const std::string& name, Incarnation incarnation = 1) {
    return join(site_.start(name, incarnation), options());
  }
  /// What a node holds another one to be.
  static std::optional<NodeInfo> known(const Node& node, const std::string& name) {
    const auto directory = node.membership->directory();
    const auto* found = directory.find(name);
    return found == nullptr ? std::nullopt : std::optional(*found);
  }
  static NodeState state(const Node& node, const std::string& name) {
    const auto found = known(node, name);
    EXPECT_TRUE(found) << name << " is not known";
    return found ? found->state : NodeState::kForgotten;
  }

  SimulatedSite site_;
  Node* first_ = &start_registry("first", kFirst);
  Node* second_ = &start_registry("second", kSecond);
  Node& monitor_ = start("monitor");
  Node& keeper_ = start("keeper");
};

TEST_F(MembershipTest, WhoeverRegistersIsSeenByAllOthers) {
  site_.pass(3s);
  EXPECT_EQ(state(monitor_, "keeper"), NodeState::kAlive);
  EXPECT_EQ(state(keeper_, "monitor"), NodeState::kAlive);
  EXPECT_EQ(state(keeper_, "first"), NodeState::kAlive);
  EXPECT_EQ(state(*first_, "second"), NodeState::kAlive);
  EXPECT_EQ(keeper_.membership->directory().registry, kFirst);
}

TEST_F(MembershipTest, SecondRegistryCountsWhileTheFirstIsAway) {
  site_.pass(3s);
  site_.crash(*first_);
  site_.pass(5s);
  EXPECT_EQ(keeper_.membership->directory().registry, kSecond);
  EXPECT_EQ(state(keeper_, "monitor"), NodeState::kAlive);
  EXPECT_EQ(state(keeper_, "first"), NodeState::kDisconnected);

  start_registry("first", kFirst + 1);
  site_.pass(5s);
  EXPECT_EQ(keeper_.membership->directory().registry, kFirst + 1);
  EXPECT_EQ(state(keeper_, "monitor"), NodeState::kAlive);
}

TEST_F(MembershipTest, RegistryThatHasJustStartedDoesNotCountWhileAnotherOneKnowsEverybody) {
  site_.pass(3s);
  site_.crash(*first_);
  site_.pass(5s);
  start("late");
  site_.pass(2s);
  start_registry("first", kFirst + 1);
  for (int i = 0; i < 50; ++i) {
    site_.pass(100ms);
    EXPECT_EQ(state(keeper_, "late"), NodeState::kAlive);
    EXPECT_EQ(state(keeper_, "monitor"), NodeState::kAlive);
    EXPECT_LE(keeper_.membership->settled_at(), keeper_.link->now());
  }
  EXPECT_EQ(keeper_.membership->directory().registry, kFirst + 1);
}

TEST_F(MembershipTest, WhoOnlyLooksGoesOnWithTheSecondRegistryToo) {
  auto watching = options();
  watching.registers = false;
  auto& watcher = join(site_.start("watcher"), watching);
  site_.pass(3s);
  EXPECT_EQ(watcher.membership->directory().registry, kFirst);
  site_.crash(*first_);
  site_.pass(5s);
  start("late");
  site_.pass(1s);
  EXPECT_EQ(watcher.membership->directory().registry, kSecond);
  EXPECT_EQ(state(watcher, "late"), NodeState::kAlive);
  start_registry("first", kFirst + 1);
  site_.pass(6s);
  EXPECT_EQ(watcher.membership->directory().registry, kFirst + 1);
  EXPECT_EQ(state(watcher, "late"), NodeState::kAlive);
}

TEST_F(MembershipTest, NodesThatAreThereStayKnownWhenARegistryStartsAnew) {
  std::vector<NodeState> states;
  auto watching = options();
  watching.on_changes = [&](const std::vector<NodeInfo>& changes) {
    for (const auto& node : changes) {
      if (node.name == "monitor") states.push_back(node.state);
    }
  };
  join(site_.start("watcher"), watching);
  site_.pass(3s);
  site_.crash(*second_);
  site_.crash(*first_);
  start_registry("first", kFirst + 1);
  site_.pass(10s);
  for (const auto state : states) EXPECT_FALSE(is_gone(state));
  EXPECT_FALSE(states.empty());
}

// The second registry says that the first is gone, and ends before it could say that it is back.
TEST_F(MembershipTest, RegistryThatWasCalledGoneIsFoundAgain) {
  site_.pass(3s);
  site_.crash(*first_);
  site_.pass(6s);
  EXPECT_EQ(state(keeper_, "first"), NodeState::kDisconnected);
  site_.crash(*second_);
  start_registry("first", kFirst + 1);
  site_.pass(6s);
  EXPECT_EQ(keeper_.membership->directory().registry, kFirst + 1);
  EXPECT_EQ(state(keeper_, "monitor"), NodeState::kAlive);
}

TEST_F(MembershipTest, PeersStayKnownWithoutAnyRegistry) {
  site_.pass(3s);
  site_.crash(*first_);
  site_.crash(*second_);
  site_.pass(30s);
  EXPECT_EQ(state(keeper_, "monitor"), NodeState::kAlive);
  std::string heard;
  monitor_.link->serve("hello", [](const Call& call) { call.done("here"); });
  keeper_.link->request(SimulatedSite::number("monitor"), "hello", {}, {},
                        [&](const Answer& answer) { heard = answer ? answer.value() : "no"; });
  site_.pass(1s);
  EXPECT_EQ(heard, "here");
}

TEST(MembershipOnALink, DialsARegistryAnewThatIsNotHeard) {
  const auto link = std::make_shared<test::FakeLink>(test::node_called("monitor"));
  MembershipOptions options;
  options.registries = {test::node_called("registry")};
  const auto membership = Membership::start(*link, options);
  for (int second = 0; second < 3; ++second) {
    link->pass(1s);
    for (const auto& call : link->asked("registry.directory")) {
      call.fail({Code::kUnavailable, "no connection"});
    }
  }
  EXPECT_THAT(link->redialed(), testing::IsEmpty());
  for (int second = 0; second < 3; ++second) {
    link->pass(1s);
    for (const auto& call : link->asked("registry.directory")) {
      call.fail({Code::kUnavailable, "no connection"});
    }
  }
  EXPECT_THAT(link->redialed(), ElementsAre(test::number_of("registry")));
}

TEST_F(MembershipTest, SaysWhetherARegistryAnswers) {
  std::vector<bool> reached;
  auto watching = options();
  watching.on_reached = [&](bool is) { reached.push_back(is); };
  join(site_.start("watcher"), watching);
  site_.pass(3s);
  EXPECT_THAT(reached, ElementsAre(true));
  site_.crash(*first_);
  site_.pass(5s);
  EXPECT_THAT(reached, ElementsAre(true));
  site_.crash(*second_);
  site_.pass(5s);
  EXPECT_THAT(reached, ElementsAre(true, false));
}

TEST_F(MembershipTest, ProcessThatWakesUpBesideItsSuccessorIsFenced) {
  std::string why;
  auto watching = options();
  watching.on_fenced = [&](const Error& error) { why = error.message; };
  auto& old = join(site_.start("journal", 1), watching);
  site_.pass(3s);
  old.frozen = true;
  start("journal", 2);
  site_.pass(3s);
  EXPECT_EQ(why, "");
  old.frozen = false;
  site_.pass(2s);
  EXPECT_THAT(why, HasSubstr("journal incarnation 1 is superseded by incarnation 2"));
  EXPECT_EQ(known(keeper_, "journal")->incarnation, 2U);
}

TEST_F(MembershipTest, ChangeOfWhatANodeOffersIsPublished) {
  site_.pass(3s);
  monitor_.membership->set_surface({"magnets"}, "keys");
  site_.pass(500ms);
  ASSERT_TRUE(known(keeper_, "monitor"));
  EXPECT_THAT(known(keeper_, "monitor")->labels, ElementsAre("magnets"));
  EXPECT_EQ(known(keeper_, "monitor")->surface.bytes, "keys");
  for (const auto* registry : {first_, second_}) {
    EXPECT_EQ(registry->registry->table().directory().find("monitor")->surface.bytes, "keys");
  }
}

TEST_F(MembershipTest, LeaveIsHeardByEveryRegistry) {
  site_.pass(3s);
  int left = 0;
  monitor_.membership->leave(1s, [&] { ++left; });
  site_.pass(200ms);
  EXPECT_EQ(left, 1);
  EXPECT_EQ(state(keeper_, "monitor"), NodeState::kStopped);
  site_.pass(5s);
  EXPECT_EQ(state(keeper_, "monitor"), NodeState::kStopped);
  EXPECT_EQ(second_->registry->table().directory().find("monitor")->state, NodeState::kStopped);
  EXPECT_EQ(left, 1);
}

TEST_F(MembershipTest, LeaveIsOverWithoutARegistryWhenItsPatienceIs) {
  site_.pass(3s);
  site_.crash(*first_);
  site_.crash(*second_);
  int left = 0;
  monitor_.membership->leave(1s, [&] { ++left; });
  site_.pass(500ms);
  EXPECT_EQ(left, 0);
  site_.pass(1s);
  EXPECT_EQ(left, 1);
}

TEST_F(MembershipTest, WhoeverOnlyLooksIsNotSeen) {
  auto looking = options();
  looking.registers = false;
  auto& tool = join(site_.start("tool"), looking);
  site_.pass(3s);
  EXPECT_EQ(state(tool, "monitor"), NodeState::kAlive);
  EXPECT_FALSE(known(keeper_, "tool"));
}

TEST_F(MembershipTest, WhoIsForgottenIsInNobodysDirectory) {
  site_.pass(3s);
  site_.crash(monitor_);
  site_.pass(5s);
  for (const auto* each : {first_, second_, &keeper_}) {
    EXPECT_EQ(state(*each, "monitor"), NodeState::kDisconnected);
  }
  const Forget wish{SimulatedSite::info("monitor").uuid, "monitor", "ada@console"};
  std::vector<bool> told;
  for (const auto* registry : {"first", "second"}) {
    keeper_.link->request(SimulatedSite::number(registry), "registry.forget", model::pack(wish),
                          {5s, {}}, [&](const Answer& answer) { told.push_back(answer.ok()); });
  }
  site_.pass(1s);
  EXPECT_THAT(told, ElementsAre(true, true));
  for (const auto* each : {first_, second_, &keeper_}) {
    EXPECT_EQ(known(*each, "monitor"), std::nullopt);
  }
  site_.crash(*first_);
  site_.pass(5s);
  EXPECT_EQ(known(keeper_, "monitor"), std::nullopt) << "the second one has not kept it either";
  start("monitor", 2);
  site_.pass(3s);
  EXPECT_EQ(state(keeper_, "monitor"), NodeState::kAlive);
}

}  // namespace
}  // namespace tidemark::bus
