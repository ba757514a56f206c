// test/bus/served_calls_test.cpp

#include "bus/served_calls.h"

#include <gtest/gtest.h>

#include "bus/failure.h"

namespace tidemark::bus {
namespace {

using namespace std::chrono_literals;

constexpr NodeNumber kCaller{1};
const Bytes kConnection = "a connection";

class ServedCallsTest : public testing::Test {
 protected:
  std::optional<Call> open(std::uint64_t number, Duration budget = 5s) {
    Envelope request;
    request.call = id(number);
    request.budget = budget;
    request.method = "work";
    return calls_.open(kConnection, std::move(request));
  }
  void close(std::uint64_t number, const Bytes& answer = "answer") {
    calls_.close(kConnection, id(number), answer);
  }
  SharedBytes again(std::uint64_t number) const { return calls_.again(kConnection, id(number)); }
  bool knows(std::uint64_t number) const { return calls_.knows(kConnection, id(number)); }
  void pass(Duration duration) {
    now_ += duration;
    calls_.expire();
  }
  static CallId id(std::uint64_t number) { return make_call_id(kCaller, 1, number); }

  SteadyTime now_ = SteadyTime{} + 1h;
  const std::shared_ptr<Outbox> outbox_ = std::make_shared<Outbox>([] {});
  ServedCalls calls_{outbox_, 1, Clock{[this] { return now_; }, [] { return UtcTime{}; }}};
};

TEST_F(ServedCallsTest, CallIsOpenedOnce) {
  EXPECT_TRUE(open(1));
  EXPECT_FALSE(open(1));
  close(1);
  EXPECT_FALSE(open(1));
  EXPECT_TRUE(open(2));
}

TEST_F(ServedCallsTest, AnswerIsKeptUntilTheBudgetIsOver) {
  const auto call = open(1);
  EXPECT_EQ(again(1), nullptr);
  close(1);
  ASSERT_NE(again(1), nullptr);
  EXPECT_EQ(*again(1), "answer");
  pass(5s + 1ns);
  EXPECT_EQ(again(1), nullptr);
}

TEST_F(ServedCallsTest, CallIsKnownForAWhileAfterItsBudget) {
  const auto call = open(1);
  close(1);
  pass(5s + 1ns);
  EXPECT_FALSE(open(1));
  pass(ServedCalls::kLate);
  EXPECT_FALSE(knows(1));
}

TEST_F(ServedCallsTest, HandlerLearnsThatItsCallerGaveUp) {
  const auto call = open(1);
  pass(5s);
  EXPECT_FALSE(call->cancelled());
  pass(1ns);
  EXPECT_TRUE(call->cancelled());
  close(1);  // too late
  EXPECT_EQ(again(1), nullptr);
}

TEST_F(ServedCallsTest, LargeAnswerIsNotKeptButThatItWasGivenIs) {
  const auto call = open(1);
  close(1, Bytes(ServedCalls::kAnswerBytesEach + 1, 'x'));
  const auto kept = decode_envelope(*again(1)).value();
  EXPECT_EQ(kept.kind, EnvelopeKind::kFailed);
  EXPECT_EQ(unpack_failure(kept.payload).code, Code::kTimeout);
}

TEST_F(ServedCallsTest, AnswersInAllAreBounded) {
  const Bytes answer(ServedCalls::kAnswerBytesEach, 'x');
  const auto fit = ServedCalls::kAnswerBytesMax / ServedCalls::kAnswerBytesEach;
  for (std::uint64_t i = 0; i <= fit; ++i) {
    const auto call = open(i);
    close(i, answer);
  }
  EXPECT_EQ(again(fit - 1)->size(), answer.size());
  EXPECT_LT(again(fit)->size(), answer.size());
  pass(6s);  // makes room
  const auto call = open(fit + 1);
  close(fit + 1, answer);
  EXPECT_EQ(again(fit + 1)->size(), answer.size());
}

TEST_F(ServedCallsTest, OpenCallsAreBounded) {
  for (std::uint64_t i = 0; i < ServedCalls::kOpenMax; ++i) {
    EXPECT_FALSE(calls_.full());
    open(i);
  }
  EXPECT_TRUE(calls_.full());
  pass(6s);
  EXPECT_FALSE(calls_.full());
}

TEST_F(ServedCallsTest, ManyCallsAreForgottenAsSoonAsTheirBudgetIsOver) {
  for (std::uint64_t i = 0; i < ServedCalls::kLateMax + 10; ++i) {
    open(i);
    close(i);
  }
  pass(6s);
  EXPECT_FALSE(knows(0));
  EXPECT_FALSE(knows(9));
  EXPECT_TRUE(knows(ServedCalls::kLateMax));
}

}  // namespace
}  // namespace tidemark::bus
