#include "tools/plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tools/history_plot.h"

namespace tidemark::tools {
namespace {

namespace api = model::api;
using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

const UtcTime kBegin = *parse_iso("2026-11-21T14:00:00Z");
constexpr std::size_t kWidth = 42;  // 24 characters of plot, 48 columns of dots

Plot flat(double value) {
  Plot what;
  what.begin = kBegin;
  what.end = kBegin + std::chrono::hours(1);
  what.columns.resize(plot_columns(kWidth));
  for (auto& column : what.columns) column.band = model::Range{value, value};
  return what;
}

/// As a terminal shows it, below an empty line.
std::string drawn(const Plot& what) {
  std::string out = "\n";
  for (const auto& line : plot(what, kWidth, false)) out += line + "\n";
  return out;
}

TEST(PlotText, FillsTheTerminal) {
  EXPECT_EQ(plot_columns(80), 124u);
  EXPECT_EQ(plot_columns(kWidth), 48u);
  EXPECT_EQ(plot_columns(3), 20u) << "narrow terminals wrap";
  for (const auto& line : plot(flat(1), kWidth, false)) EXPECT_LE(display_width(line), kWidth);
}

TEST(PlotText, DrawsASine) {
  auto what = flat(0);
  what.precision = 2;
  what.units = "kG";
  for (std::size_t i = 0; i < what.columns.size(); ++i) {
    const auto value = 2 * std::sin(static_cast<double>(i) / 48 * 2 * std::acos(-1.0));
    what.columns[i].band = model::Range{value, value};
  }
  what.columns[20].worst = model::Severity::kMinor;
  what.columns[21].worst = model::Severity::kMajor;
  what.columns[30].worst = model::Severity::kInvalid;
  what.columns[41].disconnected = true;
  EXPECT_EQ(drawn(what), R"(
          kG
        2.00 ┤    ⠠⠊⠉⠢
             │   ⠠⠁   ⠡
             │   ⠂     ⠂
             │  ⡈      ⠈⡀
             │ ⠠        ⠠
             │ ⠄         ⠄
             │⠠          ⠠
        0.00 ┤⠄           ⠂
             │            ⠐          ⠐
             │             ⠂         ⠂
             │             ⠐        ⠐
             │              ⢁      ⢀⠁
             │               ⠄     ⠄
             │               ⠐⡀   ⡐
       -2.00 ┤                ⠐⢄⣀⠔
             └────────────────────────
      alarms            M    !    x
              14:00              15:00 UTC
)");
}

TEST(PlotText, DrawsAConstantInTheMiddle) {
  EXPECT_EQ(drawn(flat(5)), R"(
        5.05 ┤
             │
             │
             │
             │
             │
             │
           5 ┤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤
             │
             │
             │
             │
             │
             │
        4.95 ┤
             └────────────────────────
              14:00              15:00 UTC
)");
}

TEST(PlotText, DrawsEnumsAsStepsWithTheirLabels) {
  auto what = flat(0);
  what.labels = {"Off", "Standby", "On"};
  for (std::size_t i = 16; i < 32; ++i) what.columns[i].band = model::Range{2, 2};
  what.columns[16].band = model::Range{0, 2};
  what.columns[32].band = model::Range{0, 2};
  EXPECT_EQ(drawn(what), R"(
          On ┤        ⡏⠉⠉⠉⠉⠉⠉⠉⡇
             │        ⡇       ⡇
             │        ⡇       ⡇
             │        ⡇       ⡇
             │        ⡇       ⡇
             │        ⡇       ⡇
             │        ⡇       ⡇
     Standby ┤        ⡇       ⡇
             │        ⡇       ⡇
             │        ⡇       ⡇
             │        ⡇       ⡇
             │        ⡇       ⡇
             │        ⡇       ⡇
             │        ⡇       ⡇
         Off ┤⣀⣀⣀⣀⣀⣀⣀⣀⡇       ⣇⣀⣀⣀⣀⣀⣀⣀
             └────────────────────────
              14:00              15:00 UTC
)");
}

TEST(PlotText, LosesNoExtremum) {
  auto what = flat(0);
  what.columns[7].band = model::Range{-3, 1000};
  const auto lines = plot(what, kWidth, false);
  EXPECT_THAT(lines.front(), AllOf(HasSubstr("1000 ┤"), HasSubstr("⢸")));
  for (std::size_t row = 0; row + 1 < kPlotRows; ++row) EXPECT_THAT(lines[row], HasSubstr("⢸"));
}

TEST(PlotText, PutsInfinityOnTheEdge) {
  auto what = flat(1);
  what.columns[0].band = model::Range{1, std::numeric_limits<double>::infinity()};
  what.columns[9].band = model::Range{0, 0};
  EXPECT_THAT(plot(what, kWidth, false).front(), HasSubstr("1 ┤"));
  for (auto& column : what.columns) column.band->low = column.band->high = -INFINITY;
  EXPECT_THAT(plot(what, kWidth, false), SizeIs(kPlotRows + 2));
}

TEST(PlotText, HasNothingWhereNothingIsKnown) {
  Plot what;
  what.begin = kBegin;
  what.end = kBegin + std::chrono::seconds(1);
  EXPECT_THAT(plot(what, kWidth, false), Each(Not(HasSubstr("⠤"))));
  what.columns.resize(2);
  EXPECT_THAT(plot(what, kWidth, false).back(), HasSubstr("14:00:00.000 UTC"));
}

TEST(PlotText, HasTheWidestRangeOfDoubles) {
  auto what = flat(-1e308);
  what.columns[5].band = model::Range{-1.7e308, 1.7e308};
  EXPECT_THAT(plot(what, kWidth, false).front(), HasSubstr("1.7e+308 ┤"));
}

TEST(PlotText, ShowsMoreThanThePrecisionWhenLabelsWouldBeAlike) {
  auto what = flat(20.0001);
  what.columns[0].band->high = 20.0003;
  what.precision = 2;
  EXPECT_THAT(plot(what, kWidth, false).front(), HasSubstr("20.0003 ┤"));
}

TEST(PlotText, IsColouredByAlarmOnATerminal) {
  auto what = flat(1);
  what.columns[0].worst = model::Severity::kMajor;
  EXPECT_THAT(plot(what, kWidth, true)[kPlotRows / 2], HasSubstr("\x1b[31m"));
  EXPECT_THAT(plot(what, kWidth, false)[kPlotRows / 2], Not(HasSubstr("\x1b")));
}

// ---- from the journal's answer ------------------------------------------------------------------

class PlotOfBins : public testing::Test {
 protected:
  PlotOfBins() {
    bins_.begin = kBegin;
    bins_.width = std::chrono::seconds(1);
    bins_.now.state = model::LiveState::kDisconnected;
  }
  api::Bin& bin(int second, double min, double max, double last) {
    api::Bin bin;
    bin.begin = kBegin + std::chrono::seconds(second);
    bin.samples = bin.count = 2;
    bin.min = min;
    bin.max = max;
    bin.last = last;
    return bins_.bins.emplace_back(bin);
  }
  /// "1..5" for a band, "-" for none.
  std::vector<std::string> bands() const {
    std::vector<std::string> out;
    for (const auto& column : plot_of(bins_, 6, before_).columns) {
      const auto text = [](double value) { return std::to_string(static_cast<int>(value)); };
      out.push_back(column.band ? text(column.band->low) + ".." + text(column.band->high) : "-");
    }
    return out;
  }
  void in_force(double value) {
    before_.emplace();
    before_->value = value;
  }

  api::HistoryBins bins_;
  std::optional<model::PvUpdate> before_;
};

TEST_F(PlotOfBins, HoldsAValueUntilTheNextAndJoinsThem) {
  in_force(3);
  bin(2, 5, 9, 6);
  EXPECT_THAT(bands(), ElementsAre("3..3", "3..3", "3..9", "6..6", "6..6", "6..6"));
}

TEST_F(PlotOfBins, HasNothingBeforeTheFirstSample) {
  bin(4, 1, 1, 1);
  EXPECT_THAT(bands(), ElementsAre("-", "-", "-", "-", "1..1", "1..1"));
}

TEST_F(PlotOfBins, IsTheValueInForceWhenNothingHappened) {
  in_force(7);
  EXPECT_THAT(bands(), Each("7..7"));
}

TEST_F(PlotOfBins, HasAGapWhileItIsNotConnected) {
  bin(0, 1, 2, 2).disconnected = true;
  bin(3, 4, 4, 4).disconnected = true;
  EXPECT_THAT(bands(), ElementsAre("1..2", "-", "-", "4..4", "-", "-"));
  bins_.now.state = model::LiveState::kConnected;
  bins_.now.value = 4.0;
  EXPECT_THAT(bands(), ElementsAre("1..2", "-", "-", "4..4", "4..4", "4..4"));
}

TEST_F(PlotOfBins, HasAGapWhileItIsNotANumber) {
  in_force(1);
  auto& nan = bin(1, NAN, NAN, NAN);
  nan.count = 0;
  bin(4, 2, 2, 2);
  EXPECT_THAT(bands(), ElementsAre("1..1", "1..1", "-", "-", "2..2", "2..2"));
}

TEST_F(PlotOfBins, RefusesWhatHasNoNumbers) {
  api::LiveValue pv;
  pv.address = "NOTE";
  pv.native_type = "string";
  EXPECT_THAT(can_be_plotted(pv).error().message, StartsWith("NOTE holds strings"));
  pv.native_type = "double";
  pv.value = model::SharedArray(model::PvArray(std::vector<double>{1, 2}));
  EXPECT_THAT(can_be_plotted(pv).error().message, StartsWith("NOTE holds arrays"));
  pv.value = model::EnumIndex{1};
  EXPECT_TRUE(can_be_plotted(pv).ok());
}

}  // namespace
}  // namespace tidemark::tools
