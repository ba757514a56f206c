// test/bus/link_streams_test.cpp
//
// What every Link promises of streams, and of time.

#include <atomic>
#include <thread>

#include "link_contract.h"

namespace tidemark::bus {
namespace {

INSTANTIATE_TEST_SUITE_P(Every, LinkContract, testing::Values("memory", "ipc", "tcp", "curve"),
                         [](const auto& each) { return std::string(each.param); });

TEST_P(LinkContract, DeclaredStreamTellsASubscriberThatItIsSubscribed) {
  Received<Frame> received;
  join(received);
  const auto first = received.wait_for(1).front();
  EXPECT_EQ(first.header.frame_class, FrameClass::kHeartbeat);
  EXPECT_EQ(first.header.sequence, 0U);
  EXPECT_EQ(first.header.stream, stream());
}

TEST_P(LinkContract, FramesArriveNumberedAndInOrder) {
  Received<Frame> received;
  join(received);
  EXPECT_EQ(server_->publish(FrameClass::kState, kLiveStream, 3, "abc"), 1U);
  EXPECT_EQ(server_->publish(FrameClass::kState, kLiveStream, 1, "d"), 4U);

  const auto frames = received.wait(has_data(2));
  std::vector<Frame> data;
  for (const auto& frame : frames) {
    if (frame.header.count > 0) data.push_back(frame);
  }
  EXPECT_EQ(data[0].header.sequence, 1U);
  EXPECT_EQ(data[0].header.count, 3U);
  EXPECT_EQ(data[0].payload, "abc");
  EXPECT_EQ(data[1].header.sequence, 4U);
  EXPECT_EQ(data[1].payload, "d");
}

TEST_P(LinkContract, HeartbeatAfterTheLastFrameSaysItsSequence) {
  Received<Frame> received;
  join(received);
  server_->publish(FrameClass::kState, kLiveStream, 5, "abcde");
  received.wait([](const std::vector<Frame>& frames) {
    return frames.back().header.frame_class == FrameClass::kHeartbeat &&
           frames.back().header.sequence == 5;
  });
}

TEST_P(LinkContract, OtherStreamsAndClassesStayAway) {
  Received<Frame> received;
  join(received);
  server_->publish(FrameClass::kState, kJobStream, 1, "other stream");
  server_->publish(FrameClass::kEvent, kLiveStream, 1, "other class");
  server_->publish(FrameClass::kState, kLiveStream, 1, "mine");
  for (const auto& frame : received.wait(has_data(1))) {
    if (frame.header.count > 0) {
      EXPECT_EQ(frame.payload, "mine");
    }
  }
}

TEST_P(LinkContract, SubscriptionOfAnUnknownNodeWaitsForIt) {
  const auto late_node = node("late");
  const StreamId late_stream{node_number(late_node.uuid), kLiveStream};
  Received<Frame> received;
  client_->subscribe(FrameClass::kState, late_stream,
                     [&](Frame frame) { received.add(std::move(frame)); });
  const auto late = network_->open(late_node);
  late->declare_stream(FrameClass::kState, kLiveStream);
  client_->set_peer(late->self());
  received.wait_for(1);
  client_.reset();
}

TEST_P(LinkContract, SubscriptionFollowsARestartedPublisher) {
  Received<Frame> received;
  join(received);
  server_.reset();
  server_ = network_->open(node("server", 2));
  server_->publish(FrameClass::kState, kLiveStream, 1, "again");
  client_->set_peer(server_->self());
  received.wait([](const auto& frames) { return frames.back().header.incarnation == 2; });
  client_.reset();
}

TEST_P(LinkContract, FramesOfAnOlderIncarnationAreFenced) {
  Received<Frame> received;
  join(received);
  auto newer = server_->self();
  newer.incarnation = 2;  // as the directory says; the process that we hear is the old one
  client_->set_peer(newer);
  const auto deadline = steady_now() + kPatience;
  while (client_->counters().stale == 0 && steady_now() < deadline) {
    server_->publish(FrameClass::kState, kLiveStream, 1, "stale");
    std::this_thread::yield();
  }
  EXPECT_GT(client_->counters().stale, 0U);
  client_.reset();
}

TEST_P(LinkContract, NothingComesAfterUnsubscribingInsideTheCallback) {
  server_->declare_stream(FrameClass::kState, kLiveStream);
  Received<Frame> once;
  const auto id = std::make_shared<std::promise<SubscriptionId>>();
  const auto known = id->get_future().share();
  id->set_value(client_->subscribe(FrameClass::kState, stream(), [&, known](Frame frame) {
    if (known.wait_for(kPatience) != std::future_status::ready) return;
    client_->unsubscribe(known.get());
    once.add(std::move(frame));
  }));
  once.wait_for(1);
  Received<Frame> other;  // Of the same stream: what it gets, the first would have got before.
  join(other);
  server_->publish(FrameClass::kState, kLiveStream, 1, "x");
  other.wait(has_data(1));
  EXPECT_EQ(once.wait_for(1).size(), 1U);
}

TEST_P(LinkContract, OneSubscriptionEndsAndAnotherOfTheSameStreamGoesOn) {
  Received<Frame> first;
  Received<Frame> second;
  server_->declare_stream(FrameClass::kState, kLiveStream);
  const auto id = client_->subscribe(FrameClass::kState, stream(),
                                     [&](Frame frame) { first.add(std::move(frame)); });
  first.wait_for(1);
  join(second);
  std::promise<void> done;
  client_->unsubscribe(id);
  client_->after(0ms, [&] { done.set_value(); });
  done.get_future().wait();
  const auto heard = first.wait_for(1).size();
  server_->publish(FrameClass::kState, kLiveStream, 1, "x");
  second.wait(has_data(1));
  EXPECT_EQ(first.wait_for(1).size(), heard);
}

TEST_P(LinkContract, SubscriptionMayEndBeforeItWasCarriedOut) {
  Received<Frame> never;
  Received<Frame> other;
  std::promise<void> done;
  server_->declare_stream(FrameClass::kState, kLiveStream);
  // On the loop thread: the subscription waits for the loop, the end of it does not.
  client_->after(0ms, [&] {
    const auto id = client_->subscribe(FrameClass::kState, stream(),
                                       [&](Frame frame) { never.add(std::move(frame)); });
    client_->unsubscribe(id);
    done.set_value();
  });
  done.get_future().wait();
  join(other);
  server_->publish(FrameClass::kState, kLiveStream, 1, "x");
  other.wait(has_data(1));
  EXPECT_TRUE(never.wait_for(0).empty());
}

TEST_P(LinkContract, TimersRunInTheOrderOfTheirTimesOnTheLoopThread) {
  Received<std::string> heard;
  const auto loop = std::make_shared<std::promise<std::thread::id>>();
  client_->after(0ms, [&, loop] {
    loop->set_value(std::this_thread::get_id());
    client_->after(40ms, [&] { heard.add("third"); });
    client_->after(20ms, [&] {
      heard.add("first");
      client_->after(0ms, [&] { heard.add("second"); });
    });
  });
  EXPECT_EQ(heard.wait_for(3), (std::vector<std::string>{"first", "second", "third"}));
  EXPECT_TRUE(loop->get_future().get() != std::this_thread::get_id());
}

TEST_P(LinkContract, TimerOfALinkThatClosedNeverRuns) {
  auto ran = std::make_shared<std::atomic<bool>>(false);
  client_->after(1h, [ran] { *ran = true; });
  client_.reset();
  EXPECT_FALSE(*ran);
  EXPECT_EQ(ran.use_count(), 1);
}

TEST_P(LinkContract, FramesThatWereLostAreToBeHadAgain) {
  Received<Frame> received;
  join(received);
  server_->publish(FrameClass::kState, kLiveStream, 2, "ab");
  server_->publish(FrameClass::kState, kLiveStream, 1, "c");
  server_->publish(FrameClass::kState, kLiveStream, 1, "d");
  received.wait(has_data(3));

  Received<Result<std::vector<Frame>>> again;
  const auto ask = [&](Incarnation incarnation, std::uint64_t from, std::uint64_t to) {
    ask_again(*client_, stream(), {incarnation, from, to},
              [&](Result<std::vector<Frame>> frames) { again.add(std::move(frames)); });
  };
  ask(1, 3, 4);
  const auto frames = again.wait_for(1).at(0);
  ASSERT_TRUE(frames) << frames.error().message;
  ASSERT_EQ(frames.value().size(), 2U);
  EXPECT_EQ(frames.value()[0].header.sequence, 3U);
  EXPECT_EQ(frames.value()[0].payload, "c");
  EXPECT_EQ(frames.value()[1].payload, "d");
  EXPECT_EQ(server_->counters().frames_sent_again, 2U);

  ask(1, 4, 5);
  ask(2, 1, 1);
  const auto all = again.wait_for(3);
  EXPECT_EQ(all[1].error().code, Code::kNotFound);
  EXPECT_EQ(all[2].error().code, Code::kNotFound);
}

}  // namespace
}  // namespace tidemark::bus
