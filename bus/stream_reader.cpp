// bus/stream_reader.cpp
//
// Two marks are kept apart. seen_ is the last item that arrived or was reported lost: a jump over
// it is a Lost. applied_ is the last item that the state of our caller contains: a jump over it
// needs a repair. A fresh state moves applied_ ahead of seen_, and yet no loss goes unreported.

#include "bus/stream_reader.h"

#include <algorithm>
#include <utility>

namespace tidemark::bus {
namespace {

std::uint64_t last_of(const FrameHeader& header) {
  if (header.frame_class == FrameClass::kHeartbeat) return header.sequence;
  return header.sequence + header.count - 1;
}

/// The last item that must have been published before this frame.
std::uint64_t before(const FrameHeader& header) {
  return header.frame_class == FrameClass::kHeartbeat ? header.sequence : header.sequence - 1;
}

/// What was published before it is void.
bool is_jump(const Frame& frame) {
  return frame.header.frame_class == FrameClass::kReplayState && frame.payload.empty();
}

StreamReader::Apply apply_of(Frame frame) {
  return {std::move(frame.payload), frame.header.sequence, last_of(frame.header)};
}

}  // namespace

StreamReader::Actions StreamReader::on_frame(Frame frame, SteadyTime) {
  const auto& header = frame.header;
  Actions actions;
  if (phase_ == Phase::kJoining || header.incarnation > incarnation_) {
    incarnation_ = header.incarnation;
    applied_ = 0;
    seen_ = needed_ = before(header);
    drop_buffer();
    retry_ = Duration{0};
    ask(actions);
  } else if (header.incarnation < incarnation_) {
    ++counters_.stale;
    return actions;
  }

  if (before(header) > seen_) {
    const bool has_it = phase_ == Phase::kLive && before(header) <= applied_;
    if (phase_ == Phase::kLive && !has_it) {
      if (applied_ > seen_) lose(seen_ + 1, applied_, actions);
      phase_ = Phase::kRepairing;
      hole_from_ = std::max(seen_, applied_) + 1;
      hole_to_ = before(header);
      ++counters_.gaps;
      actions.emplace_back(AskAgain{incarnation_, hole_from_, hole_to_});
    } else {
      // A second hole while the first is open: the whole state fills both.
      if (phase_ == Phase::kRepairing) give_up_repair(actions);
      lose(seen_ + 1, before(header), actions);
    }
  }
  const bool is_heartbeat = header.frame_class == FrameClass::kHeartbeat;
  const bool is_new = last_of(header) > seen_;
  seen_ = std::max(seen_, last_of(header));

  if (is_heartbeat) return actions;
  if (phase_ == Phase::kLive) {
    if (last_of(header) <= applied_) {
      ++counters_.duplicates;
      return actions;
    }
    if (is_jump(frame)) {
      jump(last_of(header), actions);
      return actions;
    }
    // Items that we have may be in it again: a state takes them twice without harm.
    applied_ = last_of(header);
    actions.emplace_back(apply_of(std::move(frame)));
    return actions;
  }
  if (!is_new) {
    ++counters_.duplicates;
    return actions;
  }
  if (is_jump(frame)) {
    jump(last_of(header), actions);
  } else {
    keep(std::move(frame), actions);
  }
  return actions;
}

StreamReader::Actions StreamReader::on_again(std::uint64_t from, std::vector<Frame> frames) {
  Actions actions;
  if (phase_ != Phase::kRepairing || from != hole_from_) return actions;
  std::uint64_t due = hole_from_;
  for (const auto& frame : frames) {
    const auto& header = frame.header;
    const bool fits = header.incarnation == incarnation_ && header.sequence <= due &&
                      header.frame_class != FrameClass::kHeartbeat && last_of(header) >= due;
    if (!fits) break;
    due = last_of(header) + 1;
  }
  if (due <= hole_to_) {
    give_up_repair(actions);
    return actions;
  }
  phase_ = Phase::kLive;
  ++counters_.repaired;
  const auto last_jump = std::find_if(frames.rbegin(), frames.rend(), is_jump);
  if (last_jump != frames.rend()) {
    // What was kept since the hole follows it, and so does what came again after the jump.
    auto kept = std::exchange(buffer_, {});
    jump(last_of(last_jump->header), actions);
    for (auto frame = last_jump.base(); frame != frames.end(); ++frame) {
      keep(std::move(*frame), actions);
    }
    for (auto& frame : kept) keep(std::move(frame), actions);
    return actions;
  }
  for (auto& frame : frames) {
    applied_ = last_of(frame.header);
    actions.emplace_back(apply_of(std::move(frame)));
  }
  apply_buffer(actions);
  return actions;
}

StreamReader::Actions StreamReader::on_again_failed(std::uint64_t from) {
  Actions actions;
  if (phase_ == Phase::kRepairing && from == hole_from_) give_up_repair(actions);
  return actions;
}

void StreamReader::give_up_repair(Actions& actions) {
  counters_.items_lost += hole_to_ - hole_from_ + 1;
  actions.emplace_back(Lost{incarnation_, hole_from_, hole_to_});
  // What was kept since then follows the hole, and the state may lie before some of it.
  needed_ = hole_to_;
  ask(actions);
}

void StreamReader::jump(std::uint64_t item, Actions& actions) {
  if (phase_ == Phase::kRepairing) give_up_repair(actions);
  if (phase_ == Phase::kLive) ask(actions);
  needed_ = std::max(needed_, item);
  drop_buffer();
}

void StreamReader::apply_buffer(Actions& actions) {
  for (auto& frame : buffer_) {
    if (last_of(frame.header) <= applied_) continue;
    applied_ = last_of(frame.header);
    actions.emplace_back(apply_of(std::move(frame)));
  }
  drop_buffer();
}

StreamReader::Actions StreamReader::on_state(Incarnation incarnation, std::uint64_t sequence,
                                             std::vector<Bytes> parts, SteadyTime now) {
  Actions actions;
  if (outstanding_ > 0) --outstanding_;
  if (phase_ != Phase::kAsked && phase_ != Phase::kWaiting) return actions;
  if (incarnation != incarnation_ || sequence < needed_) {
    if (phase_ == Phase::kAsked && outstanding_ == 0) wait(now);
    return actions;
  }

  phase_ = Phase::kLive;
  retry_ = Duration{0};
  ++counters_.states;
  applied_ = sequence;
  actions.emplace_back(Whole{std::move(parts)});
  apply_buffer(actions);
  return actions;
}

StreamReader::Actions StreamReader::on_state_failed(SteadyTime now) {
  if (outstanding_ > 0) --outstanding_;
  // With another one under way, this was the one to an incarnation that ended.
  if (phase_ == Phase::kAsked && outstanding_ == 0) wait(now);
  return {};
}

StreamReader::Actions StreamReader::on_unreadable(std::uint64_t from, std::uint64_t to,
                                                  SteadyTime now) {
  Actions actions;
  ++counters_.gaps;
  counters_.items_lost += to - from + 1;
  actions.emplace_back(Lost{incarnation_, from, to});
  needed_ = std::max(needed_, to);
  if (phase_ != Phase::kLive) return actions;
  phase_ = Phase::kWaiting;
  retry_at_ = now + limits_.unreadable_pause;
  return actions;
}

StreamReader::Actions StreamReader::on_tick(SteadyTime now) {
  Actions actions;
  if (phase_ == Phase::kWaiting && now >= retry_at_) ask(actions);
  return actions;
}

void StreamReader::ask(Actions& actions) {
  phase_ = Phase::kAsked;
  ++outstanding_;
  actions.emplace_back(AskState{incarnation_});
}

void StreamReader::wait(SteadyTime now) {
  phase_ = Phase::kWaiting;
  retry_ = std::clamp(retry_ * 2, limits_.retry_min, limits_.retry_max);
  retry_at_ = now + retry_;
}

void StreamReader::lose(std::uint64_t from, std::uint64_t to, Actions& actions) {
  ++counters_.gaps;
  counters_.items_lost += to - from + 1;
  actions.emplace_back(Lost{incarnation_, from, to});
  if (phase_ == Phase::kLive) return;
  // What was kept from before the hole is in every state that covers the hole.
  needed_ = std::max(needed_, to);
  drop_buffer();
}

void StreamReader::keep(Frame frame, Actions& actions) {
  if (buffer_bytes_ + frame.payload.size() > limits_.buffer_bytes_max) {
    if (phase_ == Phase::kRepairing) give_up_repair(actions);
    const auto from = buffer_.empty() ? frame.header.sequence : buffer_.front().header.sequence;
    lose(from, last_of(frame.header), actions);
    return;
  }
  buffer_bytes_ += frame.payload.size();
  buffer_.push_back(std::move(frame));
}

void StreamReader::drop_buffer() {
  buffer_.clear();
  buffer_bytes_ = 0;
}

}  // namespace tidemark::bus
