// test/bus/engine_test.cpp
//
// What becomes of calls and frames when the network fails: each failure by itself, in time that
// is made up. bus_simulation_test.cpp has all of them at once.

#include "bus/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "answer_text.h"
#include "simulated_site.h"

namespace tidemark::bus {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class EngineTest : public testing::Test {
 protected:
  EngineTest() {
    serve(server_);
    meet(client_, server_.link->self());
  }

  /// Connects: a connection cannot come up while something is lost.
  void meet(const SimulatedSite::Node& node, const NodeInfo& server) {
    node.link->set_peer(server);
    node.link->request(SimulatedSite::number("server"), "hello", {}, {}, [](const Answer&) {});
    site_.pass(500ms);
  }

  void serve(const SimulatedSite::Node& node) {
    node.link->serve("count", [this](const Call& call) {
      ++done_;
      call.done("done");
    });
  }
  void ask(const std::string& method, Duration budget) {
    client_.link->request(SimulatedSite::number("server"), method, "payload", {budget, {}},
                          [this](Answer answer) { answers_.push_back(std::move(answer)); });
  }
  std::string answer() const {
    return answers_.size() == 1 ? text(answers_[0]) : std::to_string(answers_.size()) + " answers";
  }

  SimulatedSite site_;
  SimulatedSite::Node& server_ = site_.start("server", 7);
  SimulatedSite::Node& client_ = site_.start("client", 1);
  int done_ = 0;
  std::vector<Answer> answers_;
};

TEST_F(EngineTest, RequestWhoseAnswerWasLostIsAskedTwiceAndDoneOnce) {
  site_.lose("server", "client", 500ms);
  ask("count", 5s);
  site_.pass(5s);
  EXPECT_EQ(answer(), "done");
  EXPECT_EQ(done_, 1);
  EXPECT_EQ(client_.link->counters().requests_sent_again, 1U);
  EXPECT_EQ(server_.link->counters().requests_asked_twice, 1U);
}

TEST_F(EngineTest, RequestThatWasLostItselfIsSentAgain) {
  site_.lose("client", "server", 500ms);
  ask("count", 5s);
  site_.pass(5s);
  EXPECT_EQ(answer(), "done");
  EXPECT_EQ(done_, 1);
}

TEST_F(EngineTest, RequestIsSentAgainWhileItsAnswerIsBeingMade) {
  std::optional<Call> open;
  server_.link->serve("slow", [&](Call call) {
    ++done_;
    open = std::move(call);
  });
  ask("slow", 10s);
  site_.pass(4s);
  EXPECT_EQ(server_.link->counters().requests_asked_twice, 2U);  // after one second and after three
  open->done("at last");
  site_.pass(100ms);
  EXPECT_EQ(answer(), "at last");
  EXPECT_EQ(done_, 1);
}

TEST_F(EngineTest, RequestOfAShortBudgetIsSentOnce) {
  site_.lose("server", "client", 500ms);
  ask("count", 1s);
  site_.pass(5s);
  EXPECT_THAT(answer(), HasSubstr("did not answer"));
  EXPECT_EQ(client_.link->counters().requests_sent_again, 0U);
}

TEST_F(EngineTest, AnswerThatIsTooLargeToKeepIsATimeoutWhenItIsAskedForAgain) {
  server_.link->serve("large", [this](const Call& call) {
    ++done_;
    call.done(Bytes(ServedCalls::kAnswerBytesEach + 1, 'x'));
  });
  site_.lose("server", "client", 500ms);
  ask("large", 5s);
  site_.pass(5s);
  EXPECT_EQ(answer(), text(Code::kTimeout, "it was answered, and the answer was not kept"));
  EXPECT_EQ(done_, 1);
}

TEST_F(EngineTest, AnswerWhosePartsWereLostIsATimeout) {
  std::optional<Call> open;
  server_.link->serve("parts", [&](Call call) {
    call.progress("first");
    open = std::move(call);
  });
  site_.lose("server", "client", 300ms);
  ask("parts", 900ms);
  site_.pass(500ms);
  open->progress("second");
  open->done("end");
  site_.pass(100ms);
  EXPECT_EQ(answer(), text(Code::kTimeout, "of the answer to 'parts' 1 of 2 parts were lost"));
}

TEST_F(EngineTest, SuccessorOfAServerDoesNotDoItAgain) {
  site_.lose("server", "client", 500ms);
  ask("count", 5s);
  site_.pass(500ms);
  EXPECT_EQ(done_, 1);
  site_.crash(server_);
  serve(site_.start("server", 8));
  site_.pass(5s);
  EXPECT_EQ(answer(),
            text(Code::kTimeout, "'count' went to incarnation 7 of server, which is gone"));
  EXPECT_EQ(done_, 1);
}

TEST_F(EngineTest, RequestIsSentOnceToAServerOfUnknownIncarnation) {
  auto& other = site_.start("other", 1);
  meet(other, SimulatedSite::info("server"));
  site_.lose("server", "other", 500ms);
  other.link->request(SimulatedSite::number("server"), "count", {}, {5s, {}},
                      [this](Answer got) { answers_.push_back(std::move(got)); });
  site_.pass(6s);
  EXPECT_THAT(answer(), HasSubstr("did not answer"));
  EXPECT_EQ(done_, 1);
}

TEST_F(EngineTest, RequestThatComesAfterItsCallerGaveUpIsNotDoneAgain) {
  site_.lose("server", "client", 500ms);
  ask("count", 5s);
  site_.pass(600ms);
  site_.hold("client", "server", 7s);  // What is sent again after a second arrives in seven.
  site_.pass(10s);
  EXPECT_THAT(answer(), HasSubstr("did not answer"));
  EXPECT_EQ(server_.link->counters().requests_asked_twice, 1U);
  EXPECT_EQ(done_, 1);
}

// ---- a server that stood still, and a caller that did -----------------------------------------

TEST_F(EngineTest, RequestWhoseCallerGaveUpWhileTheServerStoodStillIsNotCarriedOut) {
  server_.frozen = true;
  ask("count", 2s);
  site_.pass(4s);
  EXPECT_THAT(answer(), HasSubstr("did not answer"));
  server_.frozen = false;
  site_.pass(5s);
  EXPECT_EQ(done_, 0);
}

TEST_F(EngineTest, RequestThatHasTimeLeftAfterTheStandstillIsCarriedOutWithinIt) {
  std::optional<Call> open;
  server_.link->serve("slow", [&](Call call) { open = std::move(call); });
  server_.frozen = true;
  ask("slow", 10s);
  site_.pass(4s);
  server_.frozen = false;
  site_.pass(200ms);
  ASSERT_TRUE(open);
  EXPECT_LE(open->deadline(), server_.link->now() + 6s) << "four seconds may be over already";
  open->done("done");
  site_.pass(100ms);
  EXPECT_EQ(answer(), "done");
}

TEST_F(EngineTest, RequestThatIsTooLateIsNotDoneWhenItIsAskedForAgainEither) {
  server_.frozen = true;
  ask("count", 5s);
  site_.pass(4500ms);
  server_.frozen = false;
  client_.link->request(SimulatedSite::number("server"), "count", {}, {2s, {}},
                        [this](Answer got) { answers_.push_back(std::move(got)); });
  site_.pass(5s);
  EXPECT_EQ(done_, 1) << "only the one of which half a second was left";
  ASSERT_EQ(answers_.size(), 2U);
}

TEST_F(EngineTest, StandstillIsOfNoMatterToWhatIsAskedALittleLater) {
  server_.frozen = true;
  site_.pass(10s);
  server_.frozen = false;
  site_.pass(Engine::kWaitedThrough + 200ms);
  ask("count", 500ms);
  site_.pass(1s);
  EXPECT_EQ(answer(), "done");
}

TEST_F(EngineTest, CallerThatHasASuccessorIsRefused) {
  ask("count", 5s);
  site_.pass(100ms);
  EXPECT_EQ(answer(), "done");
  server_.link->set_peer(SimulatedSite::info("client", 2));
  site_.pass(100ms);
  answers_.clear();
  ask("count", 5s);
  site_.pass(100ms);
  EXPECT_EQ(answer(), text(Code::kRefused, "client incarnation 1 is superseded by incarnation 2"));
  EXPECT_EQ(done_, 1);
  EXPECT_EQ(server_.link->counters().stale, 1U);
}

TEST_F(EngineTest, FramesFromBeforeAStandstillAreSkippedAndTheHoleIsSeen) {
  std::vector<FrameHeader> heard;
  const StreamId stream{SimulatedSite::number("server"), kLiveStream};
  client_.link->subscribe(FrameClass::kState, stream,
                          [&](const Frame& frame) { heard.push_back(frame.header); });
  server_.link->publish(FrameClass::kState, kLiveStream, 1, "one");
  site_.pass(1s);
  client_.frozen = true;
  server_.link->publish(FrameClass::kState, kLiveStream, 1, "two");
  site_.pass(3s);
  client_.frozen = false;
  heard.clear();
  site_.pass(300ms);
  EXPECT_GT(client_.link->counters().skipped, 0U);
  ASSERT_FALSE(heard.empty());
  for (const auto& header : heard) EXPECT_EQ(header.frame_class, FrameClass::kHeartbeat);
  EXPECT_EQ(heard.back().sequence, 2U);
}

TEST_F(EngineTest, TimersRunInTheOrderOfTheirTimes) {
  std::string order;
  client_.link->after(300ms, [&] { order += "c"; });
  client_.link->after(100ms, [&] { order += "a"; });
  client_.link->after(200ms, [&] {
    order += "b";
    client_.link->after(0ms, [&] { order += "0"; });
  });
  site_.pass(50ms);
  EXPECT_EQ(order, "");
  site_.pass(1s);
  EXPECT_EQ(order, "ab0c");
}

}  // namespace
}  // namespace tidemark::bus
