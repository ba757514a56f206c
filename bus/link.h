// bus/link.h
//
// A node's one connection to the bus: it publishes streams, reads those of others, asks and
// answers. It knows nodes, sequences and sizes; payloads are bytes to it.
//
//   Link (this file)     the contract
//   MemoryLink           the contract in one process, no library: tests
//   ZmqLink (bus_zmq)    the contract on ZeroMQ
//
// Threads: every method may be called from any thread and none waits for the network.
// Every callback runs on the link's own loop thread, one at a time: it must hand over and
// leave, never block, and may call any method of the Link. It must not hold the link, or it could
// be the last who does, and a loop cannot end itself: in a callback the link is there.

#pragma once

#include <functional>
#include <memory>
#include <string>

#include "bus/envelope.h"
#include "bus/frame.h"
#include "bus/node.h"

namespace tidemark::bus {

/// The final answer to a request.
using Answer = Result<Bytes>;

/// The server's end of one request. Copies are the same call. Threads: any.
/// When the last copy goes without a final answer, the caller gets kFailed ("dropped").
/// After a final answer, or when the caller's budget is over, everything is ignored.
class Call {
 public:
  class Sink {  // implemented by each Link
   public:
    virtual ~Sink() = default;
    virtual void progress(Bytes payload) = 0;
    virtual void finish(Answer answer) = 0;
    virtual bool cancelled() const = 0;
  };

  Call(std::string method, Bytes payload, NodeNumber caller, SteadyTime deadline,
       std::shared_ptr<Sink> sink)
      : method_(std::move(method)),
        payload_(std::make_shared<const Bytes>(std::move(payload))),
        caller_(caller),
        deadline_(deadline),
        sink_(std::move(sink)) {}

  const std::string& method() const { return method_; }
  const Bytes& payload() const { return *payload_; }
  NodeNumber caller() const { return caller_; }
  SteadyTime deadline() const { return deadline_; }
  /// The caller gave up: stop when that is easy.
  bool cancelled() const { return sink_->cancelled(); }

  void progress(Bytes payload) const { sink_->progress(std::move(payload)); }
  void done(Bytes payload) const { sink_->finish(std::move(payload)); }
  void fail(Error error) const { sink_->finish(std::move(error)); }

 private:
  std::string method_;
  std::shared_ptr<const Bytes> payload_;
  NodeNumber caller_;
  SteadyTime deadline_;
  std::shared_ptr<Sink> sink_;
};

struct RequestOptions {
  Duration budget = std::chrono::seconds(5);
  std::function<void(Bytes)> on_progress;  // may stay empty
};

/// A frame as it arrived, header checked. `payload` is owned: keep or move it.
struct Frame {
  FrameHeader header;
  Bytes payload;
};

/// Counted since the link began. For metrics: names are in docs/bus-protocol.md.
struct LinkCounters {
  std::uint64_t frames_sent = 0;
  std::uint64_t frames_received = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t malformed = 0;  // dropped: not a frame or envelope of ours
  std::uint64_t stale = 0;      // dropped: from an older incarnation
  std::uint64_t requests_sent = 0;
  std::uint64_t requests_served = 0;
  std::uint64_t requests_timed_out = 0;
  std::uint64_t requests_sent_again = 0;
  std::uint64_t requests_asked_twice = 0;  // served: answered once more, not done once more
  std::uint64_t frames_sent_again = 0;
  std::uint64_t skipped = 0;  // dropped unread after this process stood still
  std::uint64_t refused = 0;  // connections of strangers: no key, a wrong one, one not allowed
  std::uint64_t dropped = 0;  // not sent: a queue was full, or a frame too large
};

/// Names one subscription of one link.
enum class SubscriptionId : std::uint64_t {};

class Link {
 public:
  virtual ~Link() = default;

  /// This node, with the endpoints where it was bound.
  virtual const NodeInfo& self() const = 0;

  /// Sends `payload`, which holds `count` items (at least one), on one of our streams, and numbers
  /// the items. Returns the sequence of the first. Never fails: with no subscriber it is only
  /// counted, and a subscriber that is too slow sees a hole. Calls for one stream come from one
  /// thread. A stream that was published on gets a heartbeat by itself, every 200 ms of silence.
  virtual std::uint64_t publish(FrameClass frame_class, StreamNumber stream, std::uint32_t count,
                                BytesView payload) = 0;

  /// Heartbeats for a stream that may stay without a frame for long, so that whoever subscribes
  /// learns that it is subscribed. publish() implies it.
  virtual void declare_stream(FrameClass frame_class, StreamNumber stream) = 0;

  /// The end of a stream: no heartbeat more, and nothing of it is kept. Who publishes on it calls
  /// this last; should the number be used again, its sequence begins anew.
  virtual void retire_stream(StreamNumber stream) = 0;

  /// From now on `on_frame` gets every frame and every heartbeat of that stream. Frames of
  /// incarnations older than one already seen are dropped here. The node need not be known yet.
  virtual SubscriptionId subscribe(FrameClass frame_class, StreamId stream,
                                   std::function<void(Frame)> on_frame) = 0;

  /// `on_frame` of that subscription is not called again once this has run on the loop thread:
  /// at once when called there.
  virtual void unsubscribe(SubscriptionId subscription) = 0;

  /// Tells the link where a node is (its state alive) or that it is gone. Calls to a node that
  /// is gone, or comes back in another incarnation, end with kUnavailable at once. Told of itself,
  /// as the last thing before others hear of it, a link has all its methods.
  virtual void set_peer(const NodeInfo& peer) = 0;

  /// Drops the connections to that peer and opens new ones. For a peer that must be there and is
  /// not heard: a connection may have given up for good, as after a server of another mechanism.
  virtual void redial(NodeNumber node) = 0;

  /// Asks `node`. `on_answer` is called exactly once: the answer, or kTimeout when the budget is
  /// over (the effect may still happen), or kUnavailable when the node is unknown, gone or its
  /// queue full, or no connection came up in time (it did not get it, or died over it).
  virtual CallId request(NodeNumber node, std::string method, Bytes payload, RequestOptions options,
                         std::function<void(Answer)> on_answer) = 0;

  /// Tells the server that nobody waits any more; `on_answer` gets its answer or kTimeout still.
  virtual void cancel(CallId call) = 0;

  /// `on_call` gets every request of that method; unknown methods are answered kNotFound, or
  /// kUnavailable by a link that has not all of them yet.
  virtual void serve(std::string method, std::function<void(Call)> on_call) = 0;

  /// Calls `job` once, on the loop thread, when `delay` is over; never when the link goes before.
  virtual void after(Duration delay, std::function<void()> job) = 0;

  /// The link's clocks: what timers and deadlines go by.
  virtual SteadyTime now() const = 0;

  virtual LinkCounters counters() const = 0;

  /// What came from `source` was right to the link, and cannot be read by who it is for: counted as
  /// malformed, and logged once a minute for each source. Only on the loop thread.
  virtual void malformed(const std::string& source, const std::string& what) = 0;
};

}  // namespace tidemark::bus
