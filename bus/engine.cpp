// bus/engine.cpp

#include "bus/engine.h"

#include <signal.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "bus/failure.h"
#include "bus/resend.h"

namespace tidemark::bus {
namespace {

using namespace std::chrono_literals;

constexpr Duration kTurnMax = 1s;       // for what needs no exact time
constexpr Duration kAnswerRetry = 2ms;  // a ROUTER cannot say when one of its peers has room
constexpr Duration kComplainInterval = 1min;
constexpr std::size_t kComplainSourcesMax = 1024;
constexpr Duration kSkipMax = 5s;  // after a standstill; publishers' clocks may differ from ours
constexpr Duration kOld = 1s;
constexpr int kClosingRoundsMax = 1000;  // a callback that asks again whenever it is refused

/// A callback's exception is its own problem: it is logged, and the loop goes on.
template <class F>
bool guarded(const char* what, F&& call) {
  try {
    call();
    return true;
  } catch (const std::exception& failure) {
    spdlog::error("bus: {} threw: {}", what, failure.what());
  } catch (...) {
    spdlog::error("bus: {} threw", what);
  }
  return false;
}

std::string hex(NodeNumber node) { return fmt::format("{:08x}", static_cast<std::uint32_t>(node)); }

std::string milliseconds(Duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count()) +
         " ms";
}

bool is_alive(NodeState state) {
  return state == NodeState::kAlive || state == NodeState::kSuspect;
}

}  // namespace

Engine::Engine(NodeInfo self, std::unique_ptr<Transport> transport, EngineOptions options)
    : self_(std::move(self)),
      number_(node_number(self_.uuid)),
      clock_(std::move(options.clock)),
      transport_(std::move(transport)),
      outbox_(std::make_shared<Outbox>(transport_->waker())),
      out_(number_, self_.incarnation, clock_, transport_->waker()),
      served_(outbox_, self_.incarnation, clock_) {
  turned_at_ = clock_.steady();
  if (!options.has_thread) return;
  // Signals are for the program's own threads.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Engine::~Engine() {
  stopping_ = true;
  if (!thread_.joinable()) {
    loop_ = std::this_thread::get_id();
    finish();
    return;
  }
  transport_->waker()();
  thread_.join();
}

// ---- any thread ---------------------------------------------------------------------------------

std::uint64_t Engine::publish(FrameClass frame_class, StreamNumber stream, std::uint32_t count,
                              BytesView payload) {
  TIDEMARK_CHECK(frame_class != FrameClass::kHeartbeat && count > 0);
  return out_.publish(frame_class, stream, count, payload);
}

void Engine::declare_stream(FrameClass, StreamNumber stream) { out_.declare(stream); }

SubscriptionId Engine::subscribe(FrameClass frame_class, StreamId stream,
                                 std::function<void(Frame)> on_frame) {
  const SubscriptionId id{next_subscription_++};
  outbox_->push([id, frame_class, stream, on_frame = std::move(on_frame)](Engine& engine) mutable {
    if (engine.forgotten_.erase(id) > 0) return;
    engine.subscriptions_[stream].push_back(
        std::make_shared<Subscription>(Subscription{id, frame_class, std::move(on_frame)}));
    // Frames first: whoever gets a heartbeat gets the frames after it too.
    engine.transport_->subscribe(subscription_prefix(frame_class, stream));
    engine.transport_->subscribe(subscription_prefix(FrameClass::kHeartbeat, stream));
    const auto peer = engine.peers_.find(stream.node);
    if (peer != engine.peers_.end() && peer->second.alive) engine.connect_data(peer->second);
  });
  return id;
}

void Engine::unsubscribe(SubscriptionId subscription) {
  if (on_loop()) return forget(subscription);
  outbox_->push([subscription](Engine& engine) { engine.forget(subscription); });
}

void Engine::after(Duration delay, std::function<void()> job) {
  const auto when = clock_.steady() + delay;
  if (on_loop()) {
    timers_.emplace(when, std::move(job));
    return;
  }
  outbox_->push([when, job = std::move(job)](Engine& engine) mutable {
    engine.timers_.emplace(when, std::move(job));
  });
}

void Engine::set_peer(const NodeInfo& peer) {
  outbox_->push([peer](Engine& engine) { engine.learn(peer); });
}

void Engine::redial(NodeNumber node) {
  outbox_->push([node](Engine& engine) {
    const auto found = engine.peers_.find(node);
    if (found == engine.peers_.end() || !found->second.alive) return;
    auto& peer = found->second;
    engine.transport_->disconnect_data(node);
    engine.connect_data(peer);
    if (std::exchange(peer.asked, false)) engine.transport_->disconnect_requests(node);
    if (!peer.waiting.empty()) peer.asked = engine.transport_->connect_requests(peer.info);
  });
}

CallId Engine::request(NodeNumber node, std::string method, Bytes payload, RequestOptions options,
                       std::function<void(Answer)> on_answer) {
  TIDEMARK_CHECK(!method.empty() && method.size() <= kMethodBytesMax);
  const auto id = make_call_id(number_, self_.incarnation, next_call_++);
  const auto deadline = clock_.steady() + options.budget;
  AskedCall call;
  call.node = node;
  call.budget = options.budget;
  call.on_progress = std::move(options.on_progress);
  call.on_answer = std::move(on_answer);

  std::optional<Error> refused;
  if (payload.size() > kEnvelopeBytesMax - kEnvelopeHeaderBytes - kMethodBytesMax) {
    refused =
        Error{Code::kInvalidArgument, "'" + method + "' with " + std::to_string(payload.size()) +
                                          " bytes is larger than the bus carries"};
  } else {
    Envelope header;
    header.kind = EnvelopeKind::kRequest;
    header.call = id;
    header.budget = std::max(options.budget, Duration{0});
    header.incarnation = self_.incarnation;
    Bytes envelope = encode_envelope(header, method, payload);
    call.method = std::move(method);
    const auto size = envelope.size();
    // Shared, so that it is still here when the queue refuses it.
    const auto asked = std::make_shared<AskedCall>(std::move(call));
    const bool queued = outbox_->push(
        [id, deadline, asked, envelope = std::move(envelope)](Engine& engine) mutable {
          engine.ask(id, deadline, std::move(envelope), std::move(*asked));
        },
        size);
    if (queued) return id;
    call = std::move(*asked);
    refused = Error{Code::kUnavailable, "the link's queue of requests is full"};
  }
  outbox_->push([call = std::move(call), error = std::move(*refused)](Engine& engine) mutable {
    engine.end(std::move(call), std::move(error));
  });
  return id;
}

void Engine::cancel(CallId call) {
  outbox_->push([call](Engine& engine) { engine.give_up(call); });
}

void Engine::serve(std::string method, std::function<void(Call)> on_call) {
  auto handler = std::make_shared<const std::function<void(Call)>>(std::move(on_call));
  const std::lock_guard lock(handlers_mutex_);
  handlers_[std::move(method)] = std::move(handler);
}

LinkCounters Engine::counters() const {
  LinkCounters all;
  all.frames_sent = counters_.frames_sent;
  all.frames_received = counters_.frames_received;
  all.bytes_sent = counters_.bytes_sent;
  all.bytes_received = counters_.bytes_received;
  all.malformed = counters_.malformed;
  all.stale = counters_.stale;
  all.requests_sent = counters_.requests_sent;
  all.requests_served = counters_.requests_served;
  all.requests_timed_out = counters_.requests_timed_out;
  all.requests_sent_again = counters_.requests_sent_again;
  all.requests_asked_twice = counters_.requests_asked_twice;
  all.frames_sent_again = counters_.frames_sent_again;
  all.skipped = counters_.skipped;
  all.refused = transport_->refused();
  all.dropped = counters_.dropped + out_.dropped();
  return all;
}

// ---- the loop -----------------------------------------------------------------------------------

void Engine::run() {
  pthread_setname_np(pthread_self(), "bus loop");
  loop_ = std::this_thread::get_id();
  while (!stopping_) turn(until_next());
  finish();
}

void Engine::turn(Duration wait_max) {
  loop_ = std::this_thread::get_id();
  const auto now = clock_.steady();
  if (now - turned_at_ > kStandstill) stood_still_at_ = now;
  transport_->receive(*this, wait_max);
  turned_at_ = clock_.steady();
  if (turned_at_ - now > wait_max + kStandstill) stood_still_at_ = turned_at_;
  run_timers();
  send_frames();
  run_jobs();
  send_again();
  send_waiting();
  expire();
}

void Engine::finish() {
  send_frames();
  closing_ = true;
  for (int round = 0; round < kClosingRoundsMax; ++round) {
    auto jobs = outbox_->drain();
    auto calls = asked_.take_all();
    if (jobs.empty() && calls.empty()) break;
    for (auto& job : jobs) job(*this);
    for (auto& call : calls) end(std::move(call), Error{Code::kUnavailable, "the link was closed"});
  }
  send_waiting();
}

Duration Engine::until_next() const {
  const auto now = clock_.steady();
  auto next = std::min(out_.next_heartbeat(), asked_.next_event());
  if (!timers_.empty()) next = std::min(next, timers_.begin()->first);
  auto wait = next <= now ? Duration{0} : std::min<Duration>(next - now, kTurnMax);
  if (!slow_callers_.empty()) wait = std::min(wait, kAnswerRetry);
  return wait;
}

void Engine::send_frames() {
  for (const auto& frame : out_.take()) {
    counters_.frames_sent += 1;
    counters_.bytes_sent += frame->size();
    transport_->publish(frame);
  }
}

void Engine::run_timers() {
  // Not those that these set: a timer of no delay would keep the loop here.
  const auto now = clock_.steady();
  std::vector<std::function<void()>> due;
  while (!timers_.empty() && timers_.begin()->first <= now) {
    due.push_back(std::move(timers_.begin()->second));
    timers_.erase(timers_.begin());
  }
  for (const auto& job : due) guarded("timer", job);
}

void Engine::send_again() {
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
    if (transport_->send_request(call.node, envelope) == Transport::Sent::kYes) {
      counters_.requests_sent_again += 1;
    }
    call.patience *= 2;
    asked_.send_again_at(*id, now + call.patience);
  }
}

void Engine::forget(SubscriptionId subscription) {
  for (auto at = subscriptions_.begin(); at != subscriptions_.end(); ++at) {
    auto& all = at->second;
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const auto& each) { return each->id == subscription; });
    if (found == all.end()) continue;
    (*found)->gone = true;
    transport_->unsubscribe(subscription_prefix((*found)->frame_class, at->first));
    transport_->unsubscribe(subscription_prefix(FrameClass::kHeartbeat, at->first));
    all.erase(found);
    if (all.empty()) subscriptions_.erase(at);
    return;
  }
  forgotten_.insert(subscription);  // Its subscribe() waits for the loop still.
}

void Engine::run_jobs() {
  for (auto& job : outbox_->drain()) job(*this);
}

void Engine::send_waiting() {
  for (auto& [node, peer] : peers_) {
    while (!peer.waiting.empty()) {
      auto& request = peer.waiting.front();
      const auto size = request.envelope.size();
      if (send_now(node, request) == Transport::Sent::kNotNow) break;
      peer.waiting_bytes -= size;
      peer.waiting.pop_front();
    }
  }
  const auto now = clock_.steady();
  for (auto at = slow_callers_.begin(); at != slow_callers_.end();) {
    auto& [caller, queue] = *at;
    while (!queue.waiting.empty()) {
      auto& front = queue.waiting.front();
      const auto size = front.envelope.size();
      if (front.deadline > now) {
        if (transport_->send_answer(caller, front.envelope) == Transport::Sent::kNotNow) break;
        counters_.bytes_sent += size;
      }
      queue.bytes -= size;
      queue.waiting.pop_front();
    }
    at = queue.waiting.empty() ? slow_callers_.erase(at) : std::next(at);
  }
}

void Engine::expire() {
  const auto now = clock_.steady();
  while (auto call = asked_.take_expired(now)) {
    const auto peer = peers_.find(call->node);
    const auto name = peer == peers_.end() ? hex(call->node) : peer->second.info.name;
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
  served_.expire();
}

// ---- frames -------------------------------------------------------------------------------------

void Engine::on_frame(BytesView bytes) {
  counters_.bytes_received += bytes.size();
  if (stood_still_at_ != SteadyTime{} && stale_backlog(bytes)) {
    counters_.skipped += 1;
    return;
  }
  const auto decoded = decode_frame(bytes);
  if (!decoded) {
    // All peers arrive through one socket; what stands where the node should be is the best clue.
    on_malformed(bytes.size() < 6
                     ? "a publisher"
                     : "publisher " + hex(NodeNumber{read_be<std::uint32_t>(bytes, 2)}),
                 decoded.error().message);
    return;
  }
  const auto& header = decoded.value().header;
  const auto found = subscriptions_.find(header.stream);
  if (found == subscriptions_.end()) return;
  auto& newest = newest_[header.stream.node];
  if (header.incarnation < newest) {
    counters_.stale += 1;
    return;
  }
  newest = header.incarnation;
  counters_.frames_received += 1;
  const bool is_heartbeat = header.frame_class == FrameClass::kHeartbeat;
  const Subscriptions listeners = found->second;  // A callback may change the original.
  for (const auto& listener : listeners) {
    if (listener->gone || (!is_heartbeat && listener->frame_class != header.frame_class)) continue;
    guarded("on_frame", [&] { listener->on_frame(Frame{header, Bytes(decoded.value().payload)}); });
  }
}

bool Engine::stale_backlog(BytesView frame) {
  if (clock_.steady() - stood_still_at_ > kSkipMax) {
    stood_still_at_ = SteadyTime{};
    return false;
  }
  const auto sent_at = frame_sent_at(frame);
  return sent_at && clock_.utc() - *sent_at > kOld;
}

void Engine::on_subscribed(BytesView prefix) {
  // A joiner need not wait for the next heartbeat to know that it is subscribed.
  if (prefix.size() != 8 || prefix[0] != static_cast<char>(FrameClass::kHeartbeat)) return;
  out_.hurry(
      StreamId{NodeNumber{read_be<std::uint32_t>(prefix, 2)}, read_be<std::uint16_t>(prefix, 6)});
}

// ---- peers --------------------------------------------------------------------------------------

void Engine::learn(const NodeInfo& info) {
  const auto number = node_number(info.uuid);
  auto& peer = peers_[number];
  if (info.incarnation < peer.info.incarnation) {
    counters_.stale += 1;
    return;
  }
  const auto before = std::exchange(peer.info, info);
  const bool was_alive = std::exchange(peer.alive, is_alive(info.state));
  // From 0, too, when only its address was known: the connection may lead to a predecessor that
  // goes on, and what that one did the successor would do again.
  const bool restarted = was_alive && before.incarnation != info.incarnation;

  if (was_alive && (restarted || !peer.alive)) {
    peer.waiting.clear();
    peer.waiting_bytes = 0;
    const std::string why = info.name + (peer.alive ? " restarted" : " is gone");
    for (auto& call : asked_.take_of(number)) end(std::move(call), Error{Code::kUnavailable, why});
  }
  // A connection that died with its process comes back by itself, but only at the next attempt;
  // a new one is there at once. Unless frames of the new incarnation show that it is back.
  auto& newest = newest_[number];
  const bool reads_it = newest == info.incarnation && was_alive;
  newest = std::max(newest, info.incarnation);
  if (was_alive &&
      (!peer.alive || before.data_endpoints != info.data_endpoints || (restarted && !reads_it))) {
    transport_->disconnect_data(number);
  }
  if (peer.asked &&
      (!peer.alive || restarted || before.request_endpoints != info.request_endpoints)) {
    transport_->disconnect_requests(number);
    peer.asked = false;
  }
  if (peer.alive) connect_data(peer);
  if (peer.alive && !peer.asked && !peer.waiting.empty()) {
    peer.asked = transport_->connect_requests(peer.info);
  }
}

void Engine::connect_data(const Peer& peer) {
  const auto number = node_number(peer.info.uuid);
  const auto first = subscriptions_.lower_bound(StreamId{number, 0});
  if (first == subscriptions_.end() || first->first.node != number) return;
  transport_->connect_data(peer.info);
}

// ---- calls of ours ------------------------------------------------------------------------------

void Engine::ask(CallId id, SteadyTime deadline, Bytes envelope, AskedCall call) {
  const auto refuse = [&](std::string why) {
    end(std::move(call), Error{Code::kUnavailable, std::move(why)});
  };
  if (closing_) return refuse("the link was closed");
  const auto node = call.node;
  const auto found = peers_.find(node);
  if (found == peers_.end()) return refuse("node " + hex(node) + " is not known");
  auto& peer = found->second;
  if (!peer.alive) return refuse(peer.info.name + " is gone");
  if (asked_.count() >= kAskedMax) return refuse("too many calls are open");
  if (!peer.waiting.empty() && peer.waiting_bytes + envelope.size() > kWaitingBytesMax) {
    return refuse("the queue of requests to " + peer.info.name + " is full");
  }
  if (!peer.asked) {
    peer.asked = transport_->connect_requests(peer.info);
    if (!peer.asked) return refuse(peer.info.name + " has no endpoint that can be reached");
  }
  // Not when its incarnation is unknown: a successor would do it a second time.
  if (call.budget > kPatience && envelope.size() <= kAgainBytesMax && peer.info.incarnation != 0) {
    call.again = envelope;
    set_server(call.again, peer.info.incarnation);
    call.patience = kPatience;
  }
  asked_.add(id, deadline, std::move(call));
  send_to(node, peer, WaitingRequest{id, std::move(envelope), true});
}

void Engine::give_up(CallId id) {
  const auto* call = asked_.find(id);
  if (call == nullptr) return;
  if (!call->sent) {  // its request, still waiting, is skipped when its turn comes
    auto taken = asked_.take(id);
    end(std::move(*taken), Error{Code::kUnavailable, "cancelled before it was sent"});
    return;
  }
  const auto peer = peers_.find(call->node);
  if (peer == peers_.end() || !peer->second.asked) return;
  Envelope cancel;
  cancel.kind = EnvelopeKind::kCancel;
  cancel.call = id;
  cancel.incarnation = self_.incarnation;
  send_to(peer->first, peer->second, WaitingRequest{id, encode_envelope(cancel), false});
}

void Engine::send_to(NodeNumber node, Peer& peer, WaitingRequest request) {
  // Not before those that wait already.
  if (peer.waiting.empty() && send_now(node, request) != Transport::Sent::kNotNow) return;
  peer.waiting_bytes += request.envelope.size();
  peer.waiting.push_back(std::move(request));
}

Transport::Sent Engine::send_now(NodeNumber node, WaitingRequest& request) {
  auto* call = asked_.find(request.id);
  if (call == nullptr) return Transport::Sent::kNever;  // ended while it waited
  if (request.is_request) {
    const auto left = *asked_.deadline_of(request.id) - clock_.steady();
    if (left <= Duration{0}) return Transport::Sent::kNever;  // expire() ends it
    set_budget(request.envelope, left);
  }
  const auto size = request.envelope.size();
  const auto sent = transport_->send_request(node, request.envelope);
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

void Engine::on_answer(NodeNumber server, BytesView bytes) {
  counters_.bytes_received += bytes.size();
  auto decoded = decode_envelope(bytes);
  if (!decoded) return on_malformed("server " + hex(server), decoded.error().message);
  auto answer = std::move(decoded).value();
  auto* call = asked_.find(answer.call);
  if (call == nullptr || call->node != server) return;  // it came too late
  if (answer.incarnation < peers_[server].info.incarnation) {
    counters_.stale += 1;
    return;
  }
  switch (answer.kind) {
    case EnvelopeKind::kProgress:
      call->parts += 1;
      if (call->on_progress) {
        guarded("on_progress", [&] { call->on_progress(std::move(answer.payload)); });
      }
      return;
    case EnvelopeKind::kDone:
      // A connection that broke meanwhile: half a state must not look like a whole one.
      if (call->parts < answer.parts) {
        const Error lost{Code::kTimeout, "of the answer to '" + call->method + "' " +
                                             std::to_string(answer.parts - call->parts) + " of " +
                                             std::to_string(answer.parts) + " parts were lost"};
        return end(*asked_.take(answer.call), lost);
      }
      return end(*asked_.take(answer.call), std::move(answer.payload));
    case EnvelopeKind::kFailed:
      return end(*asked_.take(answer.call), unpack_failure(answer.payload));
    case EnvelopeKind::kRequest:
    case EnvelopeKind::kCancel: break;
  }
  on_malformed("server " + hex(server), "envelope: a request where answers come");
}

void Engine::end(AskedCall call, Answer answer) {
  guarded("on_answer", [&] { call.on_answer(std::move(answer)); });
}

// ---- calls of others ----------------------------------------------------------------------------

void Engine::on_request(const Bytes& caller, BytesView bytes) {
  counters_.bytes_received += bytes.size();
  auto decoded = decode_envelope(bytes);
  if (!decoded) return on_malformed("a caller", decoded.error().message);
  auto request = std::move(decoded).value();
  if (request.kind == EnvelopeKind::kCancel) return served_.cancel(caller, request.call);
  if (request.kind != EnvelopeKind::kRequest) {
    return on_malformed("a caller", "envelope: an answer where requests come");
  }

  Handler handler;
  {
    const std::lock_guard lock(handlers_mutex_);
    const auto found = handlers_.find(request.method);
    if (found != handlers_.end()) handler = found->second;
  }
  const auto id = request.call;
  const auto method = request.method;
  const auto server = request.server;
  if (served_.full() && !served_.knows(caller, id)) {
    Bytes envelope =
        served_.refusal(id, Error{Code::kUnavailable, "too many calls are open on " + self_.name});
    transport_->send_answer(caller, envelope);
    return;
  }
  const auto call = served_.open(caller, std::move(request));
  if (!call) {
    counters_.requests_asked_twice += 1;
    if (const auto answer = served_.again(caller, id)) {
      Bytes envelope = *answer;
      transport_->send_answer(caller, envelope);  // One that is lost is asked for once more.
    }
    return;
  }
  if (server != 0 && server != self_.incarnation) {
    return call->fail(Error{Code::kTimeout, "'" + method + "' went to incarnation " +
                                                std::to_string(server) + " of " + self_.name +
                                                ", which is gone"});
  }
  if (method == kResendMethod) return serve_again(*call);
  if (handler == nullptr) {
    return call->fail(Error{Code::kNotFound, "no method '" + method + "' on node " + self_.name});
  }
  counters_.requests_served += 1;
  if (!guarded("on_call", [&] { (*handler)(*call); })) {
    call->fail(Error{Code::kFailed, "the handler of '" + method + "' threw"});
  }
}

void Engine::answer(const Bytes& caller, CallId id, SteadyTime deadline, Bytes envelope,
                    bool final) {
  if (final) served_.close(caller, id, envelope);
  if (deadline <= clock_.steady()) return;
  const auto size = envelope.size();
  const auto slow = slow_callers_.find(caller);
  if (slow == slow_callers_.end()) {
    const auto sent = transport_->send_answer(caller, envelope);
    if (sent == Transport::Sent::kYes) counters_.bytes_sent += size;
    if (sent != Transport::Sent::kNotNow) return;
  }
  auto& queue = slow_callers_[caller];
  if (!queue.waiting.empty() && queue.bytes + size > kWaitingBytesMax) {
    counters_.dropped += 1;
    return;
  }
  queue.bytes += size;
  queue.waiting.push_back(WaitingAnswer{deadline, std::move(envelope)});
}

void Engine::serve_again(const Call& call) {
  const auto asked = unpack_resend(call.payload());
  if (!asked) return call.fail(asked.error());
  const auto& wanted = asked.value();
  auto frames = out_.again(wanted.stream, wanted.incarnation, wanted.from, wanted.to);
  if (!frames) return call.fail(frames.error());
  for (const auto& frame : frames.value()) call.progress(*frame);
  counters_.frames_sent_again += frames.value().size();
  call.done({});
}

void Engine::on_malformed(std::string_view source, std::string_view what) {
  counters_.malformed += 1;
  const auto now = clock_.steady();
  const auto found = complained_.find(source);
  if (found != complained_.end() && now - found->second < kComplainInterval) return;
  if (complained_.size() >= kComplainSourcesMax) complained_.clear();
  complained_[std::string(source)] = now;
  spdlog::warn("bus: dropped from {}: {}", source, what);
}

}  // namespace tidemark::bus
