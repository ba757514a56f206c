// tidemark/replay.h
//
// The past of the machine, played again: what PVs were, and what was recorded, in the order of
// then. It can only be read: nothing that writes takes it.
//
//   auto past = site.replay({.from = {.mark = "shot 12"}, .to = {.mark = "shot 12.end"}});
//   while (!past.value()->at_end()) {
//     const auto next = past.value()->next(std::chrono::seconds(1));
//     for (const auto& pv : next.value().values) …
//   }
//
// Threads: one calls next(); any may steer. It waits for who reads it, and ends with the object.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"
#include "model/pv.h"

namespace tidemark {

namespace subsystem {
class Session;
}

/// A line of the journal, a time, or a mark's name ("shot 12", "shot 12.end"); none of them: now.
struct When {
  std::uint64_t line = 0;
  std::optional<UtcTime> time{};
  std::string mark{};
};

struct ReplayWish {
  When from{};
  When to{};
  std::vector<std::string> patterns{};  // "QUAD:*"; empty: every PV
  double speed = 1;                     // of recorded time, 0.1 to 1000; 0: as fast as it goes
  bool paused = false;
  bool records = true;  // what else was recorded, too
};

/// A PV as it was. Not connected: the value is the last one before.
struct PastValue {
  std::string address;
  model::PvValue value;
  model::Alarm alarm;
  UtcTime taken_at{};  // the IOC's clock
  bool connected = false;
  std::string units;
  std::vector<std::string> labels;  // of an enum
  bool first = false;               // of the whole state: how it was at the begin, or after a seek
  std::uint64_t line = 0;           // that says so; 0: none, or in a replay
};

/// Something else that was recorded: a message, a mark, a job.
struct PastLine {
  std::uint64_t line = 0;
  UtcTime recorded_at{};
  std::string origin;
  std::string kind;  // "LogMessage", "MarkBegin", …
  std::string subject;
  std::string text;
};

struct Past {
  std::vector<PastValue> values;
  std::vector<PastLine> lines;
};

class Replay {
 public:
  ~Replay();
  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;

  /// What comes next, waiting for it at most `patience`; nothing, when nothing came.
  /// Errors: kUnavailable  it is over: somebody stopped it, or the journal is away.
  ///         kRefused      in a callback.
  Result<Past> next(Duration patience);
  /// All of its range has been given by next(), unless somebody moves it.
  bool at_end() const;
  /// Its clock, and the line that it is at, as next() gave them last.
  UtcTime moment() const;
  std::uint64_t line() const;
  /// Others may look on: `tidemark pv watch --replay`.
  const Uuid& id() const;

  Result<Unit> pause();
  Result<Unit> resume();
  Result<Unit> set_speed(double speed);
  // Each pauses it, and lets it go on so far.
  Result<Unit> step_lines(std::uint32_t count = 1);
  Result<Unit> step_time(Duration time);
  /// The state of then comes next.
  Result<Unit> seek(const When& at);

 private:
  friend class Client;
  class State;
  explicit Replay(std::unique_ptr<State> state);
  static Result<std::unique_ptr<Replay>> start(const std::shared_ptr<subsystem::Session>& session,
                                               const ReplayWish& wish);

  const std::unique_ptr<State> state_;
};

}  // namespace tidemark
