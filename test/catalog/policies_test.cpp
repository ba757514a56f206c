#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "catalog/catalog.h"
#include "catalog/memory_store.h"

namespace tidemark::catalog {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class PoliciesTest : public testing::Test {
 protected:
  void SetUp() override {
    model::api::ImportRequest request;
    request.csv =
        "Setpoint,Readback,Area,Kind\n"
        "MAG:Q1:S,MAG:Q1:R,North,Quad\n"
        "MAG:D1:S,MAG:D1:R,North,Dipole\n"
        "MAG:Q2:S,MAG:Q1:R,South,Quad\n";  // the readback of Q1 once more
    ASSERT_TRUE(catalog_.import_csv(request, UtcTime{}));
  }
  static model::Policy policy(const std::string& name, std::int32_t order,
                              std::vector<std::string> names, std::vector<std::string> tags = {}) {
    model::Policy made;
    made.name = name;
    made.order = order;
    made.scope.names = std::move(names);
    made.scope.tags = std::move(tags);
    made.thinning.updates_per_s_max = 1;
    return made;
  }
  void set(const model::Policy& policy) {
    const auto done = catalog_.set_policy(policy);
    ASSERT_TRUE(done) << done.error().message;
  }
  /// The name of the policy that decides about each address, in the order of their numbers.
  std::vector<std::string> deciding() const {
    std::vector<std::string> names;
    for (const auto index : catalog_.deciding(catalog_.policies())) {
      names.push_back(index == Catalog::kNoPolicy ? "" : catalog_.policies()[index].name);
    }
    names.erase(names.begin());  // number 0 is nobody
    return names;
  }
  std::string by(const std::string& address) const {
    return deciding()[raw(*catalog_.channel_of(address)) - 1];
  }

  std::shared_ptr<MemoryStore> store_ = std::make_shared<MemoryStore>();
  Catalog catalog_ = Catalog::load(store_).value();
};

TEST_F(PoliciesTest, DecideAboutAddressesNotAboutWholePvs) {
  set(policy("readbacks", 1, {"*:R"}));
  EXPECT_EQ(by("MAG:Q1:R"), "readbacks");
  EXPECT_EQ(by("MAG:Q1:S"), "");
}

TEST_F(PoliciesTest, TakeTagsAndNamesTogether) {
  set(policy("north", 1, {"*:S"}, {"area/north", "kind/quad"}));
  EXPECT_EQ(by("MAG:Q1:S"), "north");
  EXPECT_EQ(by("MAG:Q1:R"), "");
  EXPECT_EQ(by("MAG:D1:S"), "");
  EXPECT_EQ(by("MAG:Q2:S"), "");
}

TEST_F(PoliciesTest, TheTagsOfAnyPvWithTheAddressCount) {
  set(policy("south", 1, {}, {"area/south"}));
  EXPECT_EQ(by("MAG:Q1:R"), "south");
  EXPECT_EQ(by("MAG:Q2:S"), "south");
  EXPECT_EQ(by("MAG:Q1:S"), "");
}

TEST_F(PoliciesTest, TheFirstByOrderDecides) {
  set(policy("all", 50, {"*"}));
  set(policy("one", 10, {"MAG:D1:S"}));
  set(policy("also", 50, {"MAG:Q*"}));
  EXPECT_EQ(by("MAG:D1:S"), "one");
  EXPECT_EQ(by("MAG:Q1:S"), "all");
  set(policy("also", 49, {"MAG:Q*"}));
  EXPECT_EQ(by("MAG:Q1:S"), "also");
  EXPECT_THAT(catalog_.policies(), SizeIs(3));
  ASSERT_TRUE(catalog_.remove_policy("also"));
  EXPECT_EQ(by("MAG:Q1:S"), "all");
  EXPECT_EQ(catalog_.policy_changes(), 5u);
}

TEST_F(PoliciesTest, SayWhyTheyDecideOrNot) {
  set(policy("tagged", 1, {}, {"kind/dipole"}));
  set(policy("named", 2, {"MAG:D*"}));
  set(policy("mine", 3, {"MAG:Q1:S"}));
  set(policy("late", 4, {"*"}));
  const auto why = catalog_.explain("MAG:Q1:S").value();
  EXPECT_EQ(why.policy, "mine");
  EXPECT_EQ(why.thinning.updates_per_s_max, 1);
  std::vector<std::string> reasons;
  for (const auto& each : why.reasons) reasons.push_back(each.policy + ": " + each.reason);
  EXPECT_THAT(reasons, ElementsAre("tagged: no PV with this address has its tags",
                                   "named: none of its names fits the address", "mine: decides",
                                   "late: fits too, but mine comes first"));
  EXPECT_EQ(catalog_.explain("MAG:Q9:S").error().code, Code::kNotFound);
}

TEST_F(PoliciesTest, AreTheSameWhenLoadedAgain) {
  auto full = policy("full", 1, {"MAG:*", "X"}, {"kind/quad"});
  full.thinning.deadband_abs = 0.5;
  full.thinning.deadband_rel = 0.25;
  full.thinning.waveform_bytes_per_s_max = 1e5;
  full.modified_by = "ann@ring";
  full.modified_at = UtcTime{std::chrono::hours(1)};
  set(full);
  set(policy("before", 0, {"*"}));
  const auto loaded = Catalog::load(store_).value();
  EXPECT_EQ(loaded.policies(), catalog_.policies());
  EXPECT_EQ(*loaded.find_policy("full"), full);
}

TEST_F(PoliciesTest, RefuseWhatIsWrongAndChangeNothing) {
  EXPECT_EQ(catalog_.set_policy(policy("two words", 1, {"*"})).error().code,
            Code::kInvalidArgument);
  EXPECT_EQ(catalog_.set_policy(policy("tagged", 1, {}, {"kind/none"})).error().code,
            Code::kNotFound);
  EXPECT_EQ(catalog_.remove_policy("nobody").error().code, Code::kNotFound);
  store_->refuse_commits(Error{Code::kUnavailable, "disk full"});
  EXPECT_EQ(catalog_.set_policy(policy("all", 1, {"*"})).error().code, Code::kUnavailable);
  store_->refuse_commits({});
  EXPECT_THAT(catalog_.policies(), IsEmpty());
  EXPECT_EQ(catalog_.policy_changes(), 0u);
}

TEST_F(PoliciesTest, AreNotMoreThanTheLimit) {
  for (std::size_t i = 0; i < model::kPoliciesMax; ++i) {
    set(policy("p" + std::to_string(i), 1, {"NONE"}));
  }
  EXPECT_EQ(catalog_.set_policy(policy("one", 1, {"*"})).error().code, Code::kUnavailable);
  EXPECT_TRUE(catalog_.set_policy(policy("p7", 2, {"*"})));
}

TEST_F(PoliciesTest, NameTheKeyThatIsBroken) {
  ASSERT_TRUE(store_->commit({{"y/bad", Bytes("?")}}));
  const auto loaded = Catalog::load(store_);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Code::kCorruption);
  EXPECT_THAT(loaded.error().message, testing::HasSubstr("y/bad"));
}

}  // namespace
}  // namespace tidemark::catalog
