#include "tools/replay_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/replays.h"

namespace tidemark::tools {
namespace {

using namespace std::chrono_literals;
namespace api = model::api;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const UtcTime kThen = *parse_iso("2026-11-21T14:05:00Z");

KeyPress key(char character) { return {Press::kCharacter, character}; }

TEST(KeyPresses, AreReadFromWhatATerminalSends) {
  std::string bytes = "a\x1b[A\x1b[B\x1bOC\x1b[D\x1b[H\x1b[1;5F ";
  EXPECT_THAT(take_keys(bytes),
              ElementsAre(key('a'), KeyPress{Press::kUp, 0}, KeyPress{Press::kDown, 0},
                          KeyPress{Press::kRight, 0}, KeyPress{Press::kLeft, 0},
                          KeyPress{Press::kHome, 0}, KeyPress{Press::kEnd, 0}, key(' ')));
  EXPECT_THAT(bytes, IsEmpty());
}

TEST(KeyPresses, ASequenceMayComeInTwoPieces) {
  std::string bytes = "\x1b[";
  EXPECT_THAT(take_keys(bytes), IsEmpty());
  bytes += "A";
  EXPECT_THAT(take_keys(bytes), ElementsAre(KeyPress{Press::kUp, 0}));
  bytes = "\x1b";
  EXPECT_THAT(take_keys(bytes), ElementsAre(KeyPress{Press::kEscape, 0}));
}

TEST(KeyPresses, WhatIsNotKnownIsLeftOut) {
  std::string bytes = "\x1b[15~\x1bxq\x1b[" + std::string(40, '1');
  EXPECT_THAT(take_keys(bytes), ElementsAre(key('q')));
  EXPECT_THAT(bytes, IsEmpty()) << "noise is not kept for ever";
}

class ReplayViewTest : public testing::Test {
 protected:
  ReplayViewTest() {
    status_.id = Uuid::derive("replay");
    status_.from = 100;
    status_.to = 300;
    status_.from_time = kThen - 1h;
    status_.to_time = kThen + 1h;
    status_.line = 200;
    status_.moment = kThen;
    status_.phase = api::ReplayPhase::kRunning;
    status_.speed = 10;
  }
  static api::LiveValue pv(std::uint32_t channel, const std::string& address) {
    api::LiveValue value;
    value.address = address;
    value.channel = model::ChannelId{channel};
    value.units = "A";
    value.precision = 2;
    return value;
  }
  static model::PvUpdate update(std::uint32_t channel, double value) {
    model::PvUpdate made;
    made.channel = model::ChannelId{channel};
    made.value = value;
    return made;
  }
  static std::string text(const std::vector<std::string>& page) {
    std::string text;
    for (const auto& line : page) text += line + "\n";
    return text;
  }

  api::ReplayStatus status_;
};

TEST_F(ReplayViewTest, ShowsTheClockTheValuesAndTheRecordsOfThen) {
  ReplayView view({pv(1, "QUAD:1"), pv(2, "QUAD:2")});
  view.take({update(1, 1.5)}, true);
  view.take({update(2, 2.5), update(3, 9)}, false);
  api::LogLine line;
  line.line = 150;
  line.recorded_at = kThen;
  line.kind = model::RecordKind::kLogMessage;
  line.subject = "psu.1";
  line.text = "interlock\x1b[31m";
  view.take({status_, {line}});
  const auto page = view.page({80, 12}, false);
  EXPECT_THAT(page, SizeIs(12));
  EXPECT_THAT(page[0], HasSubstr("2026-11-21T14:05:00.000Z  running x10"));
  EXPECT_THAT(page[0], HasSubstr("line 200 of 300"));
  EXPECT_THAT(page[1], HasSubstr("QUAD:1  1.50 A"));
  EXPECT_THAT(page[2], HasSubstr("QUAD:2  2.50 A"));
  EXPECT_THAT(text(page), HasSubstr("psu.1  interlock\\x1b[31m")) << "it shows, and does not send";
  EXPECT_THAT(page.back(), HasSubstr("q quit"));
}

TEST_F(ReplayViewTest, ASmallTerminalShowsWhatChangedLast) {
  std::vector<api::LiveValue> pvs;
  for (std::uint32_t i = 1; i <= 100; ++i) pvs.push_back(pv(i, "PV:" + std::to_string(100 + i)));
  ReplayView view(std::move(pvs));
  view.take(api::ReplayNews{status_, {}});
  view.take({update(77, 1), update(33, 2), update(5, 3)}, false);
  const auto page = view.page({40, 5}, false);
  EXPECT_THAT(page, SizeIs(5));
  EXPECT_THAT(page[1], HasSubstr("PV:105"));
  EXPECT_THAT(page[2], HasSubstr("PV:133"));
  EXPECT_THAT(page[3], HasSubstr("PV:177"));
  EXPECT_THAT(view.page({10, 1}, false), SizeIs(testing::Le(2u)));
}

TEST_F(ReplayViewTest, AStateVoidsWhatWasThereBefore) {
  ReplayView view({pv(1, "QUAD:1")});
  view.take({update(1, 1.5)}, false);
  view.take({}, true);
  EXPECT_THAT(text(view.page({80, 10}, false)), Not(HasSubstr("1.50")));
}

TEST_F(ReplayViewTest, KeysSayWhatTheReplayIsToDo) {
  EXPECT_EQ(meant_by(key(' '), status_)->action, api::ReplayAction::kPause);
  EXPECT_EQ(meant_by(key('s'), status_)->action, api::ReplayAction::kStepBlocks);
  EXPECT_EQ(meant_by(key('.'), status_)->action, api::ReplayAction::kStepLines);
  EXPECT_EQ(meant_by(key('m'), status_)->speed, api::ReplayRequest::kAsFastAsItGoes);
  EXPECT_EQ(meant_by({Press::kUp, 0}, status_)->speed, 20);
  EXPECT_EQ(meant_by({Press::kDown, 0}, status_)->speed, 5);
  EXPECT_EQ(meant_by({Press::kRight, 0}, status_)->at.time, kThen + 10s);
  EXPECT_EQ(meant_by({Press::kLeft, 0}, status_)->at.time, kThen - 10s);
  EXPECT_EQ(meant_by({Press::kHome, 0}, status_)->at.time, kThen - 1h);
  EXPECT_EQ(meant_by({Press::kEnd, 0}, status_)->action, api::ReplayAction::kSeek);
  EXPECT_EQ(meant_by(key('s'), status_)->id, status_.id);
  EXPECT_FALSE(meant_by(key('x'), status_));
  status_.phase = api::ReplayPhase::kPaused;
  EXPECT_EQ(meant_by(key(' '), status_)->action, api::ReplayAction::kResume);
  status_.speed = api::ReplayRequest::kSpeedMax;
  EXPECT_EQ(meant_by({Press::kUp, 0}, status_)->speed, api::ReplayRequest::kSpeedMax);
  EXPECT_TRUE(means_quit(key('q')));
  EXPECT_TRUE(means_quit({Press::kEscape, 0}));
  EXPECT_FALSE(means_quit(key(' ')));
}

TEST(ReplaySpeed, IsANumberOrMax) {
  EXPECT_EQ(parse_speed("10").value(), 10);
  EXPECT_EQ(parse_speed("x0.5").value(), 0.5);
  EXPECT_EQ(parse_speed("max").value(), api::ReplayRequest::kAsFastAsItGoes);
  for (const auto* bad : {"", "x", "0", "0.01", "1001", "-1", "nan", "inf", "10x", "fast"}) {
    EXPECT_FALSE(parse_speed(bad)) << bad;
  }
  EXPECT_EQ(speed_text(0.5), "x0.5");
  EXPECT_EQ(speed_text(api::ReplayRequest::kAsFastAsItGoes), "max");
}

}  // namespace
}  // namespace tidemark::tools
