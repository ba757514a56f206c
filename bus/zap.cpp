// bus/zap.cpp

#include "bus/zap.h"

#include <pthread.h>
#include <spdlog/spdlog.h>
#include <zmq.h>

#include <cerrno>
#include <utility>

#include "bus/curve_keys.h"

namespace tidemark::bus {
namespace {

using namespace std::chrono_literals;

constexpr auto kEndpoint = "inproc://zeromq.zap.01";
constexpr std::size_t kRequestBytesMax = 64u << 10;
constexpr Duration kReadInterval = 1s;  // a flood of connections is not one of directory reads
constexpr Duration kComplainInterval = 1min;
constexpr std::size_t kComplaintsMax = 16;  // in one interval: strangers can make keys for ever

// A request of RFC 27, as a REP socket sees it.
enum Part : std::size_t { kVersion, kId, kDomain, kAddress, kIdentity, kMechanism, kKey, kParts };

}  // namespace

Result<std::unique_ptr<ZapHandler>> ZapHandler::start(void* context, std::string directory) {
  auto allowed = load_allowed_keys(directory);
  if (!allowed) return allowed.error();
  auto socket = ZmqSocket::open(context, ZMQ_REP, kRequestBytesMax);
  if (!socket) return socket.error();
  if (socket.value().bind(kEndpoint) != 0) {
    return Error{Code::kConflict, "this context has a ZAP handler already"};
  }
  return std::unique_ptr<ZapHandler>(
      new ZapHandler(std::move(socket).value(), std::move(directory), std::move(allowed).value()));
}

ZapHandler::ZapHandler(ZmqSocket socket, std::string directory,
                       std::map<Bytes, std::string> allowed)
    : directory_(std::move(directory)),
      socket_(std::move(socket)),
      allowed_(std::move(allowed)),
      read_at_(steady_now()),
      thread_([this] { run(); }) {}

ZapHandler::~ZapHandler() {
  wakeup_.wake();
  thread_.join();
}

void ZapHandler::run() {
  pthread_setname_np(pthread_self(), "bus zap");
  std::vector<Bytes> request;
  zmq_pollitem_t items[] = {{socket_.get(), 0, ZMQ_POLLIN, 0},
                            {nullptr, wakeup_.fd(), ZMQ_POLLIN, 0}};
  while (items[1].revents == 0) {
    if (zmq_poll(items, 2, -1) <= 0 || items[0].revents == 0) continue;
    while (socket_.receive(request)) answer(request);
  }
}

void ZapHandler::answer(const std::vector<Bytes>& request) {
  const auto part = [&](Part which) { return which < request.size() ? request[which] : Bytes(); };
  const bool curve = request.size() == kParts && part(kVersion) == "1.0" &&
                     part(kDomain) == kZapDomain && part(kMechanism) == "CURVE";
  const auto* name = curve ? admit(part(kKey)) : nullptr;
  if (name == nullptr) complain(part(kKey), part(kAddress));
  // 300, "try later", and not 400, "no": after a 400 ZeroMQ's client may give up for ever
  // (libzmq issue 3519), and a key that is allowed an hour later would need a restart to get in.
  const Bytes reply[] = {"1.0",
                         part(kId),
                         name != nullptr ? "200" : "300",
                         name != nullptr ? "OK" : "not allowed",
                         name != nullptr ? *name : Bytes(),
                         Bytes()};
  int error = 0;
  for (std::size_t i = 0; i < std::size(reply); ++i) {
    socket_.send(reply[i], i + 1 < std::size(reply), error);
  }
}

/// The name of the key's holder, or null. Reads the directory anew when the last look is old.
const std::string* ZapHandler::admit(const Bytes& key) {
  const auto now = steady_now();
  if (now - read_at_ >= kReadInterval) {
    read_at_ = now;
    auto fresh = load_allowed_keys(directory_);
    if (!fresh) spdlog::error("bus: nobody may connect: {}", fresh.error().message);
    allowed_ = fresh ? std::move(fresh).value() : std::map<Bytes, std::string>();
  }
  const auto found = allowed_.find(key);
  return found == allowed_.end() ? nullptr : &found->second;
}

void ZapHandler::complain(const Bytes& key, const std::string& address) {
  const auto now = steady_now();
  if (now - complaining_since_ >= kComplainInterval) {
    complaining_since_ = now;
    complained_.clear();
  }
  if (complained_.size() >= kComplaintsMax || !complained_.insert(key).second) return;
  spdlog::warn("bus: refused a connection from {}: its key {} is not in {}/allowed", address,
               key.size() == kCurveKeyBytes ? to_z85(key) : "(none)", directory_);
}

}  // namespace tidemark::bus
