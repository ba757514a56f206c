#include "actors/outbox.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "test/support/actor_test.h"
#include "test/support/fake_link.h"

namespace tidemark::actors {
namespace {

using std::chrono::milliseconds;
using testing::IsEmpty;
using testing::SizeIs;

class OutboxTest : public test::ActorTest {
 protected:
  void TearDown() override {
    link_->forget();
    end_actors();
  }

  auto append(const std::string& text) {
    auto answer = ask<std::uint64_t>(outbox_, append_atom_v,
                                     Records{model::LogMessage{model::Level::kInfo, "test", text}});
    settle();
    return answer;
  }
  std::vector<bus::Call> requests() const { return link_->asked("journal.append"); }
  static model::api::AppendRequest read(const bus::Call& call) {
    return model::unpack<model::api::AppendRequest>(call.payload()).value();
  }
  void acknowledge(const bus::Call& call, std::uint64_t through, std::uint64_t line = 100) {
    call.done(model::pack(model::api::AppendReply{through, line}));
    settle();
  }
  void fail(const bus::Call& call, Code code = Code::kUnavailable) {
    call.fail({code, "journal is away"});
    settle();
  }

  std::shared_ptr<test::FakeLink> link_ =
      std::make_shared<test::FakeLink>(test::node_called("keeper", 7));
  Outbox outbox(std::shared_ptr<bus::Link> link, std::string spool = {}) {
    return spawn(outbox_actor, OutboxOptions{std::move(link),
                                             test::number_of("journal"),
                                             std::make_shared<Board>(),
                                             {},
                                             {std::move(spool)}});
  }
  /// What an incarnation before this one said, while there was no journal.
  void leave_behind(const std::string& directory) {
    const auto link = std::make_shared<test::FakeLink>(test::node_called("keeper", 6));
    const auto last = outbox(link, directory);
    caf::anon_send(last, append_atom_v,
                   Records{model::LogMessage{model::Level::kInfo, "test", "before"}});
    settle();
    caf::anon_send_exit(last, caf::exit_reason::kill);
    settle();
    link->forget();
  }
  Outbox outbox_ = outbox(link_);
};

TEST_F(OutboxTest, SaysFirstWhatTheLifeBeforeItCouldNot) {
  char folder[] = "/tmp/tidemark-outbox-XXXXXX";
  const std::string directory = ::mkdtemp(folder);
  leave_behind(directory);
  const auto next = outbox(link_, directory);
  settle();
  ASSERT_THAT(requests(), SizeIs(1));
  EXPECT_EQ(read(requests()[0]).incarnation, 6u);
  const auto answer = ask<std::uint64_t>(
      next, append_atom_v, Records{model::LogMessage{model::Level::kInfo, "test", "now"}});
  settle();
  EXPECT_THAT(requests(), SizeIs(1)) << "in order";
  acknowledge(requests()[0], 1);
  ASSERT_THAT(requests(), SizeIs(2));
  EXPECT_EQ(read(requests()[1]).incarnation, 7u);
  EXPECT_TRUE(answer->pending());
  acknowledge(requests()[1], 1);
  EXPECT_FALSE(answer->pending());
  std::filesystem::remove_all(directory);
}

TEST_F(OutboxTest, GivesUpAnEarlierLifeThatTheJournalRefuses) {
  char folder[] = "/tmp/tidemark-outbox-XXXXXX";
  const std::string directory = ::mkdtemp(folder);
  leave_behind(directory);
  const auto next = outbox(link_, directory);
  caf::anon_send(next, append_atom_v,
                 Records{model::LogMessage{model::Level::kInfo, "test", "now"}});
  settle();
  fail(requests().at(0), Code::kRefused);
  ASSERT_THAT(requests(), SizeIs(2));
  EXPECT_EQ(read(requests()[1]).incarnation, 7u);
  std::filesystem::remove_all(directory);
}

TEST_F(OutboxTest, SaysWhoItIsAndWhatItHolds) {
  append("one");
  ASSERT_THAT(requests(), SizeIs(1));
  const auto request = read(requests()[0]);
  EXPECT_EQ(request.origin, link_->self().uuid);
  EXPECT_EQ(request.node, "keeper");
  EXPECT_EQ(request.incarnation, 7u);
  EXPECT_EQ(request.after, 0u);
  ASSERT_THAT(request.sections, SizeIs(1));
  EXPECT_EQ(request.sections[0].sequence, 1u);
  EXPECT_EQ(link_->requests()[0].node, test::number_of("journal"));
}

TEST_F(OutboxTest, AnswersWhenTheRecordsAreDurable) {
  const auto answer = append("one");
  EXPECT_TRUE(answer->pending());
  acknowledge(requests()[0], 1, 42);
  EXPECT_EQ(answer->value, 42u);
}

TEST_F(OutboxTest, AnswersAllThatOneReplyAcknowledges) {
  const auto first = append("one");
  const auto second = append("two");
  const auto third = append("three");
  acknowledge(requests()[1], 2);
  EXPECT_TRUE(first->value.has_value());
  EXPECT_TRUE(second->value.has_value());
  EXPECT_TRUE(third->pending());
}

TEST_F(OutboxTest, SendsUpdatesInTheirPlaceAmongRecords) {
  append("one");
  caf::anon_send(outbox_, batch_atom_v,
                 UpdateBatch{model::encode_updates({model::PvUpdate{}}), 1, UtcTime{}});
  settle();
  const auto section = read(requests()[1]).sections.at(0);
  EXPECT_EQ(section.sequence, 2u);
  EXPECT_EQ(section.format, static_cast<std::uint8_t>(journal::SectionFormat::kUpdates));
}

TEST_F(OutboxTest, SendsAgainAfterAFailureAndAnswersThen) {
  const auto answer = append("one");
  fail(requests()[0]);
  EXPECT_TRUE(answer->pending());
  EXPECT_THAT(requests(), SizeIs(1));

  pass(milliseconds(20));
  ASSERT_THAT(requests(), SizeIs(2));
  EXPECT_EQ(read(requests()[1]).sections.at(0).sequence, 1u);
  acknowledge(requests()[1], 1);
  EXPECT_TRUE(answer->value.has_value());
}

TEST_F(OutboxTest, WaitsLongerWithEachFailure) {
  append("one");
  fail(requests()[0]);
  pass(milliseconds(20));
  fail(requests()[1]);
  pass(milliseconds(39));
  EXPECT_THAT(requests(), SizeIs(2));
  pass(milliseconds(1));
  EXPECT_THAT(requests(), SizeIs(3));
}

TEST_F(OutboxTest, WaitsHalfASecondAtMost) {
  append("one");
  for (std::size_t i = 0; i < 10; ++i) {
    ASSERT_THAT(requests(), SizeIs(i + 1));
    fail(requests()[i]);
    pass(milliseconds(500));
  }
}

TEST_F(OutboxTest, BeginsWithAShortWaitAgainAfterASuccess) {
  append("one");
  fail(requests()[0]);
  pass(milliseconds(20));
  fail(requests()[1]);
  pass(milliseconds(40));
  acknowledge(requests()[2], 1);

  append("two");
  fail(requests()[3]);
  pass(milliseconds(20));
  EXPECT_THAT(requests(), SizeIs(5));
}

TEST_F(OutboxTest, SendsNothingWhileItWaits) {
  append("one");
  fail(requests()[0]);
  append("two");
  EXPECT_THAT(requests(), SizeIs(1));
  pass(milliseconds(20));
  ASSERT_THAT(requests(), SizeIs(2));
  EXPECT_THAT(read(requests()[1]).sections, SizeIs(2));
}

TEST_F(OutboxTest, SendsAtOnceWhenTheJournalIsBack) {
  append("one");
  fail(requests()[0]);
  caf::anon_send(outbox_, wake_atom_v);
  settle();
  EXPECT_THAT(requests(), SizeIs(2));
}

TEST_F(OutboxTest, IgnoresLateAnswersToWhatItSentAgain) {
  const auto answer = append("one");
  append("two");
  fail(requests()[0]);
  pass(milliseconds(20));
  ASSERT_THAT(requests(), SizeIs(3));

  fail(requests()[1]);  // of the first attempt: it must not begin another wait
  acknowledge(requests()[2], 2);
  EXPECT_TRUE(answer->value.has_value());
}

TEST_F(OutboxTest, TakesAnAnswerThatCannotBeReadForAFailure) {
  append("one");
  requests()[0].done("not a reply");
  settle();
  pass(milliseconds(20));
  EXPECT_THAT(requests(), SizeIs(2));
}

TEST_F(OutboxTest, AnswersStopAtOnceWhenItHoldsNothing) {
  const auto stopped = ask<Unit>(outbox_, stop_atom_v);
  settle();
  EXPECT_TRUE(stopped->value.has_value());
}

TEST_F(OutboxTest, AnswersStopWhenAllIsAcknowledged) {
  append("one");
  append("two");
  const auto stopped = ask<Unit>(outbox_, stop_atom_v);
  settle();
  acknowledge(requests()[0], 1);
  EXPECT_TRUE(stopped->pending());
  acknowledge(requests()[1], 2);
  EXPECT_TRUE(stopped->value.has_value());
}

TEST_F(OutboxTest, HasEightRequestsOnTheWayAtMost) {
  for (int i = 0; i < 9; ++i) append("record");
  EXPECT_THAT(requests(), SizeIs(8));
  acknowledge(requests()[0], 1);
  EXPECT_THAT(requests(), SizeIs(9));
}

}  // namespace
}  // namespace tidemark::actors
