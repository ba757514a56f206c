#include "epics/name_search.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace tidemark::epics {
namespace {

using std::chrono::milliseconds;

/// From one request of a young name to the next, and then to being silent.
constexpr std::array<milliseconds, 5> kYoungIntervals = {
    milliseconds(80), milliseconds(160), milliseconds(240), milliseconds(320), milliseconds(400)};

constexpr std::uint32_t kTurnsPerInterval = 10;  // before the interval of a group doubles

}  // namespace

void NameSearch::add(SearchId id, SteadyTime now) {
  const auto [at, added] = names_.try_emplace(id);
  TIDEMARK_CHECK(added);
  ask_at(id, at->second, now);
}

void NameSearch::add_lost(SearchId id, const std::string& group, SteadyTime now) {
  const auto [at, added] = names_.try_emplace(id);
  TIDEMARK_CHECK(added);
  at->second.attempts = kYoungIntervals.size();
  join(id, at->second, group, now);
}

bool NameSearch::answered(SearchId id, SteadyTime now) {
  const auto name = names_.find(id);
  if (name == names_.end()) return false;
  if (name->second.burst == burst_) ++burst_answered_;
  const auto group = name->second.group;
  remove(id);
  if (!group) return true;
  const auto others = groups_.find(*group);
  if (others != groups_.end()) ask_all_of(others->second, now);
  return true;
}

void NameSearch::remove(SearchId id) {
  const auto at = names_.find(id);
  if (at == names_.end()) return;
  auto& name = at->second;
  unqueue(id, name);
  if (name.group) {
    const auto group = groups_.find(*name.group);
    auto& members = group->second.members;
    members[name.member] = members.back();
    names_.at(members[name.member]).member = name.member;
    members.pop_back();
    if (members.empty()) groups_.erase(group);
  }
  names_.erase(at);
}

NameSearch::Step NameSearch::step(SteadyTime now) {
  Step step;
  take_turns(now);
  const bool may_ask = burst_answered_ * 100 >= burst_asked_ * limits_.burst_answered_percent ||
                       now >= burst_at_ + limits_.burst_interval;
  if (!may_ask || due_.empty() || due_.begin()->first > now) return step;

  ++burst_;
  burst_at_ = now;
  burst_answered_ = 0;
  while (!due_.empty() && due_.begin()->first <= now && step.ask.size() < limits_.burst_names_max) {
    const auto id = due_.begin()->second;
    auto& name = names_.at(id);
    unqueue(id, name);
    if (!name.group && name.attempts == kYoungIntervals.size()) {
      join(id, name, "", now);
      step.silent.push_back(id);
      continue;
    }
    name.burst = burst_;
    step.ask.push_back(id);
    if (!name.group) ask_at(id, name, now + kYoungIntervals[name.attempts++]);
  }
  burst_asked_ = static_cast<std::uint32_t>(step.ask.size());
  return step;
}

std::optional<SteadyTime> NameSearch::next_step() const {
  std::optional<SteadyTime> next;
  if (!due_.empty()) {
    const bool waits = burst_answered_ * 100 < burst_asked_ * limits_.burst_answered_percent;
    next = waits ? std::max(due_.begin()->first, burst_at_ + limits_.burst_interval)
                 : due_.begin()->first;
  }
  for (const auto& [name, group] : groups_) {
    const auto due = std::min(group.due, group.round_due);
    if (!next || due < *next) next = due;
  }
  return next;
}

void NameSearch::ask_at(SearchId id, Name& name, SteadyTime due) {
  name.due = due;
  due_.emplace(due, id);
}

void NameSearch::unqueue(SearchId id, Name& name) {
  if (!name.due) return;
  due_.erase({*name.due, id});
  name.due.reset();
}

/// Into `group`. Whoever joins makes the group's turns quick again: something has happened.
void NameSearch::join(SearchId id, Name& name, const std::string& group_name, SteadyTime now) {
  auto& group = groups_[group_name];
  if (group.members.empty()) group.round_due = now + limits_.round_interval;
  if (group.interval != limits_.group_interval || group.members.empty()) {
    group.interval = limits_.group_interval;
    group.due = now + group.interval;
  }
  group.asked = 0;
  name.group = group_name;
  name.member = group.members.size();
  group.members.push_back(id);
}

void NameSearch::ask_all_of(Group& group, SteadyTime now) {
  // Each of those that answer to a round would start another.
  if (group.round_at && now < *group.round_at + limits_.round_interval_min) return;
  group.round_at = now;
  group.round_due = now + limits_.round_interval;
  for (const auto id : group.members) {
    auto& name = names_.at(id);
    if (!name.due) ask_at(id, name, now);
  }
}

void NameSearch::take_turns(SteadyTime now) {
  for (auto& [key, group] : groups_) {
    if (group.round_due <= now) ask_all_of(group, now);
    if (group.due > now) continue;
    const auto count = std::min<std::size_t>(limits_.group_names, group.members.size());
    for (std::size_t i = 0; i < count; ++i) {
      group.turn = (group.turn + 1) % group.members.size();
      const auto id = group.members[group.turn];
      auto& name = names_.at(id);
      if (!name.due) ask_at(id, name, now);
    }
    if (++group.asked % kTurnsPerInterval == 0) {
      group.interval = std::min(group.interval * 2, limits_.group_interval_max);
    }
    group.due = now + group.interval;
  }
}

}  // namespace tidemark::epics
