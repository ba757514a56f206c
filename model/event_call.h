// model/event_call.h
//
// One call of an event on many subsystems, as a pure function of what comes back: what each
// target has said, and whether the whole is decided.
//
//   pending ──► in progress ──► done | rejected | failed | timed out | lost | cancelled

#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/kv/value.h"

namespace tidemark::model {

struct EventTarget {
  enum class State {
    kPending,     // asked, nothing heard
    kInProgress,  // has sent feedback
    kDone,
    kRejected,  // understood, and the answer is no: `text` is the reason
    kFailed,    // its handler threw, or it has none
    kTimedOut,  // nobody knows whether it was done
    kLost,      // its node died or restarted meanwhile
    kCancelled,
  };
  State state = State::kPending;
  std::string text;  // the reason, or the last feedback
  kv::Value value;   // of done, or of the last feedback
  bool ended() const { return state >= State::kDone; }
  bool operator==(const EventTarget&) const = default;
};
std::string_view to_string(EventTarget::State state);  // "pending", "in progress", "done", …

class EventCallState {
 public:
  explicit EventCallState(const std::vector<std::string>& targets);
  /// Of a call that was not made at all.
  explicit EventCallState(Error why_nobody);

  void feedback(const std::string& target, std::string text, kv::Value value);
  void done(const std::string& target, kv::Value value);
  /// An error's code says which end it is. After cancel(), what was given up is cancelled.
  void error(const std::string& target, const Error& error);
  void cancel() { cancelled_ = true; }

  const std::map<std::string, EventTarget>& targets() const { return targets_; }
  bool ended() const;
  /// Somebody was asked, and each of them did it.
  bool all_done() const;
  /// Why nobody was asked, and so nobody has agreed: kNotFound, nobody handles it; kUnavailable,
  /// "directory not settled", nobody knows yet who does; kCancelled. None: somebody was asked.
  const std::optional<Error>& nobody() const { return nobody_; }
  /// Who did not, with why: "shutter.2 rejected: interlock open; psu.1 lost: psu.1 is gone"; or
  /// why nobody was asked.
  std::string objections() const;

 private:
  EventTarget* open(const std::string& target);

  std::map<std::string, EventTarget> targets_;
  std::optional<Error> nobody_;
  bool cancelled_ = false;
};

}  // namespace tidemark::model
