#include "actors/journal.h"

#include <gmock/gmock.h>

#include "journal/memory_store.h"
#include "test/support/actor_test.h"
#include "test/support/fake_link.h"
#include "test/support/faulty_store.h"

namespace tidemark::actors {
namespace {

namespace api = model::api;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Asked;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class JournalTest : public test::ActorTest {
 protected:
  /// A record of a node that has sent `sequence - 1` before; its answer comes with settle().
  std::shared_ptr<Asked> append(const std::string& node, std::uint64_t sequence) {
    return say(node, sequence,
               model::LogMessage{model::Level::kInfo, node, "record " + std::to_string(sequence)});
  }
  std::shared_ptr<Asked> say(const std::string& node, std::uint64_t sequence,
                             const model::Record& record) {
    const auto payload = model::encode_records({record});
    const api::AppendRequest request{
        Uuid::derive(node),
        node,
        1,
        1,
        {{sequence, 1, static_cast<std::uint8_t>(journal::SectionFormat::kRecords), UtcTime{},
          model::Blob{payload}}}};
    return send(journal_, append_atom_v, "journal.append", model::pack(request));
  }
  template <class Actor, class Atom>
  std::shared_ptr<Asked> send(const Actor& actor, Atom atom, const std::string& method,
                              Bytes payload) {
    auto asked = std::make_shared<Asked>();
    caf::anon_send(actor, atom, test::call_of(asked, method, std::move(payload)));
    return asked;
  }
  std::shared_ptr<Asked> read(const api::ReadRequest& request) {
    auto asked = send(reader_, read_atom_v, "journal.read", model::pack(request));
    settle();
    return asked;
  }
  /// A reader at the end of the journal.
  static api::ReadRequest follow(Duration wait) {
    api::ReadRequest request;
    request.wait = wait;
    return request;
  }
  static api::AppendReply reply_of(const Asked& asked) {
    return model::unpack<api::AppendReply>(asked.answer->value()).value();
  }
  static api::ReadReply page_of(const Asked& asked) {
    return model::unpack<api::ReadReply>(asked.answer->value()).value();
  }

  std::shared_ptr<test::FaultyStore> store_ =
      std::make_shared<test::FaultyStore>(std::make_shared<journal::MemoryStore>());
  std::shared_ptr<journal::MarkProjection> marks_ =
      std::make_shared<journal::MarkProjection>(store_);
  std::vector<Error> broken_;
  JournalReader reader_ = spawn(
      journal_reader_actor, std::shared_ptr<journal::Store>(store_),
      [](const Uuid&) { return std::string("node"); },
      LinesOfMark([this](const std::string& mark) { return marks_->lines_of(mark); }),
      JournalReader());
  Journal journal_ = spawn(
      journal_actor, std::shared_ptr<journal::Store>(store_), std::make_shared<Board>(), reader_,
      Uuid::derive("journal"), [this](const Error& error) { broken_.push_back(error); },
      std::function<void()>());
};

TEST_F(JournalTest, AnswersALoneAppendAfterOneFlush) {
  const auto asked = append("a", 1);
  settle();
  ASSERT_TRUE(asked->answer && asked->answer->ok());
  EXPECT_EQ(reply_of(*asked).through, 1u);
  EXPECT_EQ(reply_of(*asked).last_line, 1u);
  EXPECT_EQ(store_->appends(), 1);
}

TEST_F(JournalTest, ReadsWhatIsInsideAMark) {
  append("a", 1);
  settle();
  const auto mark = Uuid::derive("mark");
  say("b", 1, model::MarkBegin{mark, "shot 1", {}, "ann", {}});
  append("a", 2);
  settle();
  api::ReadRequest inside;
  inside.mark = "shot 1";
  EXPECT_THAT(page_of(*read(inside)).lines, SizeIs(2)) << "it is open";
  say("b", 2, model::MarkEnd{mark, "shot 1", "ann", {}});
  append("a", 3);
  settle();
  EXPECT_THAT(page_of(*read(inside)).lines, SizeIs(3));
  inside.newest_first = true;
  inside.from = 0;
  const auto newest = page_of(*read(inside));
  ASSERT_THAT(newest.lines, SizeIs(3));
  EXPECT_EQ(newest.lines[0].line, 4u);
  inside.mark = "shot 2";
  EXPECT_EQ(read(inside)->answer->error().code, Code::kNotFound);
}

TEST_F(JournalTest, ReadsByRegexFieldAndOrigin) {
  append("a", 1);
  append("a", 2);
  settle();
  api::ReadRequest request;
  request.regex = "record [2-9]";
  EXPECT_THAT(page_of(*read(request)).lines, SizeIs(1));
  request.field_tests = {"source=a", "level=info"};
  EXPECT_THAT(page_of(*read(request)).lines, SizeIs(1));
  request.origin = "no*";
  EXPECT_THAT(page_of(*read(request)).lines, SizeIs(1));
  request.origin = "keeper";
  const auto none = page_of(*read(request));
  EXPECT_THAT(none.lines, IsEmpty());
  EXPECT_EQ(none.next, none.last_line + 1) << "the cursor goes on without a hit";
}

TEST_F(JournalTest, SaysWhichFilterIsWrong) {
  api::ReadRequest request;
  request.regex = "record (";
  EXPECT_EQ(read(request)->answer->error().code, Code::kInvalidArgument);
  EXPECT_THAT(read(request)->answer->error().message, HasSubstr("missing )"));
  request.regex.clear();
  request.field_tests = {"usr=anna"};
  EXPECT_THAT(read(request)->answer->error().message, HasSubstr("no record has a field 'usr'"));
  request.field_tests.assign(model::kFieldTestsMax + 1, "user=anna");
  EXPECT_EQ(read(request)->answer->error().code, Code::kInvalidArgument);
}

TEST_F(JournalTest, AFollowerWithFiltersWaitsForALineThatMatches) {
  auto request = follow(seconds(5));
  request.regex = "record 2$";
  const auto asked = read(request);
  append("a", 1);
  settle();
  EXPECT_FALSE(asked->answer);
  append("a", 2);
  settle();
  ASSERT_TRUE(asked->answer);
  EXPECT_EQ(page_of(*asked).lines.at(0).line, 2u);
}

TEST_F(JournalTest, SharesOneFlushAmongAppendsThatArriveTogether) {
  const auto first = append("a", 1);
  const auto second = append("a", 2);
  const auto third = append("b", 1);
  settle();
  EXPECT_EQ(store_->appends(), 1);
  EXPECT_EQ(reply_of(*first).through, 1u);
  EXPECT_EQ(reply_of(*second).through, 2u);
  EXPECT_EQ(reply_of(*third).through, 1u);
  EXPECT_EQ(reply_of(*third).last_line, 3u);
}

TEST_F(JournalTest, StoresOnceWhatCameTwice) {
  append("a", 1);
  const auto again = append("a", 1);
  settle();
  EXPECT_EQ(store_->last(), journal::Line{1});
  EXPECT_EQ(reply_of(*again).through, 1u);
}

TEST_F(JournalTest, AcknowledgesADuplicateAloneWithoutAFlush) {
  append("a", 1);
  settle();
  const auto again = append("a", 1);
  settle();
  EXPECT_EQ(store_->appends(), 1);
  EXPECT_EQ(reply_of(*again).through, 1u);
}

TEST_F(JournalTest, AcknowledgesNobodyWhenTheDiskRefusesAFlush) {
  store_->fail_appends();
  const auto first = append("a", 1);
  const auto second = append("b", 1);
  settle();
  ASSERT_TRUE(first->answer && second->answer);
  EXPECT_EQ(first->answer->error().code, Code::kUnavailable);
  EXPECT_EQ(second->answer->error().code, Code::kUnavailable);
  ASSERT_THAT(broken_, SizeIs(1));
  EXPECT_EQ(broken_[0].code, Code::kFailed);
}

TEST_F(JournalTest, RefusesWhatDoesNotGoWithWhatIsThereAndNothingElse) {
  const auto define = [&](const std::string& node, std::uint64_t sequence, const char* address) {
    return say(node, sequence, model::PvDefined{model::ChannelId{7}, address});
  };
  define("monitor", 1, "QUAD:1");
  settle();
  const auto before = append("a", 1);
  const auto bad = define("stranger", 1, "QUAD:2");
  const auto behind = append("b", 1);
  const auto also = append("a", 2);
  settle();
  ASSERT_TRUE(bad->answer);
  EXPECT_EQ(bad->answer->error().code, Code::kCorruption);
  EXPECT_THAT(bad->answer->error().message, HasSubstr("cannot become QUAD:2"));
  for (const auto& each : {before, behind, also}) {
    ASSERT_TRUE(each->answer && each->answer->ok());
  }
  EXPECT_EQ(reply_of(*also).through, 2u);
  EXPECT_EQ(store_->last(), journal::Line{4});
  EXPECT_THAT(broken_, IsEmpty());
}

TEST_F(JournalTest, GoesOnByItselfWhenThereIsRoomAgain) {
  store_->fail_appends(Code::kUnavailable);
  const auto first = append("a", 1);
  settle();
  ASSERT_TRUE(first->answer);
  EXPECT_EQ(first->answer->error().code, Code::kUnavailable);
  EXPECT_THAT(broken_, testing::IsEmpty());

  store_->heal_appends();
  const auto again = append("a", 1);
  settle();
  EXPECT_EQ(reply_of(*again).through, 1u);
  EXPECT_EQ(journal::raw(store_->last()), 1u);
}

TEST_F(JournalTest, AcknowledgesNoRepetitionOfWhatTheDiskRefused) {
  store_->fail_appends();
  append("a", 1);
  settle();
  const auto again = append("a", 1);
  settle();
  ASSERT_TRUE(again->answer);
  EXPECT_FALSE(again->answer->ok());
}

TEST_F(JournalTest, RefusesAPayloadThatIsNoRequest) {
  const auto asked = send(journal_, append_atom_v, "journal.append", "nonsense");
  settle();
  ASSERT_TRUE(asked->answer);
  EXPECT_EQ(asked->answer->error().code, Code::kInvalidArgument);
  EXPECT_EQ(store_->appends(), 0);
}

TEST_F(JournalTest, AnswersAConflictAtOnce) {
  const auto early = append("a", 2);
  settle();
  EXPECT_EQ(early->answer->error().code, Code::kConflict);
}

TEST_F(JournalTest, GivesAReaderWhatIsThere) {
  append("a", 1);
  append("a", 2);
  settle();
  const auto asked = read({});
  ASSERT_THAT(page_of(*asked).lines, SizeIs(2));
  EXPECT_EQ(page_of(*asked).lines[0].line, 1u);
  EXPECT_EQ(page_of(*asked).lines[0].origin, "node");
  EXPECT_THAT(page_of(*asked).lines[0].text, HasSubstr("record 1"));
  EXPECT_EQ(page_of(*asked).next, 3u);
  EXPECT_TRUE(page_of(*asked).end);
}

TEST_F(JournalTest, GivesWaveformsPageByPage) {
  constexpr std::size_t kElements = 500'000;  // 4 MB: so many that a read asks for fit in no answer
  constexpr std::size_t kAnswerMax = 32u << 20;
  std::vector<std::uint64_t> sent;
  for (std::uint64_t i = 1; i <= 12; ++i) {
    model::PvUpdate update;
    update.channel = model::ChannelId{1};
    update.value = model::SharedArray(std::vector<double>(kElements, static_cast<double>(i)));
    journal::Section section;
    section.origin = Uuid::derive("monitor");
    section.incarnation = 1;
    section.sequence = i;
    section.count = 1;
    section.format = journal::SectionFormat::kUpdates;
    section.payload = model::encode_updates({update});
    const auto inspected = journal::inspect(std::move(section)).value();
    ASSERT_TRUE(store_->append({&inspected, 1}));
    sent.push_back(i);
  }
  for (const bool newest_first : {false, true}) {
    api::ReadRequest request;
    request.newest_first = newest_first;
    request.from = newest_first ? 0 : 1;
    request.limit = api::ReadRequest::kReadLinesMax;
    std::vector<std::uint64_t> found;
    std::size_t pages = 0;
    for (bool end = false; !end && pages < 100; ++pages) {
      const auto asked = read(request);
      EXPECT_LE(asked->answer->value().size(), kAnswerMax);
      const auto page = page_of(*asked);
      for (const auto& line : page.lines) {
        found.push_back(line.line);
        EXPECT_EQ(model::content_bytes(line.value), kElements * sizeof(double));
      }
      request.from = page.next;
      end = page.end;
    }
    EXPECT_GE(pages, 6U);
    if (newest_first) std::reverse(found.begin(), found.end());
    EXPECT_EQ(found, sent);
  }
}

TEST_F(JournalTest, AnswersAFollowerWhenALineIsDurable) {
  const auto asked = read(follow(seconds(10)));
  EXPECT_FALSE(asked->answer);
  append("a", 1);
  settle();
  ASSERT_TRUE(asked->answer);
  EXPECT_THAT(page_of(*asked).lines, SizeIs(1));
}

TEST_F(JournalTest, ASearchThatFindsNothingWaitsAtTheOtherReader) {
  const auto searches = spawn(
      journal_reader_actor, std::shared_ptr<journal::Store>(store_),
      [](const Uuid&) { return std::string("node"); }, LinesOfMark(), reader_);
  append("a", 1);
  settle();
  auto request = follow(seconds(5));
  request.from = 2;
  const auto asked = send(searches, read_atom_v, "journal.read", model::pack(request));
  settle();
  EXPECT_FALSE(asked->answer);
  caf::anon_send_exit(searches, caf::exit_reason::kill);
  append("a", 2);
  settle();
  ASSERT_TRUE(asked->answer) << "the reader that searched is gone, the one that waits is not";
  EXPECT_EQ(page_of(*asked).lines.at(0).line, 2u);
}

TEST_F(JournalTest, LeavesAFollowerWaitingWhenTheLineIsNotForIt) {
  auto request = follow(seconds(10));
  request.level = model::Level::kError;
  const auto asked = read(request);
  append("a", 1);
  settle();
  EXPECT_FALSE(asked->answer);
}

TEST_F(JournalTest, AnswersAFollowerWithNothingWhenItsWaitIsOver) {
  const auto asked = read(follow(seconds(2)));
  pass(milliseconds(1900));
  EXPECT_FALSE(asked->answer);
  pass(milliseconds(200));
  ASSERT_TRUE(asked->answer);
  EXPECT_THAT(page_of(*asked).lines, IsEmpty());
  EXPECT_TRUE(page_of(*asked).end);
}

TEST_F(JournalTest, WaitsNoLongerThanItsLimit) {
  const auto asked = read(follow(std::chrono::hours(1)));
  pass(seconds(31));
  EXPECT_TRUE(asked->answer);
}

TEST_F(JournalTest, ForgetsAFollowerThatGaveUp) {
  const auto asked = read(follow(seconds(10)));
  asked->cancelled = true;
  append("a", 1);
  settle();
  EXPECT_FALSE(asked->answer);
}

TEST_F(JournalTest, RefusesAFollowerTooMany) {
  for (int i = 0; i < 256; ++i) read(follow(seconds(10)));
  const auto asked = read(follow(seconds(10)));
  ASSERT_TRUE(asked->answer);
  EXPECT_EQ(asked->answer->error().code, Code::kUnavailable);
}

TEST_F(JournalTest, NeverWaitsNewestFirst) {
  auto request = follow(seconds(10));
  request.newest_first = true;
  request.from = 0;
  EXPECT_TRUE(read(request)->answer);
}

TEST_F(JournalTest, RefusesAReadThatIsNoRequest) {
  const auto asked = send(reader_, read_atom_v, "journal.read", "nonsense");
  settle();
  EXPECT_EQ(asked->answer->error().code, Code::kInvalidArgument);
}

TEST_F(JournalTest, TellsAReaderOfDamage) {
  append("a", 1);
  settle();
  store_->fail_scans();
  EXPECT_EQ(read({})->answer->error().code, Code::kCorruption);
}

}  // namespace
}  // namespace tidemark::actors
