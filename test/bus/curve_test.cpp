// test/bus/curve_test.cpp
//
// Keys on tcp: who gets in, who does not, and that those who do not disturb nobody. Real sockets on
// loopback.

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <thread>

#include "answer_text.h"
#include "bus/curve_keys.h"
#include "bus/zmq_context.h"
#include "bus/zmq_link.h"
#include "bus/zmq_socket.h"
#include "eventually.h"

namespace tidemark::bus {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr auto kPatience = 20s;       // for a loaded machine; a passing test needs milliseconds
constexpr auto kRefusalTime = 300ms;  // how long somebody who is refused may try

class KeyDirectory : public testing::Test {
 protected:
  KeyDirectory() {
    std::string name = "/tmp/tidemark-keys-XXXXXX";
    directory_ = ::mkdtemp(name.data());
    std::filesystem::create_directory(directory_ + "/allowed");
  }
  ~KeyDirectory() override { std::filesystem::remove_all(directory_); }

  CurveKeys make(const std::string& name) const {
    const auto keys = make_curve_keys();
    EXPECT_TRUE(save_curve_keys(directory_, name, keys, false));
    return keys;
  }
  CurveKeys make_allowed(const std::string& name) const {
    const auto keys = make(name);
    EXPECT_TRUE(allow_key(directory_, name));
    return keys;
  }
  std::string file(const std::string& name) const { return directory_ + "/" + name; }
  mode_t mode(const std::string& name) const {
    struct stat status {};
    EXPECT_EQ(::stat(file(name).c_str(), &status), 0);
    return status.st_mode & 07777U;
  }

  std::string directory_;
};

// ---- files --------------------------------------------------------------------------------------

using CurveKeysTest = KeyDirectory;

TEST_F(CurveKeysTest, ComeBackFromTheirFiles) {
  const auto made = make("monitor");
  const auto loaded = load_curve_keys(directory_, "monitor");
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded.value().public_key, made.public_key);
  EXPECT_EQ(loaded.value().secret_key, made.secret_key);
  EXPECT_EQ(load_public_key(directory_, "monitor").value(), made.public_key);
}

TEST_F(CurveKeysTest, SecretIsForItsOwnerOnly) {
  make("monitor");
  EXPECT_EQ(mode("monitor.secret"), 0600U);
  EXPECT_EQ(mode("monitor.public"), 0644U);
}

TEST_F(CurveKeysTest, SecretThatOthersMayReadIsRefused) {
  make("monitor");
  ASSERT_EQ(::chmod(file("monitor.secret").c_str(), 0640), 0);
  const auto loaded = load_curve_keys(directory_, "monitor");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Code::kRefused);
  EXPECT_THAT(loaded.error().message, HasSubstr("chmod 600 " + file("monitor.secret")));
}

TEST_F(CurveKeysTest, MissingSecretSaysHowToMakeIt) {
  const auto loaded = load_curve_keys(directory_, "monitor");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Code::kUnavailable);
  EXPECT_THAT(loaded.error().message, HasSubstr("tidemark keygen"));
}

TEST_F(CurveKeysTest, FileWithoutAKeyIsInvalid) {
  for (const std::string& text : {std::string(), std::string(39, 'x'), std::string(41, 'x'),
                                  std::string(40, '\x01'), std::string(40, ' ')}) {
    std::ofstream(file("odd.public")) << text;
    const auto loaded = load_public_key(directory_, "odd");
    ASSERT_FALSE(loaded) << text;
    EXPECT_EQ(loaded.error().code, Code::kInvalidArgument);
  }
}

TEST_F(CurveKeysTest, AreReplacedOnlyOnRequest) {
  const auto first = make("monitor");
  const auto second = make_curve_keys();
  const auto saved = save_curve_keys(directory_, "monitor", second, false);
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().code, Code::kConflict);
  EXPECT_EQ(load_public_key(directory_, "monitor").value(), first.public_key);
  EXPECT_TRUE(save_curve_keys(directory_, "monitor", second, true));
  EXPECT_EQ(load_public_key(directory_, "monitor").value(), second.public_key);
  EXPECT_EQ(mode("monitor.secret"), 0600U);
}

TEST_F(CurveKeysTest, AllowedOnesFollowANewKeyAndSkipWhatIsNone) {
  make_allowed("monitor");
  const auto again = make_curve_keys();
  ASSERT_TRUE(save_curve_keys(directory_, "monitor", again, true));
  std::ofstream(file("allowed/odd.public")) << "no key";
  std::ofstream(file("allowed/README")) << "who may connect";
  const auto allowed = load_allowed_keys(directory_);
  ASSERT_TRUE(allowed) << allowed.error().message;
  EXPECT_EQ(allowed.value(), (std::map<Bytes, std::string>{{again.public_key, "monitor"}}));
}

// ---- links --------------------------------------------------------------------------------------

class CurveLinkTest : public KeyDirectory {
 protected:
  CurveLinkTest() {
    auto options = with_keys("server", make_allowed("server"));
    options.bind_data = {"tcp://127.0.0.1:*"};
    options.bind_requests = {"tcp://127.0.0.1:*"};
    options.context = context_;
    friend_keys_ = make_allowed("friend");
    server_ = open(std::move(options));
    server_->serve("echo", [](Call call) { call.done(call.payload()); });
    friend_ = open(with_keys("friend", friend_keys_));
    EXPECT_EQ(ask(*friend_), "hi");
  }

  static ZmqLinkOptions without_keys(const std::string& name) {
    ZmqLinkOptions made;
    made.self.name = name;
    made.self.uuid = node_uuid("test", name);
    made.self.incarnation = 1;
    return made;
  }
  ZmqLinkOptions with_keys(const std::string& name, CurveKeys keys) const {
    auto made = without_keys(name);
    made.keys = std::move(keys);
    made.key_directory = directory_;
    return made;
  }
  static std::unique_ptr<Link> open(ZmqLinkOptions options) {
    auto link = open_zmq_link(std::move(options));
    EXPECT_TRUE(link.ok()) << link.error().message;
    return std::move(link).value();
  }

  /// Asks the server, known by `info`, for an echo of "hi".
  static std::string ask(Link& from, const NodeInfo& info, Duration budget = kPatience) {
    from.set_peer(info);
    std::promise<Answer> promise;
    RequestOptions options;
    options.budget = budget;
    from.request(node_number(info.uuid), "echo", "hi", options,
                 [&](Answer got) { promise.set_value(std::move(got)); });
    return text(promise.get_future().get());
  }
  std::string ask(Link& from, Duration budget = kPatience) const {
    return ask(from, server_->self(), budget);
  }
  std::string server_address() const { return server_->self().request_endpoints.at(0); }

  /// `stranger` gets no answer, that is counted, and the friend's connections did not notice.
  void expect_refused(Link& stranger, const NodeInfo& info) {
    const auto before = context_->refused();
    EXPECT_THAT(ask(stranger, info, kRefusalTime), HasSubstr("unavailable"));
    EXPECT_TRUE(eventually(kPatience, [&] { return context_->refused() > before; }));
    EXPECT_EQ(server_->counters().malformed, 0U);
    EXPECT_EQ(ask(*friend_), "hi");
  }

  const std::shared_ptr<ZmqContext> context_ = make_zmq_context();
  CurveKeys friend_keys_;
  std::unique_ptr<Link> server_;
  std::unique_ptr<Link> friend_;
};

TEST_F(CurveLinkTest, NodeSaysItsPublicKey) {
  EXPECT_EQ(server_->self().public_key.bytes, load_public_key(directory_, "server").value());
}

TEST_F(CurveLinkTest, AllowedKeySubscribes) {
  server_->declare_stream(FrameClass::kState, kLiveStream);
  std::promise<Bytes> payload;
  std::atomic<bool> joined = false;
  friend_->subscribe(FrameClass::kState, {node_number(server_->self().uuid), kLiveStream},
                     [&](Frame frame) {
                       if (frame.header.count > 0) payload.set_value(std::move(frame.payload));
                       joined = true;
                     });
  ASSERT_TRUE(eventually(kPatience, [&] { return joined.load(); }));
  server_->publish(FrameClass::kState, kLiveStream, 1, "news");
  EXPECT_EQ(payload.get_future().get(), "news");
  friend_.reset();
}

TEST_F(CurveLinkTest, OneReaderHearsServersOfDifferentKeys) {
  auto options = with_keys("other", make_allowed("other"));
  options.bind_data = {"tcp://127.0.0.1:*"};
  const auto other = open(std::move(options));
  std::atomic<int> heard = 0;
  for (auto* each : {server_.get(), other.get()}) {
    each->declare_stream(FrameClass::kState, kLiveStream);
    friend_->set_peer(each->self());
    auto once = std::make_shared<bool>(false);
    friend_->subscribe(
        FrameClass::kState, {node_number(each->self().uuid), kLiveStream},
        [&heard, once](const Frame&) { heard += std::exchange(*once, true) ? 0 : 1; });
  }
  EXPECT_TRUE(eventually(kPatience, [&] { return heard == 2; }));
  friend_.reset();
}

TEST_F(CurveLinkTest, NoKeyIsRefused) {
  const auto stranger = open(without_keys("stranger"));
  expect_refused(*stranger, server_->self());
}

TEST_F(CurveLinkTest, KeyThatIsNotOnTheListIsRefused) {
  const auto stranger = open(with_keys("stranger", make("stranger")));
  expect_refused(*stranger, server_->self());
}

TEST_F(CurveLinkTest, WrongServerKeyIsRefused) {
  const auto mistaken = open(with_keys("friend", friend_keys_));
  auto info = server_->self();
  info.public_key.bytes = make_curve_keys().public_key;
  expect_refused(*mistaken, info);
}

TEST_F(CurveLinkTest, ServerWithoutAPublicKeyIsNotConnectedTo) {
  auto info = server_->self();
  for (const auto& odd : {Bytes(), Bytes(31, 'k')}) {
    const auto careful = open(with_keys("friend", friend_keys_));
    info.public_key.bytes = odd;
    EXPECT_THAT(ask(*careful, info, kRefusalTime), HasSubstr("unavailable"));
  }
  EXPECT_EQ(context_->refused(), 0U);
}

TEST_F(CurveLinkTest, RevokedKeyIsRefusedAtItsNextConnection) {
  std::filesystem::remove(file("allowed/friend.public"));
  EXPECT_EQ(ask(*friend_), "hi");  // its connection stays
  ASSERT_TRUE(eventually(kPatience, [&] {
    const auto again = open(with_keys("friend", friend_keys_));
    return ask(*again, kRefusalTime) != "hi";
  }));
  EXPECT_GE(context_->refused(), 1U);
}

TEST_F(CurveLinkTest, KeyThatIsAllowedLaterGetsInByItself) {
  const auto late = open(with_keys("late", make("late")));
  EXPECT_THAT(ask(*late, kRefusalTime), HasSubstr("unavailable"));
  ASSERT_TRUE(allow_key(directory_, "late"));
  EXPECT_EQ(ask(*late), "hi");
}

TEST_F(CurveLinkTest, ServerThatGetsItsKeysLaterIsReachedWhenDialedAgain) {
  auto info = server_->self();
  server_.reset();
  auto options = without_keys("server");
  options.bind_requests = info.request_endpoints;
  // A context that is shared closes the port of a link that is gone a little later.
  ASSERT_TRUE(eventually(kPatience, [&] {
    auto again = open_zmq_link(options);
    if (again) server_ = std::move(again).value();
    return server_ != nullptr;
  }));
  const auto caller = open(with_keys("friend", friend_keys_));
  EXPECT_THAT(ask(*caller, info, kRefusalTime), HasSubstr("unavailable"));

  server_.reset();
  options.keys = load_curve_keys(directory_, "server").value();
  options.key_directory = directory_;
  ASSERT_TRUE(eventually(kPatience, [&] {
    auto again = open_zmq_link(options);
    if (again) server_ = std::move(again).value();
    return server_ != nullptr;
  }));
  server_->serve("echo", [](Call call) { call.done(call.payload()); });
  caller->redial(node_number(info.uuid));
  EXPECT_EQ(ask(*caller, info), "hi");
}

TEST_F(CurveLinkTest, WithoutTheListNobodyGetsIn) {
  std::filesystem::remove_all(file("allowed"));
  ASSERT_TRUE(eventually(kPatience, [&] {
    const auto again = open(with_keys("friend", friend_keys_));
    return ask(*again, kRefusalTime) != "hi";
  }));
  auto options = with_keys("second", friend_keys_);
  options.bind_requests = {"tcp://127.0.0.1:*"};
  const auto second = open_zmq_link(std::move(options));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kUnavailable);
  EXPECT_THAT(second.error().message, HasSubstr(file("allowed")));
}

TEST_F(CurveLinkTest, BindsBeyondLoopbackOnlyWithKeysOrOnRequest) {
  auto options = without_keys("open");
  options.bind_requests = {"tcp://0.0.0.0:*"};
  EXPECT_FALSE(open_zmq_link(options));
  options.insecure = true;
  EXPECT_TRUE(open_zmq_link(options));
  options = with_keys("guarded", friend_keys_);
  options.bind_requests = {"tcp://0.0.0.0:*"};
  EXPECT_TRUE(open_zmq_link(options));
}

TEST_F(CurveLinkTest, IpcStaysWithoutKeysBesideTcp) {
  auto options = with_keys("both", make_allowed("both"));
  options.bind_requests = {"tcp://127.0.0.1:*", "ipc://" + file("both.req")};
  const auto both = open(std::move(options));
  both->serve("echo", [](Call call) { call.done(call.payload()); });
  const auto& endpoints = both->self().request_endpoints;
  ASSERT_EQ(endpoints.size(), 2U);
  EXPECT_THAT(endpoints[0], testing::StartsWith("ipc://"));

  const auto local = open(without_keys("local"));
  EXPECT_EQ(ask(*local, both->self()), "hi");
  auto over_tcp = both->self();
  over_tcp.request_endpoints = {endpoints[1]};
  const auto remote = open(with_keys("friend", friend_keys_));
  EXPECT_EQ(ask(*remote, over_tcp), "hi");
  const auto stranger = open(without_keys("stranger"));
  EXPECT_THAT(ask(*stranger, over_tcp, kRefusalTime), HasSubstr("unavailable"));
}

// ---- identities ---------------------------------------------------------------------------------

/// A DEALER with an identity of the test's choice.
class Impostor {
 public:
  Impostor(ZmqContext& context, const std::string& address, const CurveKeys& keys,
           const Bytes& server_key)
      : socket_(std::move(ZmqSocket::open(context.get(), ZMQ_DEALER, kEnvelopeBytesMax)).value()) {
    socket_.set(ZMQ_ROUTING_ID, BytesView("T-victim"));
    socket_.use_client_keys(keys, server_key);
    EXPECT_EQ(socket_.connect(address), 0);
  }
  void send(std::uint64_t call) {
    Envelope header;
    header.kind = EnvelopeKind::kRequest;
    header.call = make_call_id(NodeNumber{7}, 1, call);
    header.budget = kPatience;
    header.incarnation = 1;
    int error = 0;
    EXPECT_TRUE(socket_.send(encode_envelope(header, "echo", "hi"), false, error));
  }
  bool has_answer() {
    std::vector<Bytes> parts;
    return socket_.receive(parts);
  }

 private:
  ZmqSocket socket_;
};

TEST_F(CurveLinkTest, StrangerWithAStolenIdentityTakesNothing) {
  const auto server_key = server_->self().public_key.bytes;
  Impostor owner(*context_, server_address(), friend_keys_, server_key);
  owner.send(1);
  ASSERT_TRUE(eventually(kPatience, [&] { return owner.has_answer(); }));

  Impostor thief(*context_, server_address(), make("thief"), server_key);
  thief.send(2);
  ASSERT_TRUE(eventually(kPatience, [&] { return context_->refused() > 0; }));
  owner.send(3);
  EXPECT_TRUE(eventually(kPatience, [&] { return owner.has_answer(); }));
  EXPECT_FALSE(thief.has_answer());
}

TEST_F(CurveLinkTest, CallerWhoComesBackTakesItsIdentityOver) {
  const auto server_key = server_->self().public_key.bytes;
  Impostor before(*context_, server_address(), friend_keys_, server_key);
  before.send(1);
  ASSERT_TRUE(eventually(kPatience, [&] { return before.has_answer(); }));

  // The connection of the first is still there, as after a cut that nobody noticed.
  Impostor after(*context_, server_address(), friend_keys_, server_key);
  after.send(2);
  EXPECT_TRUE(eventually(kPatience, [&] { return after.has_answer(); }));
}

// ---- nonsense at the port -----------------------------------------------------------------------

class TcpStranger {
 public:
  explicit TcpStranger(const std::string& endpoint)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const auto port = std::stoi(endpoint.substr(endpoint.rfind(':') + 1));
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    EXPECT_EQ(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  ~TcpStranger() { ::close(socket_); }
  TcpStranger(const TcpStranger&) = delete;
  TcpStranger& operator=(const TcpStranger&) = delete;

  void write(const Bytes& bytes) {
    EXPECT_EQ(::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  /// Reads until the other side ends the connection.
  void wait_for_the_end() {
    char part[256];
    while (::recv(socket_, part, sizeof part, 0) > 0) {
    }
  }

 private:
  const int socket_;
};

Bytes greeting(char major, const std::string& mechanism) {
  Bytes bytes("\xff\0\0\0\0\0\0\0\x01\x7f", 10);
  bytes += major;
  bytes += '\0';
  bytes += mechanism;
  bytes.resize(64, '\0');
  return bytes;
}

TEST_F(CurveLinkTest, NonsenseAtThePortDisturbsNobody) {
  Bytes noise(4096, '\0');
  std::uint32_t state = 12345;
  for (auto& byte : noise) byte = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  const Bytes huge_command("\x06\0\0\0\0\x40\0\0\0", 9);  // declares a command of 1 GiB
  const std::map<std::string, Bytes> kinds = {
      {"random bytes", noise},
      {"HTTP", "GET / HTTP/1.1\r\nHost: tidemark\r\n\r\n" + Bytes(64, ' ')},
      {"ZMTP 1", Bytes("\x01\0", 2) + noise},
      {"a version to come", greeting(9, "CURVE") + noise},
      {"no keys", greeting(3, "NULL") + noise},
      {"an unknown mechanism", greeting(3, "TRUSTME") + noise},
      {"1 GiB declared", greeting(3, "CURVE") + huge_command + noise},
      {"1 GiB declared in ZMTP 2 form",
       Bytes("\xff\0\0\0\0\x40\0\0\0\x7f\x01\x05\0\0", 14) + noise},
  };
  for (const auto& [what, bytes] : kinds) {
    SCOPED_TRACE(what);
    TcpStranger stranger(server_address());
    stranger.write(bytes);
    stranger.wait_for_the_end();
    EXPECT_EQ(ask(*friend_), "hi");
  }
  EXPECT_EQ(server_->counters().malformed, 0U);
  EXPECT_GT(context_->refused(), 0U);
}

TEST_F(CurveLinkTest, HalfAGreetingIsCutOffInTime) {
  TcpStranger stranger(server_address());
  stranger.write(greeting(3, "CURVE").substr(0, 30));
  const auto before = steady_now();
  stranger.wait_for_the_end();
  EXPECT_LT(steady_now() - before, 10s);  // ZeroMQ's own patience is 30 s
  EXPECT_EQ(ask(*friend_), "hi");
}

}  // namespace
}  // namespace tidemark::bus
