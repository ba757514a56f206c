// bus/zmq_monitor.cpp

#include "bus/zmq_monitor.h"

#include <zmq.h>

#include <utility>

namespace tidemark::bus {
namespace {

constexpr int kFailed = ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                        ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
constexpr std::size_t kEventBytesMax = 4096;

}  // namespace

Result<Unit> HandshakeMonitor::open(void* context, ZmqSocket& socket) {
  const auto endpoint =
      "inproc://handshakes." + std::to_string(reinterpret_cast<std::uintptr_t>(socket.get()));
  auto events = ZmqSocket::open(context, ZMQ_PAIR, kEventBytesMax);
  if (!events) return events.error();
  // No limit, as ZeroMQ's I/O thread would wait for room. The loop takes them as they come.
  events.value().set(ZMQ_RCVHWM, 0);
  if (zmq_socket_monitor(socket.get(), endpoint.c_str(), kFailed) != 0 ||
      events.value().connect(endpoint) != 0) {
    return Error{Code::kUnavailable, std::string("socket monitor: ") + zmq_strerror(zmq_errno())};
  }
  watched_ = socket.get();
  events_ = std::move(events).value();
  return Unit{};
}

HandshakeMonitor::~HandshakeMonitor() {
  if (watched_ != nullptr) zmq_socket_monitor(watched_, nullptr, 0);
}

std::uint64_t HandshakeMonitor::take() {
  std::uint64_t failed = 0;
  while (events_.receive(parts_)) failed += 1;
  return failed;
}

}  // namespace tidemark::bus
