// bus/transport.h
//
// What an Engine needs from a messaging library. Everything is called on the loop thread, except
// the waker and refused(); nothing blocks, except receive(), and nothing is decided here.

#pragma once

#include <functional>
#include <string_view>

#include "base/bytes.h"
#include "base/time.h"
#include "bus/frame.h"

namespace tidemark::bus {

class Transport {
 public:
  /// Who is told what arrived. Bytes are valid during the call.
  class Receiver {
   public:
    virtual ~Receiver() = default;
    virtual void on_frame(BytesView frame) = 0;
    /// A subscriber came to this prefix: what we publish now reaches it.
    virtual void on_subscribed(BytesView prefix) = 0;
    virtual void on_request(const Bytes& caller, BytesView envelope) = 0;
    virtual void on_answer(NodeNumber server, BytesView envelope) = 0;
    virtual void on_malformed(std::string_view source, std::string_view what) = 0;
  };

  enum class Sent {
    kYes,
    kNotNow,  // no connection yet, or its queue is full: try again after the next receive()
    kNever,   // the other side is gone
  };

  virtual ~Transport() = default;

  /// Ends a receive() that waits, or the next one. Callable from any thread, and for ever.
  virtual std::function<void()> waker() = 0;

  /// Waits until something arrives, the waker was called or `timeout` is over, then hands over a
  /// bounded share of what is there, fairly among its sources.
  virtual void receive(Receiver& receiver, Duration timeout) = 0;

  virtual void subscribe(BytesView prefix) = 0;
  virtual void unsubscribe(BytesView prefix) = 0;

  /// Reads the peer's streams from now on; a second call for the same peer does nothing.
  virtual void connect_data(const NodeInfo& peer) = 0;
  virtual void disconnect_data(NodeNumber peer) = 0;

  /// Makes requests to the peer possible. False: none of its endpoints can be reached from here.
  virtual bool connect_requests(const NodeInfo& peer) = 0;
  virtual void disconnect_requests(NodeNumber peer) = 0;

  virtual void publish(const SharedBytes& frame) = 0;
  /// Unless kYes, `envelope` is untouched.
  virtual Sent send_request(NodeNumber server, Bytes& envelope) = 0;
  virtual Sent send_answer(const Bytes& caller, Bytes& envelope) = 0;

  /// Connections to this process that failed in the handshake: no key, one that is not allowed, or
  /// not our protocol. Threads: any.
  virtual std::uint64_t refused() const { return 0; }
};

}  // namespace tidemark::bus
