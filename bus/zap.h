// bus/zap.h
//
// Who may connect: the one place in a ZeroMQ context that every CURVE server asks (ZAP, RFC 27).
// It admits the keys of `<directory>/allowed` (bus/curve_keys.h) and nobody else.
//
//   a stranger's key ── ZeroMQ ──► inproc://zeromq.zap.01 ──► 200 or 300
//
// It never ends a connection: a key that is revoked is refused when it connects the next time.

#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "bus/wakeup.h"
#include "bus/zmq_socket.h"

namespace tidemark::bus {

class ZapHandler {
 public:
  /// Starts the thread that answers.
  /// Errors: kUnavailable  the allowed keys cannot be read.
  ///         kConflict     the context has a handler already.
  static Result<std::unique_ptr<ZapHandler>> start(void* context, std::string directory);
  /// Before the context ends. From then on nobody is admitted.
  ~ZapHandler();

 private:
  ZapHandler(ZmqSocket socket, std::string directory, std::map<Bytes, std::string> allowed);
  void run();
  void answer(const std::vector<Bytes>& request);
  const std::string* admit(const Bytes& key);
  void complain(const Bytes& key, const std::string& address);

  const std::string directory_;
  const Wakeup wakeup_;

  // Only on the thread, once it runs.
  ZmqSocket socket_;
  std::map<Bytes, std::string> allowed_;
  SteadyTime read_at_;
  std::set<Bytes> complained_;  // since complaining_since_
  SteadyTime complaining_since_{};

  std::thread thread_;
};

}  // namespace tidemark::bus
