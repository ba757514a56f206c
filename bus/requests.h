// bus/requests.h
//
// Our requests on their way: each waits until there is a connection to its server, is sent, and
// sent again when no word comes, and ends once: with its answer, at its deadline, or when its
// server is gone. Only on the loop thread.
//
//   ask() ── refused ─────────────────────────────► its on_answer
//      └──► per server, in order ──► Transport        ▲
//              AskedCalls ── answer, expiry, loss ────┘

#pragma once

#include <deque>
#include <map>

#include "bus/asked_calls.h"
#include "bus/clock.h"
#include "bus/loop_counters.h"
#include "bus/peers.h"
#include "bus/transport.h"

namespace tidemark::bus {

class Requests {
 public:
  /// Requests that wait for a connection, per server.
  static constexpr std::size_t kWaitingBytesMax = 64u << 20;
  /// Calls without an answer.
  static constexpr std::size_t kAskedMax = 1u << 17;
  /// A small request without a word is sent again: its connection may have broken meanwhile.
  static constexpr std::size_t kAgainBytesMax = 64u << 10;
  static constexpr Duration kPatience = std::chrono::seconds(1);

  Requests(Transport& transport, const Peers& peers, Incarnation self, Clock clock,
           LoopCounters& counters)
      : transport_(transport),
        peers_(peers),
        self_(self),
        clock_(std::move(clock)),
        counters_(counters) {}

  void ask(CallId id, SteadyTime deadline, Bytes envelope, AskedCall call);
  /// The server is told, if it can have heard of it.
  void cancel(CallId id);
  /// False: it is no answer.
  [[nodiscard]] bool on_answer(NodeNumber server, Envelope answer);
  /// What the peers learned about one of them: calls to one that is gone end, and its connection
  /// follows.
  void on_peer(NodeNumber number, const Peers::Change& change);
  /// A new connection to it, if it is alive; at once when requests wait for it.
  void redial(NodeNumber node);

  void send_again();
  void send_waiting();
  void expire();
  /// Ends what is open, and refuses everything from now on.
  void close();

  /// When one expires or is sent again.
  SteadyTime next_event() const { return asked_.next_event(); }

 private:
  struct WaitingRequest {
    CallId id;
    Bytes envelope;
    bool is_request;  // else a cancellation
  };
  struct Server {
    bool connected = false;
    std::deque<WaitingRequest> waiting;
    std::size_t waiting_bytes = 0;
  };

  void send_to(NodeNumber node, Server& server, WaitingRequest request);
  Transport::Sent send_now(NodeNumber node, WaitingRequest& request);

  Transport& transport_;
  const Peers& peers_;
  const Incarnation self_;
  const Clock clock_;
  LoopCounters& counters_;
  std::map<NodeNumber, Server> servers_;
  AskedCalls asked_;
  bool closed_ = false;
};

}  // namespace tidemark::bus
