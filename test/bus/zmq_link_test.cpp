// test/bus/zmq_link_test.cpp
//
// What only the link on ZeroMQ has: endpoints, and strangers who write nonsense to them.

#include "bus/zmq_link.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>

#include "answer_text.h"

namespace tidemark::bus {
namespace {

using namespace std::chrono_literals;

class ZmqLinkTest : public testing::Test {
 protected:
  ZmqLinkTest() {
    std::string name = "/tmp/tidemark-zmq-XXXXXX";
    directory_ = ::mkdtemp(name.data());
  }
  ~ZmqLinkTest() override { std::filesystem::remove_all(directory_); }

  std::string path(const std::string& name) const { return directory_ + "/" + name; }

  static ZmqLinkOptions options(const std::string& name) {
    ZmqLinkOptions made;
    made.self.name = name;
    made.self.uuid = node_uuid("test", name);
    made.self.incarnation = 1;
    return made;
  }
  static Result<std::unique_ptr<Link>> open(const std::string& name, const std::string& requests) {
    auto made = options(name);
    made.bind_requests = {requests};
    return open_zmq_link(std::move(made));
  }
  static Answer ask(Link& from, const Link& to, std::string method, Bytes payload) {
    from.set_peer(to.self());
    std::promise<Answer> promise;
    auto answer = promise.get_future();
    RequestOptions how;
    how.budget = 20s;
    from.request(node_number(to.self().uuid), std::move(method), std::move(payload), how,
                 [&](Answer got) { promise.set_value(std::move(got)); });
    return answer.get();
  }

  std::string directory_;
};

TEST_F(ZmqLinkTest, IpcEndpointOfALivingProcessIsAConflictThatNamesIt) {
  const auto endpoint = "ipc://" + path("a");
  const auto first = open("first", endpoint);
  ASSERT_TRUE(first);
  const auto second = open("second", endpoint);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kConflict);
  EXPECT_NE(second.error().message.find(endpoint), std::string::npos);
}

TEST_F(ZmqLinkTest, TcpPortInUseIsAConflictThatNamesIt) {
  const auto first = open("first", "tcp://127.0.0.1:*");
  ASSERT_TRUE(first);
  const auto endpoint = first.value()->self().request_endpoints.at(0);
  EXPECT_EQ(endpoint.find('*'), std::string::npos);
  const auto second = open("second", endpoint);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kConflict);
  EXPECT_NE(second.error().message.find(endpoint), std::string::npos);
}

TEST_F(ZmqLinkTest, SocketFileOfADeadProcessIsTakenOver) {
  const int dead = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path("a").c_str(), sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(dead, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::close(dead);
  ASSERT_TRUE(std::filesystem::exists(path("a")));
  EXPECT_TRUE(open("first", "ipc://" + path("a")));
}

TEST_F(ZmqLinkTest, FileThatIsNoSocketIsLeftAlone) {
  std::ofstream(path("precious")) << "data";
  const auto link = open("first", "ipc://" + path("precious"));
  ASSERT_FALSE(link);
  EXPECT_EQ(link.error().code, Code::kConflict);
  EXPECT_EQ(std::filesystem::file_size(path("precious")), 4U);
}

TEST_F(ZmqLinkTest, IpcSocketIsForItsUserOnly) {
  const auto link = open("first", "ipc://" + path("a"));
  ASSERT_TRUE(link);
  struct stat status {};
  ASSERT_EQ(::stat(path("a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

TEST_F(ZmqLinkTest, EndpointsThatMakeNoSenseAreInvalid) {
  for (const std::string& endpoint :
       {"ipc://" + path(std::string(120, 'x')), std::string("ipc://"),
        std::string("tcp://0.0.0.0:1"), std::string("tcp://*:1"), std::string("tcp://127.0.0.1"),
        std::string("tcp://10.0.0.1:4000"), std::string("udp://127.0.0.1:1"),
        std::string("inproc://alone"), "ipc://" + path("no/such/directory")}) {
    const auto link = open("first", endpoint);
    ASSERT_FALSE(link) << endpoint;
    EXPECT_EQ(link.error().code, Code::kInvalidArgument) << endpoint << link.error().message;
  }
}

TEST_F(ZmqLinkTest, ClientThatBindsNothingCanAsk) {
  const auto server = open("server", "ipc://" + path("a"));
  ASSERT_TRUE(server);
  server.value()->serve("echo", [](Call call) { call.done(call.payload()); });
  const auto client = open_zmq_link(options("tool"));
  ASSERT_TRUE(client);
  EXPECT_EQ(text(ask(*client.value(), *server.value(), "echo", "hi")), "hi");
}

TEST_F(ZmqLinkTest, LinksOfOneContextMeetInProcess) {
  const auto context = make_zmq_context();
  auto made = options("server");
  made.context = context;
  made.bind_requests = {"inproc://server"};
  const auto server = open_zmq_link(std::move(made));
  ASSERT_TRUE(server) << server.error().message;
  server.value()->serve("echo", [](Call call) { call.done(call.payload()); });
  made = options("client");
  made.context = context;
  const auto client = open_zmq_link(std::move(made));
  ASSERT_TRUE(client);
  EXPECT_EQ(text(ask(*client.value(), *server.value(), "echo", "hi")), "hi");
}

TEST_F(ZmqLinkTest, NonsenseOnTheWireDisturbsNobody) {
  const auto server = open("server", "ipc://" + path("a"));
  ASSERT_TRUE(server);
  server.value()->serve("echo", [](Call call) { call.done(call.payload()); });

  const int stranger = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path("a").c_str(), sizeof address.sun_path - 1);
  ASSERT_EQ(::connect(stranger, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  // A whole ZMTP 3.0 greeting and a READY of a DEALER, then a message that is no envelope.
  std::string hello("\xff\0\0\0\0\0\0\0\x01\x7f\x03\0NULL", 16);
  hello.resize(64, '\0');
  const std::string ready(
      "\x05READY\x0bSocket-Type\0\0\0\x06"
      "DEALER",
      28);
  hello += '\x04';
  hello += static_cast<char>(ready.size());
  hello += ready;
  ASSERT_EQ(::write(stranger, hello.data(), hello.size()), static_cast<ssize_t>(hello.size()));
  // Its greeting and its READY: only then may messages follow.
  for (std::size_t got = 0; got < 64 + ready.size();) {
    char answer[256];
    const auto part = ::read(stranger, answer, sizeof answer);
    ASSERT_GT(part, 0);
    got += static_cast<std::size_t>(part);
  }
  const std::string nonsense("\0\x08nonsense", 10);
  ASSERT_EQ(::write(stranger, nonsense.data(), nonsense.size()), 10);
  const auto deadline = steady_now() + 20s;
  while (server.value()->counters().malformed == 0 && steady_now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_EQ(server.value()->counters().malformed, 1U);
  ::close(stranger);

  const auto client = open_zmq_link(options("tool"));
  ASSERT_TRUE(client);
  EXPECT_EQ(text(ask(*client.value(), *server.value(), "echo", "hi")), "hi");
}

}  // namespace
}  // namespace tidemark::bus
