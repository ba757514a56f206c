// test/bus/registry_table_test.cpp

#include "bus/registry_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidemark::bus {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

NodeInfo node(const std::string& name, Incarnation incarnation = 1) {
  NodeInfo info;
  info.name = name;
  info.uuid = node_uuid("test", name);
  info.incarnation = incarnation;
  info.host = "control-1";
  info.pid = 100 + incarnation;
  return info;
}
Renewal renewal(const NodeInfo& node) { return {node.uuid, node.incarnation}; }

/// Changes as a reader of the test would say them.
std::vector<std::string> said(const RegistryTable::Changes& changes) {
  std::vector<std::string> words;
  for (const auto& change : changes) {
    std::string word;
    switch (change.kind) {
      case RegistryTable::Change::Kind::kUp: word = "up "; break;
      case RegistryTable::Change::Kind::kBack: word = "back "; break;
      case RegistryTable::Change::Kind::kSuperseded: word = "superseded "; break;
      case RegistryTable::Change::Kind::kDown: word = "down "; break;
      case RegistryTable::Change::Kind::kOther: break;
    }
    word += change.node.name + " " + std::string(to_string(change.node.state));
    if (!change.reason.empty()) word += ": " + change.reason;
    words.push_back(word);
  }
  return words;
}

class RegistryTableTest : public testing::Test {
 protected:
  using Words = std::vector<std::string>;

  Words add(const NodeInfo& node) { return said_or_why(table_.add(node, now_, utc())); }
  Words renew(const NodeInfo& node) {
    return said_or_why(table_.renew(renewal(node), now_, utc()));
  }
  Words goodbye(const NodeInfo& node) { return said(table_.goodbye(renewal(node), utc())); }
  Words exited(const std::string& name, std::uint32_t pid) {
    return said(table_.exited(name, pid, "killed by signal 9", utc()));
  }
  Words forget(const NodeInfo& node) {
    return said_or_why(table_.forget({node.uuid, node.name, "ada@console"}, now_));
  }
  /// Time passes, and the registry looks four times a second.
  Words pass(Duration duration) {
    Words words;
    for (const auto until = now_ + duration; now_ < until;) {
      now_ += std::min<Duration>(250ms, until - now_);
      for (auto& word : said(table_.tick(now_, utc()))) words.push_back(std::move(word));
    }
    return words;
  }
  Words stand_still(Duration duration) {
    now_ += duration;
    return said(table_.tick(now_, utc()));
  }
  static Words said_or_why(const Result<RegistryTable::Changes>& changes) {
    if (changes) return said(changes.value());
    return {std::string(to_string(changes.error().code)) + ": " + changes.error().message};
  }
  UtcTime utc() const { return UtcTime{now_.time_since_epoch()}; }
  const NodeInfo* find(const std::string& name) const { return table_.directory().find(name); }
  std::uint64_t revision() const { return table_.directory().revision; }

  SteadyTime now_ = SteadyTime{} + 1h;
  RegistryTable table_{5, now_};
};

TEST_F(RegistryTableTest, WhoeverRegistersIsUp) {
  EXPECT_THAT(add(node("monitor")), ElementsAre("up monitor alive"));
  EXPECT_EQ(find("monitor")->state_since, utc());
  EXPECT_EQ(table_.lease().registry, 5U);
  EXPECT_EQ(table_.lease().revision, 1U);
  EXPECT_EQ(table_.lease().duration, kLease);
  EXPECT_EQ(table_.alive(), 1U);
}

TEST_F(RegistryTableTest, RegisteringAgainChangesNothing) {
  add(node("monitor"));
  EXPECT_THAT(add(node("monitor")), IsEmpty());
  EXPECT_EQ(revision(), 1U);
}

TEST_F(RegistryTableTest, WhoeverRenewsStays) {
  add(node("monitor"));
  for (int i = 0; i < 10; ++i) {
    EXPECT_THAT(pass(kLeaseRenewal), IsEmpty());
    EXPECT_THAT(renew(node("monitor")), IsEmpty());
  }
}

TEST_F(RegistryTableTest, SilentNodeIsSuspectAfterHalfItsLeaseAndGoneAfterIt) {
  add(node("monitor"));
  EXPECT_THAT(pass(1500ms), IsEmpty());
  EXPECT_THAT(pass(250ms), ElementsAre("monitor suspect"));
  EXPECT_THAT(pass(1250ms), IsEmpty());
  EXPECT_THAT(pass(250ms), ElementsAre("down monitor disconnected: lease over"));
  EXPECT_EQ(find("monitor")->state_since, utc());
  EXPECT_EQ(table_.alive(), 0U);
}

TEST_F(RegistryTableTest, SuspectThatRenewsIsAliveAgain) {
  add(node("monitor"));
  pass(2s);
  EXPECT_THAT(renew(node("monitor")), ElementsAre("monitor alive"));
}

TEST_F(RegistryTableTest, FrozenProcessThatRenewsIsBack) {
  add(node("monitor"));
  pass(10s);
  EXPECT_THAT(renew(node("monitor")), ElementsAre("back monitor alive"));
  EXPECT_THAT(pass(1s), IsEmpty());
}

TEST_F(RegistryTableTest, NewerIncarnationSupersedes) {
  add(node("monitor", 1));
  EXPECT_THAT(
      add(node("monitor", 2)),
      ElementsAre("superseded monitor alive: superseded by incarnation 2", "up monitor alive"));
  EXPECT_EQ(find("monitor")->incarnation, 2U);
  EXPECT_THAT(table_.directory().nodes, SizeIs(1));
  EXPECT_EQ(revision(), 2U) << "of the life that ended nothing is published";
}

TEST_F(RegistryTableTest, NewerIncarnationOfAGoneNodeIsJustUp) {
  add(node("monitor", 1));
  pass(5s);
  EXPECT_THAT(add(node("monitor", 2)), ElementsAre("up monitor alive"));
}

TEST_F(RegistryTableTest, OlderIncarnationIsRefusedWithThePlaceOfTheNewer) {
  add(node("monitor", 2));
  const auto why = ElementsAre(
      "refused: monitor incarnation 1 is superseded by incarnation 2 on control-1, pid 102");
  EXPECT_THAT(add(node("monitor", 1)), why);
  EXPECT_THAT(renew(node("monitor", 1)), why);
}

TEST_F(RegistryTableTest, SameIncarnationOfAnotherProcessIsRefused) {
  add(node("monitor"));
  auto other = node("monitor");
  other.pid = 4711;
  EXPECT_THAT(add(other), ElementsAre("conflict: monitor incarnation 1 is another process on "
                                      "control-1, pid 101"));
  other = node("monitor");
  other.host = "control-2";
  EXPECT_THAT(add(other), ElementsAre(HasSubstr("is another process on control-1, pid 101")));
  EXPECT_EQ(find("monitor")->pid, 101U);
}

TEST_F(RegistryTableTest, NameOfALivingNodeIsTaken) {
  add(node("monitor"));
  auto other = node("monitor");
  other.uuid = node_uuid("another site", "monitor");
  EXPECT_THAT(add(other), ElementsAre("conflict: the name 'monitor' belongs to node " +
                                      node("monitor").uuid.text() + " on control-1, pid 101"));
}

TEST_F(RegistryTableTest, NameOfAGoneNodeIsFreeAndTheGoneOneForgotten) {
  add(node("monitor"));
  goodbye(node("monitor"));
  auto other = node("monitor");
  other.uuid = node_uuid("another site", "monitor");
  EXPECT_THAT(add(other),
              ElementsAre("monitor forgotten: its name has a new owner", "up monitor alive"));
  EXPECT_THAT(table_.directory().nodes, SizeIs(1));
}

TEST_F(RegistryTableTest, NumberOfALivingNodeIsTaken) {
  add(node("monitor"));
  auto other = node("keeper");
  other.uuid = node("monitor").uuid;
  other.uuid.bytes[15] ^= 1;  // The number is the beginning.
  EXPECT_THAT(add(other), ElementsAre("conflict: the number of 'keeper' belongs to 'monitor' on "
                                      "control-1, pid 101"));
}

TEST_F(RegistryTableTest, RenewalOfAnUnknownNodeIsNotFound) {
  EXPECT_THAT(renew(node("monitor")), ElementsAre(HasSubstr("not registered here")));
  add(node("monitor", 1));
  EXPECT_THAT(renew(node("monitor", 2)), ElementsAre(HasSubstr("not registered here")));
}

TEST_F(RegistryTableTest, StoppedNodeIsNotRevivedByALateRenewal) {
  add(node("monitor"));
  EXPECT_THAT(goodbye(node("monitor")), ElementsAre("down monitor stopped: stopped"));
  EXPECT_THAT(renew(node("monitor")), ElementsAre(HasSubstr("monitor said goodbye")));
  EXPECT_THAT(pass(10s), IsEmpty());
  EXPECT_THAT(goodbye(node("monitor")), IsEmpty());
}

TEST_F(RegistryTableTest, GoodbyeOfAnOlderIncarnationIsIgnored) {
  add(node("monitor", 2));
  EXPECT_THAT(goodbye(node("monitor", 1)), IsEmpty());
  EXPECT_EQ(find("monitor")->state, NodeState::kAlive);
}

TEST_F(RegistryTableTest, ProcessThatWasSeenToEndIsGoneAtOnce) {
  add(node("monitor"));
  EXPECT_THAT(exited("monitor", 4711), IsEmpty());
  EXPECT_THAT(exited("monitor", 101), ElementsAre("down monitor disconnected: killed by signal 9"));
  EXPECT_THAT(exited("monitor", 101), IsEmpty());
}

TEST_F(RegistryTableTest, ChangedSurfaceIsAChangeAndKeepsTheTimeOfTheState) {
  add(node("monitor"));
  const auto since = utc();
  pass(1s);
  auto changed = node("monitor");
  changed.surface.bytes = "keys";
  EXPECT_THAT(add(changed), ElementsAre("monitor alive"));
  EXPECT_EQ(find("monitor")->surface.bytes, "keys");
  EXPECT_EQ(find("monitor")->state_since, since);
}

TEST_F(RegistryTableTest, RegistryThatStoodStillDeclaresNobodyDead) {
  add(node("monitor"));
  pass(1s);
  EXPECT_THAT(stand_still(1h), IsEmpty());
  EXPECT_EQ(find("monitor")->state, NodeState::kAlive);
  // Whoever is silent from then on is found out.
  EXPECT_THAT(pass(3s), ElementsAre("monitor suspect", "down monitor disconnected: lease over"));
}

// The renewal waited in the mailbox, and is read before the clock is looked at.
TEST_F(RegistryTableTest, RenewalFromTheStandstillIsNoLongerLeaseThanAnyOther) {
  add(node("monitor"));
  pass(1s);
  now_ += 1h;
  renew(node("monitor"));
  table_.tick(now_, utc());
  EXPECT_THAT(pass(4s), ElementsAre("monitor suspect", "down monitor disconnected: lease over"));
}

TEST_F(RegistryTableTest, WhoHasBeenGoneForLongIsForgotten) {
  add(node("monitor"));
  goodbye(node("monitor"));
  EXPECT_THAT(pass(RegistryTable::kGoneKept - 1s), IsEmpty());
  EXPECT_THAT(pass(2s), ElementsAre("monitor forgotten: gone for long"));
  EXPECT_THAT(table_.directory().nodes, IsEmpty());
}

TEST_F(RegistryTableTest, RevisionCountsTheChanges) {
  std::size_t changes = add(node("monitor", 1)).size() + add(node("keeper", 1)).size();
  changes += add(node("monitor", 2)).size();
  changes += pass(10s).size();
  changes += renew(node("keeper", 1)).size();
  changes += goodbye(node("keeper", 1)).size();
  EXPECT_EQ(changes, 10U);
  EXPECT_EQ(revision(), changes - 1) << "a life that was superseded is no item of its own";
  EXPECT_EQ(table_.lease().revision, revision());
}

TEST_F(RegistryTableTest, TakesNoMoreNodesThanItsLimit) {
  for (std::size_t i = 0; i < RegistryTable::kNodesMax; ++i) {
    auto each = node("n" + std::to_string(i));
    each.uuid.bytes = {};
    for (std::size_t byte = 0; byte < 4; ++byte) {
      each.uuid.bytes[byte] = static_cast<std::uint8_t>(i >> (8 * byte));
    }
    // Through a whole directory, since each registration looks at all the others.
    if (i % 1000 == 0 || i + 1 == RegistryTable::kNodesMax) SCOPED_TRACE(i);
    ASSERT_TRUE(table_.add(each, now_, utc()));
  }
  EXPECT_THAT(add(node("one more")), ElementsAre(HasSubstr("takes no more")));
  EXPECT_THAT(add([] {
                auto known = node("n7");
                known.uuid.bytes = {7};
                return known;
              }()),
              IsEmpty());
}

// ---- settled -----------------------------------------------------------------------------------

TEST_F(RegistryTableTest, DoesNotClaimToKnowEverybodyForALeaseAfterItsStart) {
  EXPECT_EQ(table_.answer(now_).settles_in, kLease);
  pass(1s);
  add(node("monitor"));
  EXPECT_EQ(table_.answer(now_).settles_in, kLease - 1s);
  EXPECT_THAT(table_.answer(now_).nodes, SizeIs(1));
  pass(2s);
  EXPECT_EQ(table_.answer(now_).settles_in, 0s);
}

TEST_F(RegistryTableTest, TimeThatItStoodStillSettlesNothing) {
  pass(1s);
  stand_still(60s);
  EXPECT_EQ(table_.answer(now_).settles_in, kLease - 1s) << "nobody could register meanwhile";
}

// ---- remembered
// ----------------------------------------------------------------------------------

TEST_F(RegistryTableTest, WhoDoesNotComeBackAfterARestartIsDisconnectedWhenItIsSettled) {
  auto dead = node("dead");
  dead.state = NodeState::kDisconnected;
  table_.remember({node("monitor"), node("gone"), dead});
  add(node("monitor"));
  for (int second = 1; second <= 2; ++second) {
    EXPECT_THAT(pass(1s), IsEmpty());
    renew(node("monitor"));
  }
  EXPECT_THAT(pass(1s), ElementsAre("down gone disconnected: not back after the registry restarted",
                                    "dead disconnected: not back after the registry restarted"));
  EXPECT_EQ(revision(), 3U);
  renew(node("monitor"));
  EXPECT_THAT(pass(1s), IsEmpty());
}

TEST_F(RegistryTableTest, AllButWhoSaidGoodbyeAreRemembered) {
  add(node("monitor"));
  add(node("keeper"));
  add(node("gateway"));
  exited("keeper", node("keeper").pid);
  goodbye(node("gateway"));
  std::vector<std::string> names;
  for (const auto& each : table_.to_remember()) names.push_back(each.name);
  EXPECT_THAT(names, ElementsAre("monitor", "keeper"));
}

TEST_F(RegistryTableTest, WhoIsRememberedIsSoAlsoWhenItRestartsOnceMore) {
  table_.remember({node("monitor"), node("keeper")});
  add(node("keeper"));
  goodbye(node("keeper"));
  ASSERT_THAT(table_.to_remember(), SizeIs(1));
  EXPECT_EQ(table_.to_remember()[0].name, "monitor");
}

TEST_F(RegistryTableTest, IncarnationThatWasSupersededBeforeTheRestartIsRefused) {
  table_.remember({node("monitor", 3)});
  EXPECT_THAT(add(node("monitor", 2)), ElementsAre(HasSubstr("superseded by incarnation 3")));
  EXPECT_THAT(add(node("monitor", 3)), ElementsAre("up monitor alive"));
}

TEST_F(RegistryTableTest, NameThatHasANewOwnerIsNotMissed) {
  auto former = node("monitor");
  former.uuid = node_uuid("test", "another");
  table_.remember({former});
  add(node("monitor"));
  pass(1s);
  renew(node("monitor"));
  pass(1s);
  renew(node("monitor"));
  EXPECT_THAT(pass(1s), IsEmpty());
}

TEST_F(RegistryTableTest, ForgetsWhoIsGoneWhenAnOperatorSaysSo) {
  add(node("psu.1"));
  pass(kLease + 1s);
  const auto revision = table_.directory().revision;
  EXPECT_THAT(forget(node("psu.1")), ElementsAre("psu.1 forgotten: forgotten by ada@console"));
  EXPECT_EQ(table_.directory().find("psu.1"), nullptr);
  EXPECT_EQ(table_.directory().revision, revision + 1);
  EXPECT_THAT(table_.to_remember(), IsEmpty());
  EXPECT_THAT(add(node("psu.1", 2)), ElementsAre("up psu.1 alive"));
}

TEST_F(RegistryTableTest, ForgetsNobodyWhoIsAlive) {
  add(node("psu.1"));
  pass(kLease - 1s);
  renew(node("psu.1"));
  pass(1s);
  EXPECT_THAT(forget(node("psu.1")),
              ElementsAre(HasSubstr("psu.1 is alive on control-1, pid 101")));
  pass(kLease * 2 / 3);
  EXPECT_THAT(forget(node("psu.1")), ElementsAre(HasSubstr("psu.1 is suspect")));
  EXPECT_NE(table_.directory().find("psu.1"), nullptr);
}

TEST_F(RegistryTableTest, ForgetsNobodyBeforeItKnowsWhoIsAlive) {
  auto before = node("psu.1");
  before.state = NodeState::kDisconnected;
  table_.remember({before});
  EXPECT_THAT(forget(before), ElementsAre(HasSubstr("does not know yet who is alive")));
  now_ += kLease;
  EXPECT_THAT(forget(before), ElementsAre(HasSubstr("psu.1 forgotten")));
  EXPECT_THAT(pass(1s), IsEmpty());
  EXPECT_THAT(table_.to_remember(), IsEmpty());
}

TEST_F(RegistryTableTest, SaysAlsoOfWhomItNeverHeardThatHeIsForgotten) {
  pass(kLease);
  EXPECT_THAT(forget(node("psu.1")), ElementsAre(HasSubstr("psu.1 forgotten")));
  EXPECT_EQ(table_.directory().revision, 1u);
}

}  // namespace
}  // namespace tidemark::bus
