#include "model/event_call.h"

#include <algorithm>
#include <utility>

namespace tidemark::model {
namespace {

using State = EventTarget::State;

State end_of(Code code, bool cancelled) {
  switch (code) {
    case Code::kRefused: return State::kRejected;
    case Code::kCancelled: return State::kCancelled;
    case Code::kTimeout: return cancelled ? State::kCancelled : State::kTimedOut;
    case Code::kUnavailable: return cancelled ? State::kCancelled : State::kLost;
    case Code::kInvalidArgument:
    case Code::kNotFound:
    case Code::kConflict:
    case Code::kCorruption:
    case Code::kFailed: break;
  }
  return State::kFailed;
}

}  // namespace

std::string_view to_string(State state) {
  switch (state) {
    case State::kPending: return "pending";
    case State::kInProgress: return "in progress";
    case State::kDone: return "done";
    case State::kRejected: return "rejected";
    case State::kFailed: return "failed";
    case State::kTimedOut: return "timed out";
    case State::kLost: return "lost";
    case State::kCancelled: return "cancelled";
  }
  return "unknown";
}

EventCallState::EventCallState(const std::vector<std::string>& targets) {
  for (const auto& target : targets) targets_.emplace(target, EventTarget{});
  if (targets.empty()) nobody_ = Error{Code::kNotFound, "nobody was asked"};
}

EventCallState::EventCallState(Error why_nobody) : nobody_(std::move(why_nobody)) {}

EventTarget* EventCallState::open(const std::string& target) {
  const auto found = targets_.find(target);
  return found == targets_.end() || found->second.ended() ? nullptr : &found->second;
}

void EventCallState::feedback(const std::string& target, std::string text, kv::Value value) {
  if (auto* at = open(target)) *at = {State::kInProgress, std::move(text), std::move(value)};
}

void EventCallState::done(const std::string& target, kv::Value value) {
  if (auto* at = open(target)) *at = {State::kDone, "", std::move(value)};
}

void EventCallState::error(const std::string& target, const Error& error) {
  if (auto* at = open(target)) *at = {end_of(error.code, cancelled_), error.message, {}};
}

bool EventCallState::ended() const {
  return std::all_of(targets_.begin(), targets_.end(),
                     [](const auto& each) { return each.second.ended(); });
}

bool EventCallState::all_done() const {
  return !nobody_ && std::all_of(targets_.begin(), targets_.end(), [](const auto& each) {
    return each.second.state == State::kDone;
  });
}

std::string EventCallState::objections() const {
  if (nobody_) return nobody_->message;
  std::string text;
  for (const auto& [name, target] : targets_) {
    if (target.state == State::kDone) continue;
    if (!text.empty()) text += "; ";
    text += name + " " + std::string(to_string(target.state));
    if (!target.text.empty()) text += ": " + target.text;
  }
  return text;
}

}  // namespace tidemark::model
