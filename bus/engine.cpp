// bus/engine.cpp

#include "bus/engine.h"

#include <signal.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "bus/guarded.h"
#include "bus/resend.h"

namespace tidemark::bus {
namespace {

using namespace std::chrono_literals;

constexpr Duration kTurnMax = 1s;       // for what needs no exact time
constexpr Duration kAnswerRetry = 2ms;  // a ROUTER cannot say when one of its peers has room
constexpr Duration kComplainInterval = 1min;
constexpr std::size_t kComplainSourcesMax = 1024;
constexpr int kClosingRoundsMax = 1000;  // a callback that asks again whenever it is refused

}  // namespace

Engine::Engine(NodeInfo self, std::unique_ptr<Transport> transport, EngineOptions options)
    : self_(std::move(self)),
      number_(node_number(self_.uuid)),
      clock_(std::move(options.clock)),
      transport_(std::move(transport)),
      outbox_(std::make_shared<Outbox>(transport_->waker())),
      out_(number_, self_.incarnation, clock_, transport_->waker()),
      in_(*transport_, peers_, clock_, counters_),
      requests_(*transport_, peers_, self_.incarnation, clock_, counters_),
      served_(outbox_, self_.incarnation, clock_),
      slow_callers_(*transport_, clock_, counters_) {
  looked_at_ = clock_.steady();
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
  TIDEMARK_CHECK(belong_together(frame_class, stream));
  return out_.publish(frame_class, stream, count, payload);
}

void Engine::declare_stream(FrameClass frame_class, StreamNumber stream) {
  TIDEMARK_CHECK(belong_together(frame_class, stream));
  out_.declare(stream);
}

void Engine::retire_stream(StreamNumber stream) { out_.retire(stream); }

SubscriptionId Engine::subscribe(FrameClass frame_class, StreamId stream,
                                 std::function<void(Frame)> on_frame) {
  TIDEMARK_CHECK(belong_together(frame_class, stream.stream));
  const SubscriptionId id{next_subscription_++};
  outbox_->push([id, frame_class, stream, on_frame = std::move(on_frame)](Engine& engine) mutable {
    engine.in_.subscribe(id, frame_class, stream, std::move(on_frame));
  });
  return id;
}

void Engine::unsubscribe(SubscriptionId subscription) {
  if (on_loop()) return in_.unsubscribe(subscription);
  outbox_->push([subscription](Engine& engine) { engine.in_.unsubscribe(subscription); });
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
  outbox_->push([peer](Engine& engine) {
    if (node_number(peer.uuid) == engine.number_) engine.complete_ = true;
    engine.learn(peer);
  });
}

void Engine::redial(NodeNumber node) {
  outbox_->push([node](Engine& engine) {
    engine.in_.redial(node);
    engine.requests_.redial(node);
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
          engine.requests_.ask(id, deadline, std::move(envelope), std::move(*asked));
        },
        size);
    if (queued) return id;
    call = std::move(*asked);
    refused = Error{Code::kUnavailable, "the link's queue of requests is full"};
  }
  outbox_->push([call = std::move(call), error = std::move(*refused)](Engine&) mutable {
    end(std::move(call), std::move(error));
  });
  return id;
}

void Engine::cancel(CallId call) {
  outbox_->push([call](Engine& engine) { engine.requests_.cancel(call); });
}

void Engine::serve(std::string method, std::function<void(Call)> on_call) {
  auto handler = std::make_shared<const std::function<void(Call)>>(std::move(on_call));
  const std::lock_guard lock(handlers_mutex_);
  handlers_[std::move(method)] = std::move(handler);
}

LinkCounters Engine::counters() const {
  auto all = counters_.read();
  all.refused = transport_->refused();
  all.dropped += out_.dropped();
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
  look_at_clock();
  may_sleep_ = wait_max;
  transport_->receive(*this, wait_max);
  look_at_clock();
  run_timers();
  send_frames();
  for (auto& job : outbox_->drain()) job(*this);
  requests_.send_again();
  requests_.send_waiting();
  slow_callers_.send_waiting();
  requests_.expire();
  served_.expire();
}

/// Before what arrives is read: mostly a process is stopped while it waits.
void Engine::look_at_clock() {
  const auto now = clock_.steady();
  const auto passed = now - looked_at_;
  looked_at_ = now;
  if (passed <= std::exchange(may_sleep_, Duration{0}) + kStandstill) return;
  in_.stood_still(now);
  stood_still_ = passed;
  stood_still_until_ = now;
}

/// How much older than it looks a request may be that arrives now.
Duration Engine::may_have_waited() const {
  return looked_at_ - stood_still_until_ <= kWaitedThrough ? stood_still_ : Duration{0};
}

void Engine::finish() {
  send_frames();
  requests_.close();
  for (int round = 0; round < kClosingRoundsMax; ++round) {
    auto jobs = outbox_->drain();
    if (jobs.empty()) break;
    for (auto& job : jobs) job(*this);
  }
  slow_callers_.send_waiting();
}

Duration Engine::until_next() const {
  const auto now = clock_.steady();
  auto next = std::min(out_.next_heartbeat(), requests_.next_event());
  if (!timers_.empty()) next = std::min(next, timers_.begin()->first);
  auto wait = next <= now ? Duration{0} : std::min<Duration>(next - now, kTurnMax);
  if (!slow_callers_.none()) wait = std::min(wait, kAnswerRetry);
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

void Engine::learn(const NodeInfo& info) {
  const auto change = peers_.learn(info);
  if (!change) {
    counters_.stale += 1;
    return;
  }
  const auto number = node_number(info.uuid);
  requests_.on_peer(number, *change);
  in_.on_peer(number, *change);
}

// ---- what arrives -------------------------------------------------------------------------------

void Engine::on_frame(BytesView bytes) {
  if (may_sleep_ > Duration{0}) look_at_clock();
  counters_.bytes_received += bytes.size();
  if (in_.skips(bytes)) {
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
  in_.on_frame(decoded.value());
}

void Engine::on_subscribed(BytesView prefix) {
  // A joiner need not wait for the next heartbeat to know that it is subscribed.
  if (prefix.size() != 8 || prefix[0] != static_cast<char>(FrameClass::kHeartbeat)) return;
  out_.hurry(
      StreamId{NodeNumber{read_be<std::uint32_t>(prefix, 2)}, read_be<std::uint16_t>(prefix, 6)});
}

void Engine::on_answer(NodeNumber server, BytesView bytes) {
  counters_.bytes_received += bytes.size();
  auto decoded = decode_envelope(bytes);
  if (!decoded) return on_malformed("server " + hex(server), decoded.error().message);
  if (!requests_.on_answer(server, std::move(decoded).value())) {
    on_malformed("server " + hex(server), "envelope: a request where answers come");
  }
}

void Engine::on_request(const Bytes& caller, BytesView bytes) {
  look_at_clock();
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
  const auto refuse = [&](const Error& why) {
    Bytes envelope = served_.refusal(id, why);
    transport_->send_answer(caller, envelope);
  };
  // A life that was frozen, and has a successor, must not act any more, whatever it still asks.
  const auto* known = peers_.find(caller_of(id));
  if (known != nullptr && request.incarnation < known->incarnation) {
    counters_.stale += 1;
    return refuse({Code::kRefused,
                   known->name + " incarnation " + std::to_string(request.incarnation) +
                       " is superseded by incarnation " + std::to_string(known->incarnation)});
  }
  if (served_.full() && !served_.knows(caller, id)) {
    return refuse({Code::kUnavailable, "too many calls are open on " + self_.name});
  }
  // Its budget counts from when its caller sent it, and nobody knows when that was.
  const auto waited = may_have_waited();
  const bool too_late = method != kResendMethod && request.budget <= waited;
  if (!too_late && method != kResendMethod) request.budget -= waited;
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
  if (too_late) {
    return call->fail(Error{Code::kTimeout, "'" + method + "' may have waited too long while " +
                                                self_.name + " stood still: it was not done"});
  }
  if (method == kResendMethod) return serve_again(*call);
  if (handler == nullptr && !complete_) {
    return call->fail(Error{Code::kUnavailable, self_.name + " is starting"});
  }
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
  slow_callers_.send(caller, deadline, std::move(envelope));
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
