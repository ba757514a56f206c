// test/bus/state_follower_test.cpp

#include "bus/state_follower.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "bus/memory_link.h"

namespace tidemark::bus {
namespace {

using namespace std::chrono_literals;

NodeInfo node(std::string name, Incarnation incarnation = 1) {
  NodeInfo info;
  info.uuid = node_uuid("test", name);
  info.name = std::move(name);
  info.incarnation = incarnation;
  return info;
}

/// A publisher whose state is the text of all that it published, and a reader of it.
class StateFollowerTest : public testing::Test {
 protected:
  StateFollowerTest() { begin(1); }
  ~StateFollowerTest() override {
    reader_.reset();
    publisher_.reset();
  }

  void begin(Incarnation incarnation) {
    publisher_.reset();
    published_ = {};
    publisher_ = bus_.open(node("publisher", incarnation));
    publisher_->declare_stream(FrameClass::kState, kLiveStream);
    publisher_->serve("state", [this, incarnation](const Call& call) {
      const std::lock_guard lock(mutex_);
      call.done(std::to_string(incarnation) + " " + std::to_string(published_.size()) + " " +
                published_);
    });
    reader_->set_peer(publisher_->self());
  }
  void publish(char letter) {
    const std::lock_guard lock(mutex_);
    published_ += letter;
    publisher_->publish(FrameClass::kState, kLiveStream, 1, Bytes(1, letter));
  }

  std::shared_ptr<StateFollower> follow() {
    StateFollowerOptions options;
    options.stream = stream_;
    options.method = "state";
    options.read_state = [](const std::vector<Bytes>&, const Bytes& answer) -> Result<WholeState> {
      const auto first = answer.find(' ');
      const auto second = answer.find(' ', first + 1);
      return WholeState{static_cast<Incarnation>(std::stoul(answer)),
                        std::stoul(answer.substr(first)),
                        {answer.substr(second + 1)}};
    };
    options.on_state = [this](const std::vector<Bytes>& parts) {
      change([&] {
        text_ = parts.at(0);
        ++states_;
      });
    };
    options.on_items = [this](const Bytes& payload) -> Result<Unit> {
      if (payload == "?") return Error{Code::kInvalidArgument, "no letter"};
      change([&] { text_ += payload; });
      return Unit{};
    };
    options.on_lost = [this](const StreamReader::Lost&) { change([&] { ++lost_; }); };
    return StateFollower::start(*reader_, std::move(options));
  }
  template <class F>
  void change(F&& how) {
    {
      const std::lock_guard lock(mutex_);
      how();
    }
    changed_.notify_all();
  }
  template <class F>
  testing::AssertionResult wait(F&& holds) {
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, 20s, holds)) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "the reader has '" << text_ << "'";
  }

  MemoryBus bus_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string published_;
  std::string text_;
  int states_ = 0;
  int lost_ = 0;

  const StreamId stream_{node_number(node("publisher").uuid), kLiveStream};
  std::shared_ptr<Link> reader_ = bus_.open(node("reader"));
  std::unique_ptr<Link> publisher_;
};

TEST_F(StateFollowerTest, HoleIsFilledWithTheVeryFramesAndWithoutAWholeState) {
  publish('a');
  const auto follower = follow();
  ASSERT_TRUE(wait([&] { return text_ == "a"; }));
  publish('b');
  ASSERT_TRUE(wait([&] { return text_ == "ab"; }));
  const int states = states_;

  bus_.drop_next(stream_, 2);
  publish('c');
  publish('d');
  publish('e');
  ASSERT_TRUE(wait([&] { return text_ == "abcde"; }));
  EXPECT_EQ(states_, states);
  EXPECT_EQ(lost_, 0);
  EXPECT_EQ(publisher_->counters().frames_sent_again, 2U);
}

TEST_F(StateFollowerTest, LossOfTheLastFrameShowsByTheHeartbeat) {
  const auto follower = follow();
  publish('a');
  ASSERT_TRUE(wait([&] { return text_ == "a"; }));
  bus_.drop_next(stream_, 1);
  publish('b');
  ASSERT_TRUE(wait([&] { return text_ == "ab"; }));
}

TEST_F(StateFollowerTest, RestartedPublisherIsReadFromItsWholeState) {
  const auto follower = follow();
  publish('a');
  ASSERT_TRUE(wait([&] { return text_ == "a"; }));
  begin(2);
  publish('x');
  publish('y');
  ASSERT_TRUE(wait([&] { return text_ == "xy"; }));
}

TEST_F(StateFollowerTest, ItemThatCannotBeReadIsCountedAndMadeGoodWithTheWholeState) {
  const auto follower = follow();
  publish('a');
  ASSERT_TRUE(wait([&] { return text_ == "a"; }));
  const int states = states_;
  publish('?');
  publish('b');
  ASSERT_TRUE(wait([&] { return text_ == "a?b"; }));
  EXPECT_EQ(states_, states + 1);
  EXPECT_EQ(lost_, 1);
  EXPECT_EQ(reader_->counters().malformed, 1U);
  publish('c');
  ASSERT_TRUE(wait([&] { return text_ == "a?bc"; }));
}

TEST_F(StateFollowerTest, NothingComesAfterTheEnd) {
  const auto follower = follow();
  publish('a');
  ASSERT_TRUE(wait([&] { return text_ == "a"; }));
  bool stopped = false;
  reader_->after(0ms, [&] {
    follower->stop();
    change([&] { stopped = true; });
  });
  ASSERT_TRUE(wait([&] { return stopped; }));
  publish('b');
  // What the link does after it would have read that frame.
  bool passed = false;
  publisher_->serve("hello", [](const Call& call) { call.done({}); });
  reader_->request(stream_.node, "hello", {}, {},
                   [&](const Answer&) { change([&] { passed = true; }); });
  ASSERT_TRUE(wait([&] { return passed; }));
  EXPECT_EQ(text_, "a");
}

}  // namespace
}  // namespace tidemark::bus
