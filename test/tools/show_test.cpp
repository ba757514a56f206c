#include "tools/show.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <sstream>

#include "tools/documents.h"
#include "tools/exit_code.h"
#include "tools/jobs.h"
#include "tools/log_filter.h"
#include "tools/update_line.h"

namespace tidemark::tools {
namespace {

using model::EnumIndex;
using model::PvArray;
using model::PvValue;
using model::SharedArray;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

std::string json(const PvValue& value, const std::vector<std::string>& labels = {}) {
  return value_json(value, labels).dump();
}

TEST(ValueJson, KeepsEveryDigit) {
  EXPECT_EQ(json(PvValue(0.1)), R"({"type":"double","value":0.1})");
  EXPECT_EQ(json(PvValue(1.0 / 3)), R"({"type":"double","value":0.3333333333333333})");
  EXPECT_EQ(json(PvValue(0.1f)), R"({"type":"float","value":0.1})");
}

TEST(ValueJson, SaysWhatJsonHasNoNumberFor) {
  EXPECT_EQ(json(PvValue(kNan)), R"({"type":"double","value":null,"special":"nan"})");
  EXPECT_EQ(json(PvValue(-kInf)), R"({"type":"double","value":null,"special":"-inf"})");
  EXPECT_EQ(json(PvValue(std::numeric_limits<float>::infinity())),
            R"({"type":"float","value":null,"special":"inf"})");
}

TEST(ValueJson, NamesTheSpecialElementsOfAnArray) {
  const PvValue value = SharedArray(PvArray(std::vector<double>{1, kNan, 2.5, kInf}));
  EXPECT_EQ(json(value),
            R"({"type":"double[]","value":[1.0,null,2.5,null],"special":{"1":"nan","3":"inf"}})");
}

TEST(ValueJson, GivesAnEnumItsLabel) {
  EXPECT_EQ(json(PvValue(EnumIndex{1}), {"Off", "On"}),
            R"({"type":"enum","value":1,"label":"On"})");
  EXPECT_EQ(json(PvValue(EnumIndex{7}), {"Off", "On"}), R"({"type":"enum","value":7})");
}

TEST(ValueJson, IsNullWithoutAValue) {
  EXPECT_EQ(json(PvValue{}), R"({"type":"none","value":null})");
}

TEST(ValueText, RoundsToThePrecisionOfThePv) {
  EXPECT_EQ(value_text(PvValue(4.25678), {}, 2), "4.26");
  EXPECT_EQ(value_text(PvValue(4.25678), {}, 0), "4.25678");
  EXPECT_EQ(value_text(PvValue(0.0), {}, 3), "0.000");
}

TEST(ValueText, NeverRoundsANumberAway) {
  EXPECT_EQ(value_text(PvValue(1e-9), {}, 3), "1e-09");
  EXPECT_EQ(value_text(PvValue(kNan), {}, 3), "nan");
}

TEST(ValueText, ShowsEnumsByLabelAndNothingAsADash) {
  EXPECT_EQ(value_text(PvValue(EnumIndex{1}), {"Off", "On"}), "On");
  EXPECT_EQ(value_text(PvValue{}), "-");
}

TEST(AlarmText, IsEmptyWithoutAnAlarm) {
  EXPECT_EQ(alarm_text({}), "");
  EXPECT_EQ(alarm_text({model::Severity::kMajor, 3}), "HIHI MAJOR");
}

TEST(ExitCode, TellsNoFromNotNowFromNobodyKnows) {
  EXPECT_EQ(exit_of(Error{Code::kInvalidArgument, ""}), Exit::kUsage);
  EXPECT_EQ(exit_of(Error{Code::kNotFound, ""}), Exit::kFailed);
  EXPECT_EQ(exit_of(Error{Code::kConflict, ""}), Exit::kFailed);
  EXPECT_EQ(exit_of(Error{Code::kTimeout, ""}), Exit::kUnknown);
  EXPECT_EQ(exit_of(Error{Code::kUnavailable, ""}), Exit::kUnreachable);
  EXPECT_EQ(exit_of(Error{Code::kRefused, ""}), Exit::kFailed);
  EXPECT_EQ(exit_of(Error{Code::kCorruption, ""}), Exit::kFailed);
  EXPECT_EQ(exit_of(Error{Code::kFailed, ""}), Exit::kFailed);
}

model::Job restored(std::uint32_t refused, std::uint32_t unknown, std::uint32_t unverified) {
  model::Job job;
  job.state = model::JobState::kCompleted;
  job.restore.emplace();
  job.restore->refused = refused;
  job.restore->unknown = unknown;
  job.restore->unverified = unverified;
  return job;
}

TEST(ExitCode, OfARestoreIsFineOnlyWhenAllIsConfirmedAndVerified) {
  EXPECT_EQ(exit_of(restored(0, 0, 0)), Exit::kFine);
  EXPECT_EQ(exit_of(restored(1, 0, 0)), Exit::kFailed);
  EXPECT_EQ(exit_of(restored(0, 0, 1)), Exit::kFailed);
  EXPECT_EQ(exit_of(restored(1, 1, 1)), Exit::kUnknown);
}

TEST(ExitCode, OfAnInterruptedJobIsUnknown) {
  model::Job job;
  job.state = model::JobState::kInterrupted;
  EXPECT_EQ(exit_of(job), Exit::kUnknown);
  job.state = model::JobState::kFailed;
  EXPECT_EQ(exit_of(job), Exit::kFailed);
  job.state = model::JobState::kCancelled;
  EXPECT_EQ(exit_of(job), Exit::kFailed);
}

TEST(LogLine, LeavesOutTheOriginInANarrowTerminal) {
  model::api::LogLine line;
  line.line = 4711;
  line.recorded_at = *parse_iso("2026-11-21T14:05:00Z");
  line.origin = "monitor";
  line.kind = model::RecordKind::kPvUpdate;
  line.level = model::Level::kInfo;
  line.subject = "BPM:1:X";
  line.text = "0.25";
  const auto printed = [&](std::size_t columns) {
    std::ostringstream out;
    std::istringstream in;
    Context context(out, out, in);
    context.columns = columns;
    print_line(context, line);
    return out.str();
  };
  EXPECT_EQ(printed(80),
            "     4711  2026-11-21T14:05:00.000Z  info     PvUpdate        BPM:1:X  0.25\n");
  EXPECT_EQ(printed(0),
            "     4711  2026-11-21T14:05:00.000Z  info     PvUpdate        monitor     "
            "BPM:1:X                   0.25\n");
  EXPECT_EQ(printed(120), printed(0)) << "as in a file";
}

TEST(UpdateLine, IsWhatTheDocumentIsAsText) {
  const std::vector<PvValue> values = {
      {},
      0.0,
      -0.0,
      0.1,
      1e300,
      -1.5e-7,
      123456789012345680.0,
      kNan,
      kInf,
      0.1f,
      -kInf,
      std::int32_t{-7},
      std::int16_t{7},
      std::uint8_t{255},
      EnumIndex{3},
      std::string("plain"),
      std::string("quo\"te \\ \n\t\x01 \xc2\xb5m \xff"),
      SharedArray(PvArray(std::vector<double>{1, kNan, 2.5})),
      SharedArray(PvArray(std::vector<std::string>{"a", "\"b\""}))};
  for (const auto& value : values) {
    model::api::LogLine line;
    line.line = 18446744073709551615u;
    line.origin = "monitor";
    line.incarnation = 3;
    line.sequence = 4711;
    line.kind = model::RecordKind::kPvUpdate;
    line.subject = "QUAD:LI21:201:BDES";
    line.value = value;
    line.text = value_text(value);
    for (const auto& alarm : {model::Alarm{}, model::Alarm{model::Severity::kMajor, 3}}) {
      for (const auto& time : {UtcTime{}, *parse_iso("2026-11-21T14:05:00.000000009Z")}) {
        line.alarm = alarm;
        line.recorded_at = time;
        line.taken_at = time;
        std::string text;
        append_update_line(text, line);
        EXPECT_EQ(text, line_json(line).dump(-1, ' ', false, Json::error_handler_t::replace));
      }
    }
  }
}

}  // namespace
}  // namespace tidemark::tools
