// test/subsystem/lifecycle_test.cpp
//
// Starting, stopping, and being replaced.

#include <gmock/gmock.h>

#include <atomic>
#include <future>
#include <optional>
#include <thread>

#include "subsystem_fixture.h"

namespace tidemark {
namespace {

using namespace std::chrono_literals;
using test::eventually;
using test::kPatience;
using testing::HasSubstr;
using testing::SizeIs;

class Lifecycle : public test::SubsystemTest {};

TEST_F(Lifecycle, MistakesInKeysAreToldAtTheStart) {
  Subsystem psu{"psu.1"};
  psu.publish<double>("no spaces");
  const auto started = psu.start();
  EXPECT_EQ(started.error().code, Code::kInvalidArgument);
  EXPECT_THAT(started.error().message, HasSubstr("no spaces"));

  Subsystem twice{"psu.2"};
  twice.publish<double>("current");
  twice.publish<double>("current");
  EXPECT_EQ(twice.start().error().code, Code::kConflict);

  Subsystem odd{"psu/3"};
  EXPECT_THAT(odd.start().error().message, HasSubstr("psu/3"));
}

TEST_F(Lifecycle, ClientThatStopsWaitsForTheJournal) {
  Client client;
  join_client(client);
  client.log(Severity::kWarning, "beam is weak");
  client.stop();
  EXPECT_THAT(site_.recorded<model::LogMessage>(), SizeIs(1));
}

TEST_F(Lifecycle, NoCallbackRunsAfterStop) {
  Subsystem psu{"psu.1"};
  const auto count = psu.publish<std::int64_t>("count");
  join(psu);
  Client client;
  join_client(client);
  std::atomic<bool> go{false};
  std::atomic<bool> stopped{false};
  std::atomic<int> late{0};
  std::atomic<int> heard{0};
  const auto subscription = client.subscribe("psu.1/count", [&](const auto&) {
    ++heard;
    go.wait(false);
    if (stopped) ++late;
  });
  std::int64_t next = 0;
  ASSERT_TRUE(eventually([&] {
    count = ++next;
    return heard == 1;
  }));
  auto stopping = std::async(std::launch::async, [&] {
    client.stop();
    stopped = true;
  });
  EXPECT_EQ(stopping.wait_for(50ms), std::future_status::timeout) << "a callback runs still";
  go = true;
  go.notify_all();
  stopping.get();
  for (int i = 0; i < 100; ++i) count = ++next;
  EXPECT_EQ(late, 0);
}

TEST_F(Lifecycle, StopInACallbackDoesNotWaitForItself) {
  Subsystem psu{"psu.1"};
  const auto count = psu.publish<std::int64_t>("count");
  join(psu);
  count = 1;
  Client client;
  join_client(client);
  std::promise<void> stopped;
  const auto subscription = client.subscribe("psu.1/count", [&](const auto&) {
    client.stop(Duration{0});
    stopped.set_value();
  });
  EXPECT_EQ(stopped.get_future().wait_for(kPatience), std::future_status::ready);
}

TEST_F(Lifecycle, OlderOfTwoEndsWhenANewerOneComes) {
  Subsystem first{"psu.1"};
  join(first);
  std::optional<Error> why;
  std::thread waiting([&] { why = first.session()->wait_for_end(); });
  Subsystem second{"psu.1"};
  join(second, 2);
  waiting.join();
  ASSERT_TRUE(why);
  EXPECT_EQ(why->code, Code::kRefused);
  EXPECT_THAT(why->message, HasSubstr("superseded"));
}

}  // namespace
}  // namespace tidemark
