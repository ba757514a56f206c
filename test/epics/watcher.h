// test/epics/watcher.h
//
// Drains a Client until something is true, and keeps what came.

#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "epics/client.h"

namespace tidemark::test {

/// Wakes whoever waits. Shared, because a client may call it until it is gone.
class Bell {
 public:
  void ring() {
    {
      const std::lock_guard lock(mutex_);
      rung_ = true;
    }
    condition_.notify_all();
  }
  bool wait_until(SteadyTime deadline) {
    std::unique_lock lock(mutex_);
    const bool rung = condition_.wait_until(lock, deadline, [this] { return rung_; });
    rung_ = false;
    return rung;
  }

 private:
  std::mutex mutex_;
  std::condition_variable condition_;
  bool rung_ = false;
};

class Watcher {
 public:
  static constexpr auto kPatience = std::chrono::seconds(30);  // A loaded machine starts slowly.

  Watcher(epics::Client& client, Bell& bell) : client_(client), bell_(bell) {}

  /// Drains until `done()`; false when that did not come true.
  bool until(const std::function<bool()>& done) {
    const auto deadline = steady_now() + kPatience;
    for (;;) {
      for (auto& update : client_.drain()) {
        const auto id = update.channel;
        if (update.event == model::PvUpdate::Event::kValue) last_[id] = update.value;
        of_[id].push_back(std::move(update));
      }
      if (done()) return true;
      if (steady_now() > deadline) return false;
      bell_.wait_until(std::min(deadline, steady_now() + std::chrono::milliseconds(100)));
    }
  }

  /// The updates of one channel so far.
  std::vector<model::PvUpdate>& of(model::ChannelId id) { return of_[id]; }
  const model::PvValue& last(model::ChannelId id) { return last_[id]; }
  std::size_t count(model::ChannelId id, model::PvUpdate::Event event) {
    std::size_t n = 0;
    for (const auto& update : of_[id]) n += update.event == event ? 1 : 0;
    return n;
  }
  void forget() { of_.clear(), last_.clear(); }

  /// Puts and waits for all outcomes, in the order they came.
  std::vector<epics::PutOutcome> put(std::vector<epics::Put> puts,
                                     Duration timeout = std::chrono::seconds(20)) {
    struct State {
      std::mutex mutex;
      std::vector<epics::PutOutcome> outcomes;
    };
    const auto state = std::make_shared<State>();
    const auto count = puts.size();
    client_.put(std::move(puts), timeout, [state, this](auto outcomes) {
      {
        const std::lock_guard lock(state->mutex);
        for (auto& each : outcomes) state->outcomes.push_back(std::move(each));
      }
      bell_.ring();
    });
    until([&] {
      const std::lock_guard lock(state->mutex);
      return state->outcomes.size() >= count;
    });
    const std::lock_guard lock(state->mutex);
    return state->outcomes;
  }

  std::vector<epics::ReadOutcome> read(std::vector<model::ChannelId> ids,
                                       Duration timeout = std::chrono::seconds(20)) {
    struct State {
      std::mutex mutex;
      bool done = false;
      std::vector<epics::ReadOutcome> outcomes;
    };
    const auto state = std::make_shared<State>();
    client_.read(std::move(ids), timeout, [state, this](auto outcomes) {
      {
        const std::lock_guard lock(state->mutex);
        state->outcomes = std::move(outcomes);
        state->done = true;
      }
      bell_.ring();
    });
    until([&] {
      const std::lock_guard lock(state->mutex);
      return state->done;
    });
    const std::lock_guard lock(state->mutex);
    return state->outcomes;
  }

 private:
  epics::Client& client_;
  Bell& bell_;
  std::map<model::ChannelId, std::vector<model::PvUpdate>> of_;
  std::map<model::ChannelId, model::PvValue> last_;
};

}  // namespace tidemark::test
