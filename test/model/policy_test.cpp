#include "model/policy.h"

#include <gtest/gtest.h>

#include <limits>

namespace tidemark::model {
namespace {

Policy slow(const std::string& name = "slow") {
  Policy policy;
  policy.name = name;
  policy.scope.names = {"BPM:*"};
  policy.thinning.updates_per_s_max = 1;
  return policy;
}

std::string fault(const Policy& policy) {
  const auto checked = check_policy(policy);
  return checked ? "" : checked.error().message;
}

TEST(Policy, SaysWhatItDoes) {
  auto policy = slow();
  policy.order = 10;
  policy.scope.tags = {"area/linac"};
  policy.thinning.deadband_abs = 0.01;
  policy.thinning.deadband_rel = 0.02;
  policy.thinning.waveform_bytes_per_s_max = 102'400;
  EXPECT_EQ(describe(policy),
            "order 10, tags area/linac, names BPM:*: deadband 0.01, deadband 2 % of the value, at "
            "most 1 updates/s, waveforms at most 102400 B/s");
  EXPECT_EQ(describe(Thinning{}), "all");
  policy.thinning.off = true;
  EXPECT_EQ(describe(policy.thinning), "not archived");
  policy.scope.names.assign(7, "X");
  EXPECT_EQ(describe(policy),
            "order 10, tags area/linac, names X X X X X and 2 more: not archived");
}

TEST(Policy, TheSmallestOrderIsAskedFirstThenTheFirstName) {
  auto a = slow("a");
  auto b = slow("b");
  EXPECT_TRUE(before(a, b));
  a.order = 101;
  EXPECT_TRUE(before(b, a));
  EXPECT_FALSE(before(a, a));
}

TEST(Policy, RefusesWhatMeansNothingNamingTheField) {
  EXPECT_EQ(fault(slow()), "");
  for (const auto* name : {"", "two words", "a/b"}) {
    EXPECT_EQ(fault(slow(name)).substr(0, 6), "name: ") << name;
  }
  EXPECT_EQ(fault(slow(std::string(65, 'a'))).substr(0, 6), "name: ");
  auto policy = slow();
  policy.scope.names.clear();
  EXPECT_EQ(fault(policy), "scope: neither tags nor names; for all PVs give the name '*'");
  policy = slow();
  policy.scope.none = true;
  EXPECT_EQ(fault(policy), "scope: expected tags and names only");
  policy = slow();
  policy.scope.names = {"two words"};
  EXPECT_EQ(fault(policy).substr(0, 7), "names: ");
  policy = slow();
  policy.scope.names.assign(kPolicyScopeMax + 1, "X");
  EXPECT_EQ(fault(policy), "scope: more than 10000 tags and names");
  policy = slow();
  policy.thinning = {};
  EXPECT_EQ(fault(policy), "thinning: a policy without a limit changes nothing");
}

TEST(Policy, RefusesLimitsThatNoNumberCanKeep) {
  constexpr auto kNan = std::numeric_limits<double>::quiet_NaN();
  for (const double number : {kNan, -1.0, std::numeric_limits<double>::infinity()}) {
    auto policy = slow();
    policy.thinning.deadband_abs = number;
    EXPECT_EQ(fault(policy), "deadband: expected a number from 0") << number;
    policy = slow();
    policy.thinning.deadband_rel = number;
    EXPECT_EQ(fault(policy).substr(0, 18), "relative deadband:") << number;
    policy = slow();
    policy.thinning.updates_per_s_max = number;
    EXPECT_EQ(fault(policy).substr(0, 5), "rate:") << number;
    policy = slow();
    policy.thinning.waveform_bytes_per_s_max = number;
    EXPECT_EQ(fault(policy).substr(0, 16), "waveform budget:") << number;
  }
  auto policy = slow();
  policy.thinning.updates_per_s_max = 1e-9;
  EXPECT_EQ(fault(policy).substr(0, 5), "rate:");
}

}  // namespace
}  // namespace tidemark::model
