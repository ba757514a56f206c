// tidemark/event.h
//
// Events: asking subsystems to do something, or whether they mind.
//
//   psu.on_event("degauss", [&](Call& call) -> Outcome {
//     for (int cycle = 1; cycle <= 3; ++cycle) {
//       call.feedback("cycle " + std::to_string(cycle) + " of 3");
//       if (!call.wait(1s)) return cancelled();
//     }
//     return done();
//   });
//
//   const auto result = site.call("may-expose", {}, everybody(), 2s);
//   if (!result.all_done()) say(result.objections());
//
// Each call of a handler runs on a thread of its own, so a handler may wait.

#pragma once

#include <concepts>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/event_call.h"
#include "tidemark/convert.h"

namespace tidemark {

namespace subsystem {
class EventRun;
}

/// How a handler ends.
using Outcome = Result<Value>;
inline Outcome done(Value value = {}) { return value; }
/// The caller sees the reason: to a question, this is a veto.
inline Outcome veto(std::string reason) { return Error{Code::kRefused, std::move(reason)}; }
inline Outcome failed(std::string what) { return Error{Code::kFailed, std::move(what)}; }
inline Outcome cancelled() { return Error{Code::kCancelled, "cancelled"}; }

/// One call, as its handler sees it. Valid in the handler only. Threads: any.
class Call {
 public:
  explicit Call(subsystem::EventRun& run) : run_(run) {}

  const Value& argument() const;
  const std::string& caller() const;
  /// When the caller gives up.
  SteadyTime deadline() const;
  /// The caller hears how it goes; `progress` is for programs.
  void feedback(std::string text, Value progress = {}) const;
  /// The caller gave up, or this program ends: come to an end.
  bool cancelled() const;
  /// Sleeps; false as soon as it is cancelled.
  bool wait(Duration duration) const;

 private:
  subsystem::EventRun& run_;
};

/// Whom a call is for.
struct Targets {
  enum class Kind { kNamed, kLabel, kEverybody };
  Kind kind = Kind::kEverybody;
  std::vector<std::string> names;  // or the one label
};
/// to("psu.1"), to("psu.1", "psu.2")
template <std::convertible_to<std::string>... Names>
Targets to(Names... names) {
  return {Targets::Kind::kNamed, {std::string(std::move(names))...}};
}
inline Targets to_each(std::vector<std::string> names) {
  return {Targets::Kind::kNamed, std::move(names)};
}
/// Every subsystem with that label that handles the event, and has not said goodbye: one that died
/// is lost.
inline Targets to_label(std::string label) { return {Targets::Kind::kLabel, {std::move(label)}}; }
/// Every subsystem that handles the event, and has not said goodbye: one that died is lost, so a
/// question that it might have objected to is not answered with yes.
inline Targets everybody() { return {}; }

/// What came of a call: per target its state, reason and value; all_done(), objections(), and
/// nobody(), when there was no target.
using CallResult = model::EventCallState;
using TargetState = model::EventTarget::State;

/// Of one target, on the way.
struct Feedback {
  std::string target;
  std::string text;
  Value progress;
};

/// A call that runs. Letting it go does not end it.
class RunningCall {
 public:
  RunningCall() = default;
  explicit RunningCall(std::function<void()> cancel) : cancel_(std::move(cancel)) {}
  /// Tells every target that nobody waits any more.
  void cancel() const {
    if (cancel_) cancel_();
  }

 private:
  std::function<void()> cancel_;
};

}  // namespace tidemark
