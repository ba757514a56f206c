// subsystem/event_calls.h
//
// Calls of events on others: asks every target, gathers what comes back in a
// model::EventCallState, and tells the journal.

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bus/link.h"
#include "model/api/subsystem.h"
#include "model/event_call.h"
#include "subsystem/outbox.h"

namespace tidemark::subsystem {

struct EventWish {
  std::string event;
  model::kv::Value argument;
  std::string caller;
  Duration budget = std::chrono::seconds(10);
  struct Target {
    std::string name;
    std::optional<bus::NodeNumber> node;  // none: nobody of that name is there
  };
  std::vector<Target> targets;
  /// Of a call on whoever handles it: who that is, in place of `targets`; none while nobody knows.
  /// On the loop thread.
  std::function<std::optional<std::vector<Target>>()> choose;
  // On the loop thread; both may be empty.
  std::function<void(const std::string& target, const model::api::EventFeedback&)> on_feedback;
  std::function<void(const model::EventCallState&)> on_ended;  // once
};

/// Ends within its budget, whatever happens: also when its link is closed meanwhile.
class EventCallRun : public std::enable_shared_from_this<EventCallRun> {
 public:
  /// `outbox` may be null: then nobody records the call.
  static std::shared_ptr<EventCallRun> start(const std::shared_ptr<bus::Link>& link,
                                             std::shared_ptr<Outbox> outbox, EventWish wish);
  ~EventCallRun();
  /// Tells every target that nobody waits any more. Threads: any.
  void cancel();

 private:
  EventCallRun(const std::shared_ptr<bus::Link>& link, std::shared_ptr<Outbox> outbox,
               EventWish wish);
  void begin();
  void choose(SteadyTime deadline);
  void ask(Duration budget);
  void nobody(Error why);
  void answered(const std::string& target, const bus::Answer& answer);
  void record(model::Record record);
  void look();

  bus::Link& link_;                       // in callbacks
  const std::weak_ptr<bus::Link> owned_;  // elsewhere
  const std::shared_ptr<Outbox> outbox_;
  const EventWish wish_;
  const Uuid id_ = Uuid::random();

  // Only on the loop thread.
  std::vector<EventWish::Target> targets_;
  bool cancelled_ = false;
  model::EventCallState state_;
  std::vector<bus::CallId> asked_;
  bool told_ = false;
};

}  // namespace tidemark::subsystem
