#include "model/restore_plan.h"

#include <gtest/gtest.h>

#include <limits>

namespace tidemark::model {
namespace {

/// One PV, as it was saved and as it is now.
class RestorePlanTest : public testing::Test {
 protected:
  RestorePlanTest() : snapshot_(one_pv()), pv_(snapshot_.pvs[0]) {
    pv_.setpoint = 0;
    snapshot_.values.resize(1);
    saved_.channel = ChannelId{1};
    saved_.address = "MAG:Q1:S";
    saved_.state = LiveState::kConnected;
    saved_.value = 12.5;
    meta_.native_type = "double";
  }

  static Snapshot one_pv() {
    Snapshot made;
    made.pvs.resize(1);
    return made;
  }

  RestorePlan plan(const PvValue& now = 1.0) {
    snapshot_.values[0] = saved_;
    LiveTable live;
    PvUpdate update;
    update.channel = ChannelId{1};
    update.event = PvUpdate::Event::kConnected;
    update.meta = std::make_shared<const PvMeta>(meta_);
    live.apply(update, {});
    update.event = PvUpdate::Event::kValue;
    update.alarm = alarm_now_;
    update.value = now;
    live.apply(update, {});
    if (!connected_now_) {
      update.event = PvUpdate::Event::kDisconnected;
      live.apply(update, {});
    }
    return restore_plan(snapshot_, live, options_);
  }
  RestoreStep step(const PvValue& now = 1.0) { return plan(now).steps.at(0); }
  std::string refusal(const PvValue& now = 1.0) {
    const auto made = step(now);
    return made.action == StepAction::kRefuse ? made.reason : std::string(to_string(made.action));
  }
  /// What becomes of that saved value in a PV of that type.
  std::string fit(const PvValue& value, const std::string& native_type, std::uint32_t count = 1) {
    saved_.value = value;
    meta_.native_type = native_type;
    meta_.count = count;
    return refusal({});
  }

  Snapshot snapshot_;
  CapturedPv& pv_;
  CapturedValue saved_;
  PvMeta meta_;
  Alarm alarm_now_;
  bool connected_now_ = true;
  RestoreOptions options_;
};

PvValue array(std::vector<double> elements) { return SharedArray(PvArray(std::move(elements))); }

TEST_F(RestorePlanTest, WritesWhatIsDifferent) {
  const auto made = plan(1.0);
  ASSERT_EQ(made.steps.size(), 1u);
  EXPECT_EQ(made.steps[0].action, StepAction::kWrite);
  EXPECT_EQ(made.steps[0].target, PvValue(12.5));
  EXPECT_EQ(made.steps[0].live, PvValue(1.0));
  EXPECT_EQ(made.steps[0].address, "MAG:Q1:S");
  EXPECT_EQ(made.steps[0].reason, "");
  EXPECT_EQ(made.writes, 1u);
}

TEST_F(RestorePlanTest, SkipsWhatIsThereAlready) {
  EXPECT_EQ(step(12.5).action, StepAction::kSkip);
  EXPECT_EQ(step(12.5).reason, "equal");
  pv_.abs_tolerance = 1;
  EXPECT_EQ(step(12.0).reason, "within tolerance");
  EXPECT_EQ(plan(12.0).skips, 1u);
}

TEST_F(RestorePlanTest, WritesWhatIsThereAlreadyWhenForced) {
  options_.force = true;
  EXPECT_EQ(step(12.5).action, StepAction::kWrite);
  pv_.read_only = true;
  EXPECT_EQ(step(12.5).action, StepAction::kRefuse);
}

TEST_F(RestorePlanTest, DoesNotTrustAnInvalidValueToBeThere) {
  alarm_now_ = {Severity::kInvalid, 17};
  EXPECT_EQ(step(12.5).action, StepAction::kWrite);
}

TEST_F(RestorePlanTest, WritesNoReadOnlyPv) {
  pv_.read_only = true;
  EXPECT_EQ(refusal(), "the PV is defined as read-only");
  EXPECT_EQ(step(12.5).action, StepAction::kSkip) << "nothing would be written anyway";
}

TEST_F(RestorePlanTest, WritesNothingWithoutWriteAccess) {
  meta_.writable = false;
  EXPECT_EQ(refusal(), "the IOC gives no write access");
}

TEST_F(RestorePlanTest, WritesNothingThatWasNotSavedWell) {
  saved_.alarm = {Severity::kInvalid, 17};
  EXPECT_EQ(refusal(), "the value was INVALID when saved (UDF)");
  saved_.state = LiveState::kDisconnected;
  EXPECT_EQ(refusal(), "it was disconnected when saved: the value is older than the snapshot");
}

TEST_F(RestorePlanTest, SkipsWhatWasNeverSaved) {
  saved_.state = LiveState::kNeverConnected;
  saved_.value = {};
  EXPECT_EQ(step().action, StepAction::kSkip);
  EXPECT_EQ(step().reason, "no value was saved: never connected");
}

TEST_F(RestorePlanTest, WritesNothingThatIsNotConnected) {
  connected_now_ = false;
  EXPECT_EQ(refusal(), "it is disconnected");
  EXPECT_EQ(refusal(12.5), "it is disconnected") << "nobody knows whether it is there";
  saved_.channel = ChannelId{2};
  EXPECT_EQ(refusal(), "it has never been connected");
}

TEST_F(RestorePlanTest, StaysWithinTheControlLimits) {
  meta_.control_limits = Range{0, 10};
  EXPECT_EQ(refusal(), "12.5 is above the IOC's upper control limit 10");
  saved_.value = -1.0;
  EXPECT_EQ(refusal(), "-1 is below the IOC's lower control limit 0");
  saved_.value = 10.0;
  EXPECT_EQ(refusal(), "write");
  saved_.value = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(refusal(), "nan is not within the IOC's control limits 0 to 10");
  meta_.count = 4;
  saved_.value = array({1, 2, 11});
  EXPECT_EQ(refusal({}), "element 2: 11 is above the IOC's upper control limit 10");
}

TEST_F(RestorePlanTest, TakesANumberIntoAnotherWidthWhenItFits) {
  EXPECT_EQ(fit(3.0, "long"), "write");
  EXPECT_EQ(fit(3.5, "long"), "3.5 is not a whole number, and the PV is now a long");
  EXPECT_EQ(fit(3e9, "long"), "3e+09 does not fit into a long");
  EXPECT_EQ(fit(std::int32_t{40'000}, "short"), "40000 does not fit into a short");
  EXPECT_EQ(fit(std::int16_t{-1}, "char"), "-1 does not fit into a char");
  EXPECT_EQ(fit(std::int32_t{7}, "double"), "write");
  EXPECT_EQ(fit(1e300, "float"), "1e+300 does not fit into a float");
  EXPECT_EQ(fit(std::numeric_limits<double>::quiet_NaN(), "float"), "write");
  EXPECT_EQ(fit(std::numeric_limits<double>::infinity(), "double"), "write");
  EXPECT_NE(fit(std::numeric_limits<double>::quiet_NaN(), "long"), "write");
}

TEST_F(RestorePlanTest, RefusesAnotherKindOfType) {
  EXPECT_EQ(fit(1.0, "string"), "the type changed from double to string");
  EXPECT_EQ(fit(1.0, "enum"), "the type changed from double to enum");
  EXPECT_EQ(fit(EnumIndex{1}, "double"), "the type changed from enum to double");
  EXPECT_EQ(fit(std::string("x"), "double"), "the type changed from string to double");
  EXPECT_EQ(fit(array({1}), "string[]", 4), "the type changed from double[] to string[]");
}

TEST_F(RestorePlanTest, RefusesWhatIsTooLong) {
  EXPECT_EQ(fit(array({1, 2, 3}), "double[]", 2), "the array has 3 elements, the PV holds 2");
  EXPECT_EQ(fit(array({1, 2}), "double[]", 2), "write");
  EXPECT_EQ(fit(array({1, 2.5}), "long[]", 2),
            "element 1: 2.5 is not a whole number, and the PV is now a long[]");
  EXPECT_EQ(fit(array({}), "double[]", 2), "an empty array cannot be written");
  EXPECT_EQ(fit(std::string(39, 'x'), "string"), "write");
  EXPECT_EQ(fit(std::string(40, 'x'), "string"), "the string has 40 bytes, the PV holds 39");
  EXPECT_EQ(fit(std::string(40, 'x'), "char[]", 100), "write");
}

TEST_F(RestorePlanTest, WritesTheIndexThatAnEnumLabelHasNow) {
  saved_.value = EnumIndex{1};
  saved_.labels = {"Off", "On"};
  meta_.native_type = "enum";
  meta_.labels = {"Off", "Standby", "On"};
  EXPECT_EQ(step(EnumIndex{0}).target, PvValue(EnumIndex{2}));
  EXPECT_EQ(step(EnumIndex{2}).reason, "equal");
  EXPECT_EQ(step(EnumIndex{1}).action, StepAction::kWrite) << "the old number means Standby now";
  meta_.labels = {"Closed", "Open"};
  EXPECT_EQ(refusal(EnumIndex{0}),
            "the state 'On' (1 when saved) is not among the IOC's states now");
  saved_.labels.clear();
  EXPECT_EQ(step(EnumIndex{0}).target, PvValue(EnumIndex{1}));
  saved_.value = EnumIndex{5};
  EXPECT_EQ(refusal(EnumIndex{0}), "state 5 is not one of the IOC's 2 states");
}

TEST_F(RestorePlanTest, LooksOnlyAtSetpointsInScope) {
  snapshot_.values[0] = saved_;
  snapshot_.pvs.resize(3);
  snapshot_.pvs[1].readback = 0;
  snapshot_.pvs[2].setpoint = 0;
  EXPECT_EQ(restore_plan(snapshot_, {}, {}).steps.size(), 2u);
  const std::vector<bool> first_two = {true, true, false};
  EXPECT_EQ(restore_plan(snapshot_, {}, {}, &first_two).steps.size(), 1u);
}

TEST_F(RestorePlanTest, HasAHashOfWhatItWouldDo) {
  const auto hash = plan(1.0).hash;
  EXPECT_EQ(hash.size(), 32u);
  EXPECT_EQ(plan(2.0).hash, hash) << "the same would be written";
  saved_.value = 13.0;
  EXPECT_NE(plan(1.0).hash, hash);
  saved_.value = 12.5;
  pv_.read_only = true;
  EXPECT_NE(plan(1.0).hash, hash);
}

TEST_F(RestorePlanTest, HasAHashThatDoesNotDependOnWhatIsSkipped) {
  pv_.abs_tolerance = 1;
  EXPECT_EQ(plan(12.5).hash, plan(12.0).hash);
}

}  // namespace
}  // namespace tidemark::model
