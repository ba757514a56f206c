// test/support/actor_test.h
//
// Actors without threads and without waiting. Messages run when the test says, time passes when
// the test says (steady_now() too: see test/actors/steady_clock.cpp), so a failure is the same
// on the next run.

#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/detail/test_actor_clock.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/send.hpp>
#include <memory>
#include <optional>
#include <vector>

#include "base/time.h"

namespace tidemark::test {

/// What steady_now() answers. Not near 0: code may take that for "never".
inline SteadyTime steady_time{std::chrono::hours(1)};

/// What came back from ask(): nothing yet, a value, or an error.
template <class T>
struct Answer {
  std::optional<T> value;
  std::optional<caf::error> error;
  bool pending() const { return !value && !error; }
};

class ActorTest : public ::testing::Test {
 protected:
  ActorTest() { system_.await_actors_before_shutdown(false); }
  void TearDown() override { end_actors(); }

  /// An actor that ends with the test.
  template <class F, class... Ts>
  auto spawn(F actor, Ts&&... arguments) {
    auto handle = system_.spawn(actor, std::forward<Ts>(arguments)...);
    spawned_.push_back(caf::actor_cast<caf::strong_actor_ptr>(handle));
    return handle;
  }

  /// Runs every message that is ready now. No time passes.
  void settle() {
    while (scheduler_.try_run_once()) {
    }
  }

  /// Lets `duration` pass, timer by timer, and settles after each.
  void pass(Duration duration) {
    auto& clock = scheduler_.clock();
    settle();
    const auto end = clock.now() + duration;
    while (!clock.schedule().empty() && clock.schedule().begin()->first <= end) {
      advance_to(clock.schedule().begin()->first);
    }
    advance_to(end);
  }

  /// Sends a request from a throw-away actor. The answer comes with settle().
  template <class T, class Handle, class... Ts>
  std::shared_ptr<const Answer<T>> ask(const Handle& whom, const Ts&... message) {
    auto answer = std::make_shared<Answer<T>>();
    system_.spawn([=](caf::event_based_actor* self) {
      self->request(whom, caf::infinite, message...)
          .then([answer](const T& value) { answer->value = value; },
                [answer](const caf::error& error) { answer->error = error; });
    });
    return answer;
  }

  /// Ends all that spawn() made, while the fixture's members are still there.
  void end_actors() {
    for (const auto& each : spawned_) {
      caf::anon_send_exit(each, caf::exit_reason::kill);
    }
    spawned_.clear();
    settle();
    while (scheduler_.trigger_timeout()) settle();
  }

 private:
  static caf::actor_system_config& manual(caf::actor_system_config& config) {
    config.set("scheduler.policy", caf::atom("testing"));
    config.set("logger.verbosity", caf::atom("quiet"));
    return config;
  }

  void advance_to(SteadyTime time) {
    const auto step = std::max(Duration{0}, Duration{time - scheduler_.clock().now()});
    steady_time += step;
    scheduler_.advance_time(step);
    settle();
  }

  caf::actor_system_config config_;

 protected:
  caf::actor_system system_{manual(config_)};
  caf::scheduler::test_coordinator& scheduler_ =
      dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());

 private:
  std::vector<caf::strong_actor_ptr> spawned_;
};

}  // namespace tidemark::test
