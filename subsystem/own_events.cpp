#include "subsystem/own_events.h"

#include <exception>
#include <utility>

#include "model/packing.h"

namespace tidemark::subsystem {
namespace {

namespace api = model::api;
constexpr Duration kLook = std::chrono::milliseconds(20);  // how soon a cancellation is noticed

}  // namespace

// ---- EventRun -----------------------------------------------------------------------------------

void EventRun::feedback(std::string text, model::kv::Value value) const {
  call_.progress(model::pack(api::EventFeedback{std::move(text), std::move(value)}));
}

bool EventRun::cancelled() const {
  const std::lock_guard lock(mutex_);
  return stopping_ || call_.cancelled();
}

bool EventRun::wait(Duration duration) {
  const auto until = steady_now() + duration;
  std::unique_lock lock(mutex_);
  while (!stopping_ && !call_.cancelled()) {
    const auto now = steady_now();
    if (now >= until) return true;
    changed_.wait_for(lock, std::min<Duration>(kLook, until - now));
  }
  return false;
}

void EventRun::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
}

// ---- OwnEvents ----------------------------------------------------------------------------------

OwnEvents::~OwnEvents() { close(); }

void OwnEvents::open(const std::shared_ptr<bus::Link>& link) {
  link->serve("event.call", [weak = weak_from_this()](const bus::Call& call) {
    if (const auto self = weak.lock()) self->take(call);
  });
}

Result<Unit> OwnEvents::add(api::EventSpec spec, EventHandler handler) {
  const auto checked = model::kv::check_key_name(spec.name);
  if (!checked) return Error{checked.error().code, "event " + checked.error().message};
  const std::lock_guard lock(mutex_);
  const auto name = spec.name;
  Event event{std::move(spec), std::make_shared<const EventHandler>(std::move(handler))};
  if (!events_.emplace(name, std::move(event)).second) {
    return Error{Code::kConflict, "a second handler of event '" + name + "' of " + subsystem_};
  }
  return Unit{};
}

std::vector<api::EventSpec> OwnEvents::specs() const {
  const std::lock_guard lock(mutex_);
  std::vector<api::EventSpec> specs;
  for (const auto& [name, event] : events_) specs.push_back(event.spec);
  return specs;
}

void OwnEvents::take(const bus::Call& call) {
  auto asked = model::unpack<api::EventCall>(call.payload());
  if (!asked) return call.fail({Code::kInvalidArgument, asked.error().message});
  auto& wish = asked.value();
  const std::lock_guard lock(mutex_);
  const auto found = events_.find(wish.event);
  if (found == events_.end()) {
    return call.fail({Code::kNotFound, subsystem_ + " does not handle '" + wish.event + "'"});
  }
  model::kv::KeySpec argument;
  argument.name = wish.event;
  argument.type = found->second.spec.argument;
  auto taken = model::kv::conform(argument, wish.argument);
  if (!taken) return call.fail(taken.error());
  wish.argument = std::move(taken).value();

  for (auto at = running_.begin(); at != running_.end();) {
    if ((*at)->ended) {
      (*at)->thread.join();
      at = running_.erase(at);
    } else {
      ++at;
    }
  }
  if (closed_) return call.fail({Code::kUnavailable, subsystem_ + " is stopping"});
  if (running_.size() >= kRunningMax) {
    return call.fail({Code::kUnavailable,
                      subsystem_ + " handles " + std::to_string(kRunningMax) + " events already"});
  }
  const auto running = running_.emplace_back(std::make_shared<Running>());
  running->run = std::make_shared<EventRun>(std::move(wish), call);
  // Nothing of ours: a handler may end us.
  running->thread = std::thread([running, handler = found->second.handler]() mutable {
    carry_out(*handler, *running->run);
    handler.reset();
    running->ended = true;
  });
}

void OwnEvents::carry_out(const EventHandler& handler, EventRun& run) {
  const auto& call = run.call();
  try {
    auto result = handler(run);
    if (!result) return call.fail(result.error());
    call.done(model::pack(api::EventResult{std::move(result).value()}));
  } catch (const std::exception& failure) {
    call.fail({Code::kFailed, std::string("its handler threw: ") + failure.what()});
  } catch (...) {
    call.fail({Code::kFailed, "its handler threw"});
  }
}

void OwnEvents::close() {
  std::list<std::shared_ptr<Running>> running;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    running.swap(running_);
  }
  for (const auto& each : running) each->run->stop();
  for (const auto& each : running) {
    if (each->thread.get_id() == std::this_thread::get_id()) {
      each->thread.detach();  // It asks, and cannot wait for itself: it ends when it returns.
    } else {
      each->thread.join();
    }
  }
}

}  // namespace tidemark::subsystem
