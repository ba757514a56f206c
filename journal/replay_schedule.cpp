#include "journal/replay_schedule.h"

#include <algorithm>

namespace tidemark::journal {

UtcTime ReplaySchedule::moment(SteadyTime now) const {
  if (!timed() || since_ == SteadyTime{}) return moment_;
  const auto passed = std::chrono::duration<double>(now - since_).count() * speed_;
  return moment_ + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(passed));
}

void ReplaySchedule::settle(SteadyTime now) {
  moment_ = moment(now);
  since_ = now;
}

void ReplaySchedule::end_step() {
  items_ = 0;
  blocks_ = 0;
  block_.reset();
  through_.reset();
}

void ReplaySchedule::pause(SteadyTime now) {
  settle(now);
  end_step();
  paused_ = true;
}

void ReplaySchedule::resume(SteadyTime now) {
  settle(now);
  end_step();
  paused_ = false;
}

void ReplaySchedule::set_speed(double speed, SteadyTime now) {
  settle(now);
  speed_ = speed;
}

void ReplaySchedule::step_items(std::uint32_t count, SteadyTime now) {
  pause(now);
  items_ = count;
}

void ReplaySchedule::step_blocks(std::uint32_t count, SteadyTime now) {
  pause(now);
  blocks_ = count;
}

void ReplaySchedule::step_time(Duration time, SteadyTime now) {
  pause(now);
  moment_ += time;
  through_ = moment_;
}

void ReplaySchedule::jump(UtcTime moment, SteadyTime now) {
  end_step();
  moment_ = moment;
  since_ = now;
}

std::uint32_t ReplaySchedule::due(const Piece& next, SteadyTime now) {
  if (moment_ == UtcTime{}) moment_ = next.recorded_at;
  if (!paused_) {
    if (since_ == SteadyTime{}) since_ = now;
    const bool is_due = speed_ == kAsFastAsItGoes || next.recorded_at <= moment(now);
    return is_due ? next.count : 0;
  }
  if (through_) return next.recorded_at <= *through_ ? next.count : 0;
  if (blocks_ > 0) {
    if (block_ && *block_ != next.block) {
      block_.reset();
      --blocks_;
    }
    return blocks_ > 0 ? next.count : 0;
  }
  return std::min(items_, next.count);
}

void ReplaySchedule::sent(const Piece& piece, std::uint32_t count, SteadyTime now) {
  items_ -= std::min(items_, count);
  if (blocks_ > 0) block_ = piece.block;
  // A clock that runs is ahead of what it made due; else the last piece sets it.
  if (!timed() && !through_) {
    moment_ = std::max(moment_, piece.recorded_at);
    since_ = now;
  }
}

void ReplaySchedule::hold(const Piece& next, SteadyTime now) {
  if (!timed()) return;
  moment_ = std::min(moment(now), std::max(moment_, next.recorded_at));
  since_ = now;
}

std::optional<SteadyTime> ReplaySchedule::due_at(const Piece& next, SteadyTime now) const {
  if (!timed() || since_ == SteadyTime{}) return std::nullopt;
  const auto left = std::chrono::duration<double>(next.recorded_at - moment(now)).count() / speed_;
  constexpr double kFar = 3600;  // seconds: then look again
  return now + std::chrono::duration_cast<Duration>(
                   std::chrono::duration<double>(std::clamp(left, 0.0, kFar)));
}

}  // namespace tidemark::journal
