// subsystem/own_events.h
//
// The events that a subsystem handles. Each call runs on a thread of its own: a handler may take
// its time, send feedback, and wait, while others are answered.

#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "bus/link.h"
#include "model/api/subsystem.h"

namespace tidemark::subsystem {

/// One call of an event, as its handler sees it. Threads: any.
class EventRun {
 public:
  EventRun(model::api::EventCall asked, bus::Call call)
      : asked_(std::move(asked)), call_(std::move(call)) {}

  const model::api::EventCall& asked() const { return asked_; }
  SteadyTime deadline() const { return call_.deadline(); }
  void feedback(std::string text, model::kv::Value value) const;
  /// Its caller gave up, his deadline is over, or this subsystem stops.
  bool cancelled() const;
  /// Sleeps; false as soon as it is cancelled.
  bool wait(Duration duration);
  void stop();
  const bus::Call& call() const { return call_; }

 private:
  const model::api::EventCall asked_;
  const bus::Call call_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;  // guarded by mutex_
};

using EventHandler = std::function<Result<model::kv::Value>(EventRun&)>;

class OwnEvents : public std::enable_shared_from_this<OwnEvents> {
 public:
  /// Handlers that run at once; more calls are turned away with kUnavailable.
  static constexpr std::size_t kRunningMax = 16;

  explicit OwnEvents(std::string subsystem) : subsystem_(std::move(subsystem)) {}
  ~OwnEvents();

  void open(const std::shared_ptr<bus::Link>& link);
  /// Errors: kConflict, a second handler; kInvalidArgument, its name.
  Result<Unit> add(model::api::EventSpec spec, EventHandler handler);
  std::vector<model::api::EventSpec> specs() const;
  /// Tells every handler that runs to stop, and waits for it, unless it is that which asks. Later
  /// calls are turned away.
  void close();

 private:
  struct Event {
    model::api::EventSpec spec;
    std::shared_ptr<const EventHandler> handler;
  };
  struct Running {
    std::shared_ptr<EventRun> run;
    std::thread thread;
    std::atomic<bool> ended{false};
  };

  void take(const bus::Call& call);
  static void carry_out(const EventHandler& handler, EventRun& run);

  const std::string subsystem_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::map<std::string, Event> events_;
  std::list<std::shared_ptr<Running>> running_;
  bool closed_ = false;
};

}  // namespace tidemark::subsystem
