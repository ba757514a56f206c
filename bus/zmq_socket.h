// bus/zmq_socket.h
//
// A ZeroMQ socket that is closed when its owner goes, and the few calls that we make on it.
// No header of ours shows ZeroMQ's.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "bus/curve_keys.h"

namespace tidemark::bus {

/// What our servers ask the ZAP handler (bus/zap.h) for; it admits nothing else.
constexpr std::string_view kZapDomain = "tidemark";

class ZmqSocket {
 public:
  /// An empty one; open() makes a real one. `type` is ZMQ_PUB and so on.
  ZmqSocket() = default;
  static Result<ZmqSocket> open(void* context, int type, std::size_t message_bytes_max);

  explicit operator bool() const { return socket_ != nullptr; }
  void* get() const { return socket_.get(); }

  void set(int option, int value);
  void set(int option, BytesView value);

  // What the next bind() or connect() does about strangers. ZeroMQ keeps this per endpoint, so one
  // socket may have some of each kind.
  /// Anybody, in clear: for endpoints that the kernel guards.
  void use_no_keys();
  /// Only whom the context's ZAP handler admits, encrypted. There is no way back to use_no_keys()
  /// for a socket that binds: a ZAP domain cannot be taken away.
  void use_server_keys(const CurveKeys& keys);
  /// Only the holder of `server_key` (kCurveKeyBytes), encrypted.
  void use_client_keys(const CurveKeys& keys, BytesView server_key);

  /// Error's number, 0 when it went well. Keepalive suits the endpoint's kind.
  int bind(const std::string& endpoint);
  int connect(const std::string& endpoint);
  void disconnect(const std::string& endpoint);
  std::string last_endpoint() const;

  /// Whether it went; false with `error` set to errno (EAGAIN: not now). Never blocks.
  bool send(BytesView bytes, bool more, int& error);
  /// The same for large messages: takes them without a copy when it went.
  bool send_owned(Bytes& bytes, int& error);
  /// The same for what others keep too.
  bool send_shared(const std::shared_ptr<const Bytes>& bytes, int& error);
  /// All parts of the next message, or false when there is none. Never blocks.
  bool receive(std::vector<Bytes>& parts);

 private:
  struct Closer {
    void operator()(void* socket) const;
  };
  void set_keepalive(const std::string& endpoint);

  std::unique_ptr<void, Closer> socket_;
};

}  // namespace tidemark::bus
