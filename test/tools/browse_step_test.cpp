#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/tools/browse_lab.h"

namespace tidemark::tools::browse {
namespace {

using namespace std::chrono_literals;
using model::Level;
using model::RecordKind;
using testing::HasSubstr;

class Browse : public testing::Test {
 protected:
  void open(std::size_t lines, Beginning beginning = {}) {
    lab_.fill(lines);
    lab_.begin(beginning);
    lab_.answer_all();
  }
  std::uint64_t at() const { return lab_.cursor_line(); }
  std::string message() const { return lab_.state.message; }

  BrowseLab lab_;
};

// ---- moving -------------------------------------------------------------------------------------

TEST_F(Browse, BeginsAtTheNewestLine) {
  open(3000);
  EXPECT_EQ(at(), 3000u);
  lab_.press("k");
  EXPECT_EQ(at(), 2999u);
  lab_.press("jjj");
  EXPECT_EQ(at(), 3000u);
}

TEST_F(Browse, PagesThroughTheWholeJournalAndKeepsLittleOfIt) {
  open(50'000);
  std::size_t most = 0;
  std::uint64_t pages = 0;
  for (auto before = at() + 1; at() != before; ++pages) {
    before = at();
    lab_.press("b");
    most = std::max(most, lab_.state.window.lines().size());
  }
  EXPECT_EQ(at(), 1u);
  EXPECT_EQ(pages, 50'000u / 8 + 1) << "eight lines a page";
  EXPECT_LE(most, kWindowLinesMax);
  EXPECT_LE(lab_.lines_read, 50'500u) << "no line is read twice on the way";
  lab_.press("G");
  EXPECT_EQ(at(), 50'000u);
  lab_.press("g");
  EXPECT_EQ(at(), 1u);
}

TEST_F(Browse, MovesThatAreFasterThanTheJournalAreOwed) {
  open(3000);
  lab_.press("g");
  lab_.press("G");
  lab_.holds = true;
  lab_.press("g");
  lab_.press(" ");
  EXPECT_TRUE(lab_.asks(Purpose::kNewer));
  lab_.answer_all();
  EXPECT_EQ(at(), 9u);
}

TEST_F(Browse, LinesThatCameMeanwhileAreBelow) {
  open(20);
  lab_.fill(5);
  lab_.press("j");
  EXPECT_EQ(at(), 21u);
}

TEST_F(Browse, AnEmptyJournalIsNoTrouble) {
  open(0);
  lab_.press("jkgG nN[]m'M");
  lab_.press("q");
  EXPECT_EQ(at(), 0u);
}

TEST_F(Browse, GoesBackToWhereItWas) {
  open(3000);
  lab_.press("kkk");
  lab_.press("ma");
  lab_.press("g");
  lab_.press("'a");
  EXPECT_EQ(at(), 2997u);
  lab_.press("''");
  EXPECT_EQ(at(), 1u);
  lab_.press("'z");
  EXPECT_THAT(message(), HasSubstr("no such bookmark"));
}

// ---- filters ------------------------------------------------------------------------------------

TEST_F(Browse, AFilterKeepsThePlace) {
  for (int i = 0; i < 100; ++i) {
    lab_.fill(9);
    lab_.add("PV:bad", "refused", RecordKind::kPutRefused, Level::kWarning);
  }
  open(0);
  lab_.press("t@500\n");
  EXPECT_EQ(at(), 500u);
  lab_.press("k");
  lab_.press("w");
  EXPECT_EQ(at(), 500u) << "the next line that is still there";
  lab_.press("j");
  EXPECT_EQ(at(), 510u);
  lab_.press("w");
  lab_.press("k");
  EXPECT_EQ(at(), 509u) << "all lines again";
  lab_.press("fkind=PutRefused subject=PV:b*\n");
  lab_.press("g");
  EXPECT_EQ(at(), 10u);
}

TEST_F(Browse, AWrongFilterStaysToBeCorrected) {
  open(10);
  lab_.press("fkind=Nonsense\n");
  EXPECT_EQ(lab_.state.mode, Mode::kPrompt);
  EXPECT_THAT(message(), HasSubstr("Nonsense"));
  lab_.press(Key{KeyName::kCharacter, ctrl('W')});
  lab_.press("nonsense\n");
  EXPECT_EQ(lab_.state.mode, Mode::kLines);
  EXPECT_EQ(lab_.screen()[1], " No line matches.");
}

TEST_F(Browse, OnlyInsideOfAMark) {
  lab_.mark("shot 1", 20, 30);
  open(100);
  lab_.press("fin='shot 1'\n");
  EXPECT_EQ(lab_.state.request.mark, lab_.marks[0].id.text());
  lab_.press("f");
  lab_.press(Key{KeyName::kCharacter, ctrl('U')});
  lab_.press("in=nothing\n");
  EXPECT_THAT(message(), HasSubstr("no mark 'nothing'"));
  EXPECT_EQ(lab_.state.request.mark, "");
}

TEST_F(Browse, OnlyBetweenLinesAndMarks) {
  lab_.mark("shot 1", 40, 50);
  open(100);
  lab_.press("fsince=@30 until='shot 1.end'\n");
  lab_.press("g");
  EXPECT_EQ(at(), 30u);
  lab_.press("G");
  EXPECT_EQ(at(), 50u);
  lab_.press("?value 20\n");
  EXPECT_THAT(message(), HasSubstr("nowhere above"));
  lab_.press("f");
  lab_.press(Key{KeyName::kCharacter, ctrl('U')});
  lab_.press("since=nothing\n");
  EXPECT_THAT(message(), HasSubstr("nothing"));
  EXPECT_EQ(lab_.state.filter.since, "");
  lab_.pass(5s);  // it waits a little after what went wrong
  lab_.press("G");
  EXPECT_EQ(at(), 100u);
}

// ---- search -------------------------------------------------------------------------------------

TEST_F(Browse, SearchesFarBeyondWhatIsHere) {
  lab_.add("HERE", "Needle one");
  lab_.fill(20'000);
  lab_.add("X", "needle two");
  open(20'000);
  lab_.press("?NEEDLE\n");
  EXPECT_EQ(at(), 20'002u);
  lab_.press("n");
  EXPECT_EQ(at(), 1u);
  lab_.press("n");
  EXPECT_THAT(message(), HasSubstr("nowhere above"));
  lab_.press("N");
  EXPECT_EQ(at(), 20'002u);
  lab_.press("N");
  EXPECT_THAT(message(), HasSubstr("nowhere below"));
  lab_.press("n");
  EXPECT_EQ(at(), 1u) << "N does not turn the search around";
}

TEST_F(Browse, ASearchIsStoppedAndTheKeysGoOn) {
  open(60'000);
  lab_.holds = true;
  lab_.press("?nowhere\n");
  EXPECT_TRUE(lab_.state.search.running);
  EXPECT_THAT(lab_.screen().back(), HasSubstr("searching at"));
  lab_.press("k");
  EXPECT_EQ(at(), 59'999u);
  EXPECT_TRUE(lab_.state.search.running);
  lab_.press(KeyName::kInterrupt);
  EXPECT_FALSE(lab_.state.search.running);
  lab_.answer_all();
  EXPECT_EQ(at(), 59'999u);
}

// ---- moments ------------------------------------------------------------------------------------

TEST_F(Browse, BeginsAtAMoment) {
  open(3000, {{}, "2026-11-21T14:15:00Z", false});
  EXPECT_EQ(at(), 601u);
}

TEST_F(Browse, JumpsToATimeAndToAMark) {
  lab_.mark("shot 1", 700, 800);
  open(3000);
  lab_.press("t2026-11-21T14:05:10Z\n");
  EXPECT_EQ(at(), 11u);
  lab_.press("tshot 1\n");
  EXPECT_EQ(at(), 700u);
  lab_.press("t25 o'clock\n");
  EXPECT_THAT(message(), HasSubstr("no moment"));
  EXPECT_EQ(lab_.state.mode, Mode::kPrompt);
}

TEST_F(Browse, AMomentThatIsWrongIsRefusedBeforeTheScreenIsTaken) {
  const auto begun = begin(lab_.state, {{}, "25:00", false}, lab_.now());
  ASSERT_FALSE(begun);
  EXPECT_THAT(begun.error().message, HasSubstr("--from: '25:00'"));
}

// ---- follow -------------------------------------------------------------------------------------

TEST_F(Browse, ADirectoryIsNotFollowed) {
  open(100);
  lab_.state.frozen = true;
  lab_.press("F");
  EXPECT_FALSE(lab_.state.follow);
  EXPECT_THAT(message(), HasSubstr("as it was when it was opened"));
}

TEST_F(Browse, FollowsUntilOneGoesUp) {
  open(100);
  lab_.press("F");
  lab_.fill(3);
  lab_.wake();
  EXPECT_EQ(at(), 103u);
  lab_.pass(1s);
  lab_.fill(3);
  lab_.wake();
  EXPECT_EQ(at(), 106u);
  lab_.press("k");
  EXPECT_FALSE(lab_.state.follow);
  EXPECT_FALSE(lab_.waiting) << "nobody waits at the journal any more";
  lab_.fill(3);
  lab_.pass(1s);
  EXPECT_EQ(at(), 105u);
}

TEST_F(Browse, FollowingGoesToTheEndWhenItFallsBehind) {
  open(100);
  lab_.press("F");
  lab_.fill(100'000);
  lab_.wake();
  EXPECT_EQ(at(), 100'100u);
  EXPECT_LT(lab_.lines_read, 5'000u);
}

TEST_F(Browse, FollowingAsksTenTimesASecondAtMost) {
  open(100, {{}, "", true});
  lab_.fill(1);
  lab_.wake();
  const auto reads = lab_.reads;
  lab_.fill(1);
  lab_.take(Tick{});
  EXPECT_EQ(lab_.reads, reads);
  lab_.pass(100ms);
  EXPECT_EQ(at(), 102u);
}

// ---- marks --------------------------------------------------------------------------------------

TEST_F(Browse, GoesFromOneBoundaryOfAMarkToTheNext) {
  lab_.mark("shift", 100, 2000);
  lab_.mark("shot", 500, 510);
  open(3000);
  for (const auto line : {2000u, 510u, 500u, 100u}) {
    lab_.press("[");
    EXPECT_EQ(at(), line);
  }
  lab_.press("[");
  EXPECT_THAT(message(), HasSubstr("no mark begins or ends above"));
  lab_.press("]");
  EXPECT_EQ(at(), 500u);
  EXPECT_EQ(message(), "shot begins here");
}

TEST_F(Browse, TheListOfMarksLeadsToThem) {
  lab_.mark("old", 100, 200);
  lab_.mark("new", 500, 0);
  open(3000);
  lab_.press("M");
  ASSERT_EQ(lab_.state.mode, Mode::kMarks);
  lab_.press("e");
  EXPECT_EQ(message(), "it is open");
  lab_.press("j\n");
  EXPECT_EQ(at(), 100u);
  lab_.press("Mje");
  EXPECT_EQ(at(), 200u);
  lab_.press("Mo");
  EXPECT_EQ(lab_.state.request.mark, lab_.marks[1].id.text());
}

TEST_F(Browse, AMarkThatBeginsIsSeenAtOnce) {
  open(100);
  lab_.press("F");
  lab_.add("shot", "begins", RecordKind::kMarkBegin);
  lab_.mark("shot", 101, 0);
  lab_.wake();
  ASSERT_EQ(lab_.state.marks.size(), 1u);
  EXPECT_THAT(lab_.screen()[8], testing::StartsWith("┌"));
}

// ---- the journal goes and comes -----------------------------------------------------------------

TEST_F(Browse, SaysThatTheJournalIsAwayAndGoesOnWhenItIsBack) {
  open(3000);
  lab_.broken = Error{Code::kUnavailable, "node 'journal' is disconnected"};
  lab_.pass(3s);
  EXPECT_THAT(lab_.screen().back(), HasSubstr("the journal is away, waiting for it: node"));
  lab_.press("k");
  EXPECT_EQ(at(), 2999u) << "the keys go on";
  lab_.press("g");
  EXPECT_EQ(lab_.screen()[1], " looking…");
  lab_.broken.reset();
  lab_.pass(1s);
  EXPECT_EQ(at(), 1u);
  EXPECT_EQ(message(), "the journal is back");
}

TEST_F(Browse, AsksAgainTwiceASecondWhileTheJournalIsAway) {
  open(3000);
  lab_.broken = Error{Code::kTimeout, "no answer"};
  lab_.press("g");
  int asked = 0;
  for (int i = 0; i < 100; ++i) {
    lab_.holds = true;
    lab_.pass(100ms);
    asked += lab_.asks(Purpose::kNewer) ? 1 : 0;
    lab_.answer_all();
  }
  EXPECT_GE(asked, 15);
  EXPECT_LE(asked, 20);
}

TEST_F(Browse, AJournalThatIsShorterIsAnotherOne) {
  open(3000);
  lab_.lines.resize(10);
  lab_.press("k");
  lab_.press("g");
  EXPECT_THAT(message(), HasSubstr("ends at line 10"));
  EXPECT_EQ(at(), 10u);
}

// ---- details ------------------------------------------------------------------------------------

TEST_F(Browse, DetailsAreThoseOfTheLineUnderTheCursor) {
  lab_.state.size = {80, 100};
  open(100);
  auto& line = lab_.add("BPM:1:X", "1.25", RecordKind::kPvUpdate);
  line.value = 1.0000000000000002;
  lab_.press("G");
  lab_.press("\n");
  const auto all = lab_.text();
  EXPECT_THAT(all, HasSubstr("value     1.0000000000000002"));
  EXPECT_THAT(all, HasSubstr("\"value\": 1.0000000000000002"));
  EXPECT_THAT(all, HasSubstr("time      2026-11-21T14:06:40.000000000Z"));
  lab_.press("k");
  EXPECT_THAT(lab_.text(), HasSubstr("text      value 100"));
  lab_.press("\n");
  EXPECT_FALSE(lab_.state.details);
}

TEST_F(Browse, DetailsOfARecordHaveAllItsFields) {
  lab_.state.size = {80, 100};
  open(0);
  model::PutRefused refused;
  refused.channel = model::ChannelId{7};
  refused.address = "PS:1";
  refused.reason = "no write access";
  auto& line = lab_.add("PS:1", "refused", RecordKind::kPutRefused, Level::kWarning);
  line.record.bytes = model::encode_records({refused});
  lab_.press("G");
  lab_.press("\n");
  const auto all = lab_.text();
  EXPECT_THAT(all, HasSubstr("\"reason\": \"no write access\""));
  EXPECT_THAT(all, HasSubstr("\"channel\": 7"));
}

}  // namespace
}  // namespace tidemark::tools::browse
