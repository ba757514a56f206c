// bus/requests.cpp

#include "bus/requests.h"

#include <string>
#include <utility>

#include "bus/failure.h"
#include "bus/guarded.h"

namespace tidemark::bus {
namespace {

std::string milliseconds(Duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count()) +
         " ms";
}

}  // namespace

void Requests::ask(CallId id, SteadyTime deadline, Bytes envelope, AskedCall call) {
  const auto refuse = [&](std::string why) {
    end(std::move(call), Error{Code::kUnavailable, std::move(why)});
  };
  if (closed_) return refuse("the link was closed");
  const auto node = call.node;
  const auto* peer = peers_.find(node);
  if (peer == nullptr) return refuse("node " + hex(node) + " is not known");
  if (is_gone(peer->state)) return refuse(peer->name + " is gone");
  if (asked_.count() >= kAskedMax) return refuse("too many calls are open");
  auto& server = servers_[node];
  if (!server.waiting.empty() && server.waiting_bytes + envelope.size() > kWaitingBytesMax) {
    return refuse("the queue of requests to " + peer->name + " is full");
  }
  if (!server.connected) {
    server.connected = transport_.connect_requests(*peer);
    if (!server.connected) return refuse(peer->name + " has no endpoint that can be reached");
  }
  // Not when its incarnation is unknown: a successor would do it a second time.
  if (call.budget > kPatience && envelope.size() <= kAgainBytesMax && peer->incarnation != 0) {
    call.again = envelope;
    set_server(call.again, peer->incarnation);
    call.patience = kPatience;
  }
  asked_.add(id, deadline, std::move(call));
  send_to(node, server, WaitingRequest{id, std::move(envelope), true});
}

void Requests::cancel(CallId id) {
  const auto* call = asked_.find(id);
  if (call == nullptr) return;
  if (!call->sent) {  // its request, still waiting, is skipped when its turn comes
    auto taken = asked_.take(id);
    end(std::move(*taken), Error{Code::kUnavailable, "cancelled before it was sent"});
    return;
  }
  const auto server = servers_.find(call->node);
  if (server == servers_.end() || !server->second.connected) return;
  Envelope cancel;
  cancel.kind = EnvelopeKind::kCancel;
  cancel.call = id;
  cancel.incarnation = self_;
  send_to(server->first, server->second, WaitingRequest{id, encode_envelope(cancel), false});
}

void Requests::send_to(NodeNumber node, Server& server, WaitingRequest request) {
  // Not before those that wait already.
  if (server.waiting.empty() && send_now(node, request) != Transport::Sent::kNotNow) return;
  server.waiting_bytes += request.envelope.size();
  server.waiting.push_back(std::move(request));
}

Transport::Sent Requests::send_now(NodeNumber node, WaitingRequest& request) {
  auto* call = asked_.find(request.id);
  if (call == nullptr) return Transport::Sent::kNever;  // ended while it waited
  if (request.is_request) {
    const auto left = *asked_.deadline_of(request.id) - clock_.steady();
    if (left <= Duration{0}) return Transport::Sent::kNever;  // expire() ends it
    set_budget(request.envelope, left);
  }
  const auto size = request.envelope.size();
  const auto sent = transport_.send_request(node, request.envelope);
  if (sent == Transport::Sent::kYes) {
    counters_.bytes_sent += size;
    if (request.is_request) {
      call->sent = true;
      counters_.requests_sent += 1;
      if (!call->again.empty()) {
        asked_.send_again_at(request.id, clock_.steady() + call->patience);
      }
    }
  }
  return sent;
}

void Requests::send_waiting() {
  for (auto& [node, server] : servers_) {
    while (!server.waiting.empty()) {
      auto& request = server.waiting.front();
      const auto size = request.envelope.size();
      if (send_now(node, request) == Transport::Sent::kNotNow) break;
      server.waiting_bytes -= size;
      server.waiting.pop_front();
    }
  }
}

void Requests::send_again() {
  const auto now = clock_.steady();
  while (const auto id = asked_.take_silent(now)) {
    auto& call = *asked_.find(*id);
    const auto left = *asked_.deadline_of(*id) - now;
    if (left <= call.patience) {
      call.again.clear();  // No time for another one.
      continue;
    }
    Bytes envelope = call.again;
    set_budget(envelope, left);
    if (transport_.send_request(call.node, envelope) == Transport::Sent::kYes) {
      counters_.requests_sent_again += 1;
    }
    call.patience *= 2;
    asked_.send_again_at(*id, now + call.patience);
  }
}

void Requests::expire() {
  const auto now = clock_.steady();
  while (auto call = asked_.take_expired(now)) {
    const auto* peer = peers_.find(call->node);
    const auto name = peer == nullptr ? hex(call->node) : peer->name;
    const auto budget = milliseconds(call->budget);
    if (call->sent) {
      counters_.requests_timed_out += 1;
      end(std::move(*call),
          Error{Code::kTimeout, name + " did not answer '" + call->method + "' within " + budget});
    } else {
      end(std::move(*call), Error{Code::kUnavailable, "no connection to " + name + " within " +
                                                          budget + " for '" + call->method + "'"});
    }
  }
}

void Requests::close() {
  closed_ = true;
  for (auto& call : asked_.take_all()) {
    end(std::move(call), Error{Code::kUnavailable, "the link was closed"});
  }
}

void Requests::on_peer(NodeNumber number, const Peers::Change& change) {
  const auto& peer = *peers_.find(number);
  const bool alive = !is_gone(peer.state);
  const bool lost = change.was_alive && (change.restarted || !alive);
  if (lost) {
    const std::string why = peer.name + (alive ? " restarted" : " is gone");
    for (auto& call : asked_.take_of(number)) end(std::move(call), Error{Code::kUnavailable, why});
  }
  const auto found = servers_.find(number);
  if (found == servers_.end()) return;
  auto& server = found->second;
  if (lost) {
    server.waiting.clear();
    server.waiting_bytes = 0;
  }
  if (server.connected && (!alive || change.restarted || change.requests_moved)) {
    transport_.disconnect_requests(number);
    server.connected = false;
  }
  if (alive && !server.connected && !server.waiting.empty()) {
    server.connected = transport_.connect_requests(peer);
  }
}

void Requests::redial(NodeNumber node) {
  const auto* peer = peers_.find(node);
  const auto found = servers_.find(node);
  if (peer == nullptr || is_gone(peer->state) || found == servers_.end()) return;
  auto& server = found->second;
  if (std::exchange(server.connected, false)) transport_.disconnect_requests(node);
  if (!server.waiting.empty()) server.connected = transport_.connect_requests(*peer);
}

bool Requests::on_answer(NodeNumber server, Envelope answer) {
  auto* call = asked_.find(answer.call);
  if (call == nullptr || call->node != server) return true;  // it came too late
  if (answer.incarnation < peers_.find(server)->incarnation) {
    counters_.stale += 1;
    return true;
  }
  switch (answer.kind) {
    case EnvelopeKind::kProgress:
      call->parts += 1;
      if (call->on_progress) {
        guarded("on_progress", [&] { call->on_progress(std::move(answer.payload)); });
      }
      return true;
    case EnvelopeKind::kDone:
      // A connection that broke meanwhile: half a state must not look like a whole one.
      if (call->parts < answer.parts) {
        const Error lost{Code::kTimeout, "of the answer to '" + call->method + "' " +
                                             std::to_string(answer.parts - call->parts) + " of " +
                                             std::to_string(answer.parts) + " parts were lost"};
        end(*asked_.take(answer.call), lost);
      } else {
        end(*asked_.take(answer.call), std::move(answer.payload));
      }
      return true;
    case EnvelopeKind::kFailed:
      end(*asked_.take(answer.call), unpack_failure(answer.payload));
      return true;
    case EnvelopeKind::kRequest:
    case EnvelopeKind::kCancel: break;
  }
  return false;
}

}  // namespace tidemark::bus
