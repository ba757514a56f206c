// test/bus/directory_copy_test.cpp

#include "bus/directory_copy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidemark::bus {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

NodeInfo node(const std::string& name, NodeState state = NodeState::kAlive) {
  NodeInfo info;
  info.name = name;
  info.uuid = node_uuid("test", name);
  info.incarnation = 1;
  info.state = state;
  return info;
}

std::vector<std::string> said(const std::vector<NodeInfo>& nodes) {
  std::vector<std::string> words;
  for (const auto& each : nodes)
    words.push_back(each.name + " " + std::string(to_string(each.state)));
  return words;
}

class DirectoryCopyTest : public testing::Test {
 protected:
  using Words = std::vector<std::string>;

  Words whole(Incarnation registry, std::vector<NodeInfo> nodes) {
    const auto revision = nodes.size();
    return said(copy_.take_whole(Directory{revision, registry, std::move(nodes), 0s}, now_));
  }
  Words unsettled(Incarnation registry, Duration settles_in) {
    return said(copy_.take_whole(Directory{0, registry, {}, settles_in}, now_));
  }
  Words changes(const std::vector<NodeInfo>& nodes) { return said(copy_.take_changes(nodes)); }
  Words pass(Duration duration) {
    now_ += duration;
    return said(copy_.tick(now_, UtcTime{now_.time_since_epoch()}));
  }
  Words all() const { return said(copy_.directory().nodes); }

  SteadyTime now_ = SteadyTime{} + 1h;
  DirectoryCopy copy_;
};

TEST_F(DirectoryCopyTest, WholeDirectorySaysWhoIsNewAndWhoChanged) {
  EXPECT_THAT(whole(1, {node("a"), node("b")}), ElementsAre("a alive", "b alive"));
  EXPECT_THAT(whole(1, {node("a"), node("b", NodeState::kSuspect)}), ElementsAre("b suspect"));
  EXPECT_THAT(whole(1, {node("a"), node("b", NodeState::kSuspect)}), IsEmpty());
}

TEST_F(DirectoryCopyTest, WhoIsMissingAtTheSameRegistryIsForgotten) {
  whole(1, {node("a"), node("b")});
  EXPECT_THAT(whole(1, {node("a")}), ElementsAre("b forgotten"));
  EXPECT_THAT(all(), ElementsAre("a alive"));
}

TEST_F(DirectoryCopyTest, ChangesAreCountedByTheRevision) {
  whole(1, {node("a")});
  EXPECT_THAT(changes({node("a", NodeState::kSuspect), node("b")}),
              ElementsAre("a suspect", "b alive"));
  EXPECT_EQ(copy_.directory().revision, 3U);
  EXPECT_EQ(copy_.directory().registry, 1U);
}

TEST_F(DirectoryCopyTest, ForgottenNodeLeaves) {
  whole(1, {node("a"), node("b")});
  EXPECT_THAT(changes({node("a", NodeState::kForgotten)}), ElementsAre("a forgotten"));
  EXPECT_THAT(all(), ElementsAre("b alive"));
}

TEST_F(DirectoryCopyTest, RegistryThatHasJustStartedNeedNotKnowEverybody) {
  whole(1, {node("a"), node("b")});
  EXPECT_THAT(whole(2, {node("a")}), IsEmpty());
  EXPECT_THAT(all(), ElementsAre("a alive", "b alive"));
  EXPECT_EQ(copy_.directory().registry, 2U);
}

TEST_F(DirectoryCopyTest, WhoRegistersThereInTimeStays) {
  whole(1, {node("a"), node("b")});
  whole(2, {node("a")});
  pass(5s);
  changes({node("b")});
  EXPECT_THAT(pass(10s), IsEmpty());
  EXPECT_THAT(all(), ElementsAre("a alive", "b alive"));
}

TEST_F(DirectoryCopyTest, WholeDirectoryConfirmsToo) {
  whole(1, {node("a"), node("b")});
  whole(2, {});
  whole(2, {node("a")});
  EXPECT_THAT(pass(DirectoryCopy::kConfirmWithin), ElementsAre("b disconnected"));
}

TEST_F(DirectoryCopyTest, WhoDoesNotRegisterThereInTimeIsDisconnected) {
  whole(1, {node("a"), node("b")});
  whole(2, {node("a")});
  EXPECT_THAT(pass(5900ms), IsEmpty());
  EXPECT_THAT(pass(100ms), ElementsAre("b disconnected"));
  EXPECT_EQ(copy_.directory().find("b")->state_since, UtcTime{now_.time_since_epoch()});
  EXPECT_THAT(pass(10s), IsEmpty());
}

TEST_F(DirectoryCopyTest, WhoWasGoneIsForgottenByARegistryThatHasJustStarted) {
  whole(1, {node("a"), node("b", NodeState::kStopped)});
  EXPECT_THAT(whole(2, {node("a")}), ElementsAre("b forgotten"));
}

TEST_F(DirectoryCopyTest, WhoDiedWithoutAGoodbyeIsNotForgottenWithTheRegistryThatSawIt) {
  whole(1, {node("a"), node("b", NodeState::kDisconnected), node("c")});
  EXPECT_THAT(whole(2, {node("a")}), IsEmpty());
  EXPECT_THAT(pass(DirectoryCopy::kConfirmWithin), ElementsAre("c disconnected"));
  EXPECT_THAT(whole(2, {node("a")}), IsEmpty()) << "whole once more changes nothing";
  EXPECT_THAT(all(), ElementsAre("a alive", "b disconnected", "c disconnected"));
  EXPECT_THAT(changes({node("b"), node("c", NodeState::kForgotten)}),
              ElementsAre("b alive", "c forgotten"));
  EXPECT_THAT(whole(2, {node("a")}), ElementsAre("b forgotten")) << "this one knew it, and forgot";
}

TEST_F(DirectoryCopyTest, IsSettledWhenItsRegistrySays) {
  unsettled(1, 3s);
  EXPECT_EQ(copy_.settled_at(), now_ + 3s);
  unsettled(2, -1h);
  EXPECT_EQ(copy_.settled_at(), now_);
  unsettled(3, Duration::max());
  EXPECT_EQ(copy_.settled_at(), now_ + DirectoryCopy::kConfirmWithin);
}

}  // namespace
}  // namespace tidemark::bus
