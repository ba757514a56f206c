// bus/asked_calls.cpp

#include "bus/asked_calls.h"

#include <algorithm>
#include <utility>

#include "bus/guarded.h"

namespace tidemark::bus {

void end(AskedCall call, Answer answer) {
  guarded("on_answer", [&] { call.on_answer(std::move(answer)); });
}

void AskedCalls::add(CallId id, SteadyTime deadline, AskedCall call) {
  const auto at = deadlines_.emplace(deadline, id);
  calls_.emplace(id, Entry{std::move(call), at});
}

AskedCall* AskedCalls::find(CallId id) {
  const auto found = calls_.find(id);
  return found == calls_.end() ? nullptr : &found->second.call;
}

AskedCall AskedCalls::take(Calls::iterator at) {
  deadlines_.erase(at->second.deadline);
  AskedCall call = std::move(at->second.call);
  calls_.erase(at);
  return call;
}

void AskedCalls::send_again_at(CallId id, SteadyTime when) { silences_.emplace(when, id); }

std::optional<CallId> AskedCalls::take_silent(SteadyTime now) {
  while (!silences_.empty() && silences_.begin()->first <= now) {
    const auto id = silences_.begin()->second;
    silences_.erase(silences_.begin());
    if (calls_.contains(id)) return id;
  }
  return std::nullopt;
}

std::optional<AskedCall> AskedCalls::take(CallId id) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return std::nullopt;
  return take(found);
}

std::optional<AskedCall> AskedCalls::take_expired(SteadyTime now) {
  if (deadlines_.empty() || deadlines_.begin()->first > now) return std::nullopt;
  return take(calls_.find(deadlines_.begin()->second));
}

std::vector<AskedCall> AskedCalls::take_of(NodeNumber node) {
  std::vector<AskedCall> taken;
  // In order of their deadlines, not of the hash: callers see the same order in every run.
  for (auto at = deadlines_.begin(); at != deadlines_.end();) {
    const auto found = calls_.find((at++)->second);
    if (found->second.call.node == node) taken.push_back(take(found));
  }
  return taken;
}

std::vector<AskedCall> AskedCalls::take_all() {
  std::vector<AskedCall> taken;
  taken.reserve(calls_.size());
  while (!deadlines_.empty()) taken.push_back(take(calls_.find(deadlines_.begin()->second)));
  return taken;
}

std::optional<SteadyTime> AskedCalls::deadline_of(CallId id) const {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return std::nullopt;
  return found->second.deadline->first;
}

SteadyTime AskedCalls::next_event() const {
  auto next = deadlines_.empty() ? SteadyTime::max() : deadlines_.begin()->first;
  if (!silences_.empty()) next = std::min(next, silences_.begin()->first);
  return next;
}

}  // namespace tidemark::bus
