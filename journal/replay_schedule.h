// journal/replay_schedule.h
//
// When a replay says what: its clock, which runs through recorded time at some speed, stands still,
// or is set; and the steps of a replay that is paused. A function of commands, of what comes next,
// and of time: it reads nothing and sends nothing.
//
//   commands ──► schedule ◄── the next piece, now      "so many of its items may go out"
//
// Threads: one.

#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"
#include "journal/store.h"

namespace tidemark::journal {

class ReplaySchedule {
 public:
  static constexpr double kAsFastAsItGoes = 0;

  /// What comes next: `count` items, recorded together in the block that begins with `block`.
  struct Piece {
    Line block{};
    std::uint32_t count = 0;
    UtcTime recorded_at{};
  };

  /// The clock begins at `moment`; at that of the first piece when it is the epoch.
  ReplaySchedule(UtcTime moment, double speed, bool paused)
      : moment_(moment), speed_(speed), paused_(paused) {}

  void pause(SteadyTime now);
  void resume(SteadyTime now);
  void set_speed(double speed, SteadyTime now);
  // Each pauses, and lets so much go out.
  void step_items(std::uint32_t count, SteadyTime now);
  void step_blocks(std::uint32_t count, SteadyTime now);
  void step_time(Duration time, SteadyTime now);
  /// The clock is set; a step that was under way is over.
  void jump(UtcTime moment, SteadyTime now);

  /// How many items of the piece may go out now.
  std::uint32_t due(const Piece& next, SteadyTime now);
  /// So many of them went out.
  void sent(const Piece& piece, std::uint32_t count, SteadyTime now);
  /// What was due could not go out: the clock waits for it, and does not hurry afterwards.
  void hold(const Piece& next, SteadyTime now);

  /// When something of the piece will be due; empty: not by itself.
  std::optional<SteadyTime> due_at(const Piece& next, SteadyTime now) const;

  /// The clock.
  UtcTime moment(SteadyTime now) const;
  bool paused() const { return paused_; }
  double speed() const { return speed_; }

 private:
  /// Makes `moment_` what it is at `now`.
  void settle(SteadyTime now);
  void end_step();
  bool timed() const { return !paused_ && speed_ != kAsFastAsItGoes; }

  UtcTime moment_;      // the clock at `since_`
  SteadyTime since_{};  // epoch: it has not begun to run
  double speed_;
  bool paused_;
  // The step under way.
  std::uint32_t items_ = 0;
  std::uint32_t blocks_ = 0;        // begun or to begin
  std::optional<Line> block_;       // the one begun
  std::optional<UtcTime> through_;  // all that was recorded at or before it
};

}  // namespace tidemark::journal
