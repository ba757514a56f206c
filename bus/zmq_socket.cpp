// bus/zmq_socket.cpp

#include "bus/zmq_socket.h"

#include <zmq.h>

#include <utility>

namespace tidemark::bus {
namespace {

constexpr int kHighWater = 2000;    // frames of 16 KiB: 32 MB a peer
constexpr int kLingerMs = 200;      // what may still be sent after close
constexpr int kHandshakeMs = 2000;  // whoever takes longer is not one of ours
constexpr int kBacklog = 256;
constexpr int kHeartbeatIntervalMs = 500;
constexpr int kHeartbeatTimeoutMs = 1500;
constexpr int kReconnectMs = 50;
constexpr int kReconnectMaxMs = 2000;
constexpr int kReconnectMaxLocalMs = 500;    // a restarted neighbour is back in no time
constexpr std::size_t kCopyBytesMax = 8192;  // below, a copy is cheaper than a shared buffer

void free_shared(void*, void* hint) { delete static_cast<std::shared_ptr<const Bytes>*>(hint); }
void free_bytes(void*, void* hint) { delete static_cast<Bytes*>(hint); }

}  // namespace

void ZmqSocket::Closer::operator()(void* socket) const { zmq_close(socket); }

Result<ZmqSocket> ZmqSocket::open(void* context, int type, std::size_t message_bytes_max) {
  ZmqSocket made;
  made.socket_.reset(zmq_socket(context, type));
  if (!made.socket_) {
    return Error{Code::kUnavailable, std::string("ZeroMQ socket: ") + zmq_strerror(zmq_errno())};
  }
  made.set(ZMQ_SNDHWM, kHighWater);
  made.set(ZMQ_RCVHWM, kHighWater);
  made.set(ZMQ_LINGER, kLingerMs);
  made.set(ZMQ_HANDSHAKE_IVL, kHandshakeMs);
  made.set(ZMQ_BACKLOG, kBacklog);
  made.set(ZMQ_TCP_KEEPALIVE, 1);
  made.set(ZMQ_RECONNECT_IVL, kReconnectMs);
  const auto bytes_max = static_cast<std::int64_t>(message_bytes_max);
  zmq_setsockopt(made.get(), ZMQ_MAXMSGSIZE, &bytes_max, sizeof bytes_max);
  return made;
}

void ZmqSocket::set(int option, int value) {
  TIDEMARK_CHECK(zmq_setsockopt(get(), option, &value, sizeof value) == 0);
}

void ZmqSocket::set(int option, BytesView value) {
  TIDEMARK_CHECK(zmq_setsockopt(get(), option, value.data(), value.size()) == 0);
}

void ZmqSocket::use_no_keys() {
  set(ZMQ_CURVE_SERVER, 0);  // and by that the NULL mechanism, whatever was set before
}

void ZmqSocket::use_server_keys(const CurveKeys& keys) {
  set(ZMQ_CURVE_SECRETKEY, keys.secret_key);
  set(ZMQ_CURVE_SERVER, 1);
  // Without a handler libzmq 4.3 would admit everybody (what enforces the domain is a draft there):
  // ZmqTransport starts it before it binds, and it ends with the context.
  set(ZMQ_ZAP_DOMAIN, kZapDomain);
}

void ZmqSocket::use_client_keys(const CurveKeys& keys, BytesView server_key) {
  set(ZMQ_CURVE_PUBLICKEY, keys.public_key);
  set(ZMQ_CURVE_SECRETKEY, keys.secret_key);
  set(ZMQ_CURVE_SERVERKEY, server_key);
}

void ZmqSocket::set_keepalive(const std::string& endpoint) {
  // The kernel tells of the end of a local peer. ZMTP heartbeats there would only cut off a
  // neighbour who stands in a debugger.
  const bool remote = endpoint.starts_with("tcp://");
  set(ZMQ_HEARTBEAT_IVL, remote ? kHeartbeatIntervalMs : 0);
  set(ZMQ_HEARTBEAT_TIMEOUT, remote ? kHeartbeatTimeoutMs : 0);
  set(ZMQ_HEARTBEAT_TTL, remote ? kHeartbeatTimeoutMs : 0);
  set(ZMQ_RECONNECT_IVL_MAX, remote ? kReconnectMaxMs : kReconnectMaxLocalMs);
}

int ZmqSocket::bind(const std::string& endpoint) {
  set_keepalive(endpoint);
  return zmq_bind(get(), endpoint.c_str()) == 0 ? 0 : zmq_errno();
}

int ZmqSocket::connect(const std::string& endpoint) {
  set_keepalive(endpoint);
  return zmq_connect(get(), endpoint.c_str()) == 0 ? 0 : zmq_errno();
}

void ZmqSocket::disconnect(const std::string& endpoint) { zmq_disconnect(get(), endpoint.c_str()); }

std::string ZmqSocket::last_endpoint() const {
  char text[512];
  std::size_t size = sizeof text;
  if (zmq_getsockopt(get(), ZMQ_LAST_ENDPOINT, text, &size) != 0 || size == 0) return {};
  return std::string(text, size - 1);
}

bool ZmqSocket::send(BytesView bytes, bool more, int& error) {
  const int flags = ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0);
  if (zmq_send(get(), bytes.data(), bytes.size(), flags) >= 0) return true;
  error = zmq_errno();
  return false;
}

bool ZmqSocket::send_owned(Bytes& bytes, int& error) {
  if (bytes.size() <= kCopyBytesMax) return send(bytes, false, error);
  auto* kept = new Bytes(std::move(bytes));
  zmq_msg_t message;
  zmq_msg_init_data(&message, kept->data(), kept->size(), &free_bytes, kept);
  if (zmq_msg_send(&message, get(), ZMQ_DONTWAIT) >= 0) return true;
  error = zmq_errno();
  bytes = std::move(*kept);  // closing the message frees the empty one
  zmq_msg_close(&message);
  return false;
}

bool ZmqSocket::send_shared(const std::shared_ptr<const Bytes>& bytes, int& error) {
  if (bytes->size() <= kCopyBytesMax) return send(*bytes, false, error);
  zmq_msg_t message;
  // ZeroMQ never writes to what it sends.
  zmq_msg_init_data(&message, const_cast<char*>(bytes->data()), bytes->size(), &free_shared,
                    new std::shared_ptr<const Bytes>(bytes));
  if (zmq_msg_send(&message, get(), ZMQ_DONTWAIT) >= 0) return true;
  error = zmq_errno();
  zmq_msg_close(&message);
  return false;
}

bool ZmqSocket::receive(std::vector<Bytes>& parts) {
  parts.clear();
  for (bool more = true; more;) {
    zmq_msg_t message;
    zmq_msg_init(&message);
    if (zmq_msg_recv(&message, get(), ZMQ_DONTWAIT) < 0) {
      zmq_msg_close(&message);
      return false;
    }
    parts.emplace_back(static_cast<const char*>(zmq_msg_data(&message)), zmq_msg_size(&message));
    more = zmq_msg_more(&message) != 0;
    zmq_msg_close(&message);
  }
  return true;
}

}  // namespace tidemark::bus
