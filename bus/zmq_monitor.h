// bus/zmq_monitor.h
//
// Counts the handshakes that fail on a socket that binds, for whatever reason: no key, a wrong
// one, or no ZMTP at all. ZeroMQ tells of them on a socket of their own, which the loop polls.

#pragma once

#include <cstdint>
#include <vector>

#include "bus/zmq_socket.h"

namespace tidemark::bus {

class HandshakeMonitor {
 public:
  /// An empty one, that sees nothing.
  HandshakeMonitor() = default;
  /// Watches `socket`, which must outlive it.
  Result<Unit> open(void* context, ZmqSocket& socket);
  ~HandshakeMonitor();
  HandshakeMonitor(const HandshakeMonitor&) = delete;
  HandshakeMonitor& operator=(const HandshakeMonitor&) = delete;

  explicit operator bool() const { return static_cast<bool>(events_); }
  void* get() const { return events_.get(); }
  /// How many failed since the last call. Never blocks.
  std::uint64_t take();

 private:
  void* watched_ = nullptr;
  ZmqSocket events_;
  std::vector<Bytes> parts_;
};

}  // namespace tidemark::bus
