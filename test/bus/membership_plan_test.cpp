// test/bus/membership_plan_test.cpp

#include "bus/membership_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidemark::bus {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> said(const MembershipPlan::Actions& actions) {
  std::vector<std::string> words;
  for (const auto& ask : actions) {
    words.push_back((ask.registers ? "register " : "renew ") + std::to_string(ask.registry));
  }
  return words;
}

class MembershipPlanTest : public testing::Test {
 protected:
  using Words = std::vector<std::string>;

  Words pass(Duration duration) {
    now_ += duration;
    return said(plan_.tick(now_));
  }
  Words granted(std::size_t registry, Incarnation incarnation = 1) {
    return said(plan_.granted(registry, Lease{incarnation, 1, kLease}, now_));
  }
  Words not_found(std::size_t registry) { return said(plan_.not_found(registry, now_)); }
  Words heard(std::size_t registry, Incarnation incarnation) {
    return said(plan_.heard(registry, incarnation, now_));
  }
  Words surface_changed() { return said(plan_.surface_changed(now_)); }
  std::optional<std::size_t> first() const { return plan_.first(now_); }

  SteadyTime now_ = SteadyTime{} + 1h;
  MembershipPlan plan_{2};
};

TEST_F(MembershipPlanTest, RegistersWithEveryRegistryAndThenRenews) {
  EXPECT_THAT(pass(0s), ElementsAre("register 0", "register 1"));
  granted(0);
  granted(1);
  EXPECT_THAT(pass(900ms), IsEmpty());
  EXPECT_THAT(pass(100ms), ElementsAre("renew 0", "renew 1"));
}

TEST_F(MembershipPlanTest, AsksNobodyTwiceAtOnce) {
  pass(0s);
  EXPECT_THAT(pass(5s), IsEmpty());
}

TEST_F(MembershipPlanTest, SilentRegistryIsRegisteredWithAgain) {
  pass(0s);
  granted(0);
  granted(1);
  pass(1s);
  plan_.silent(0);
  granted(1);
  EXPECT_THAT(pass(1s), ElementsAre("register 0", "renew 1"));
}

TEST_F(MembershipPlanTest, RegistryThatDoesNotKnowUsIsRegisteredWithAtOnce) {
  pass(0s);
  granted(0);
  granted(1);
  pass(1s);
  EXPECT_THAT(not_found(0), ElementsAre("register 0"));
}

TEST_F(MembershipPlanTest, NewIncarnationOfARegistryIsRegisteredWithAtOnce) {
  pass(0s);
  granted(0, 3);
  EXPECT_THAT(heard(0, 3), IsEmpty());
  EXPECT_THAT(heard(0, 2), IsEmpty());
  EXPECT_THAT(heard(0, 4), ElementsAre("register 0"));
  granted(0, 4);
  EXPECT_THAT(heard(0, 4), IsEmpty());
}

TEST_F(MembershipPlanTest, ChangedSurfaceIsRegisteredAtOnce) {
  pass(0s);
  granted(0);
  granted(1);
  EXPECT_THAT(surface_changed(), ElementsAre("register 0", "register 1"));
}

// What is under way says what was before.
TEST_F(MembershipPlanTest, SurfaceThatChangesMeanwhileIsRegisteredOnceMore) {
  pass(0s);
  EXPECT_THAT(surface_changed(), IsEmpty());
  EXPECT_THAT(granted(0), ElementsAre("register 0"));
  EXPECT_THAT(granted(0), IsEmpty());
  EXPECT_THAT(pass(1s), ElementsAre("renew 0"));
}

TEST_F(MembershipPlanTest, FirstRegistryWithAGoodLeaseCounts) {
  EXPECT_EQ(first(), std::nullopt);
  pass(0s);
  granted(1);
  EXPECT_EQ(first(), 1U);
  granted(0);
  EXPECT_EQ(first(), 0U);
}

TEST_F(MembershipPlanTest, LeaseIsOverAfterItsDuration) {
  pass(0s);
  granted(0);
  pass(1s);
  granted(1);
  now_ += 1999ms;
  EXPECT_EQ(first(), 0U);
  now_ += 1ms;
  EXPECT_EQ(first(), 1U);
  now_ += 1s;
  EXPECT_EQ(first(), std::nullopt);
}

}  // namespace
}  // namespace tidemark::bus
