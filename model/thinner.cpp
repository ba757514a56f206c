#include "model/thinner.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "model/saturating.h"

namespace tidemark::model {
namespace {

constexpr std::size_t kRowBytes = 23;  // channel, time, type, alarm and a double
constexpr std::size_t kConnectedBytes = 256;
constexpr double kPauseMax = 1e9;  // seconds: 30 years fit a Duration

Duration seconds(double number) {
  return std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(std::min(number, kPauseMax)));
}

bool is_scalar_number(const PvValue& value) {
  return as_number(value) && !std::holds_alternative<EnumIndex>(value);
}

/// NaN is near NaN only, an infinity near itself only.
bool near(double last, double number, const Thinning& policy) {
  if (last == number || (std::isnan(last) && std::isnan(number))) return true;
  if (!std::isfinite(last) || !std::isfinite(number)) return false;
  const double away = std::abs(number - last);
  return (policy.deadband_abs && away <= *policy.deadband_abs) ||
         (policy.deadband_rel && away <= *policy.deadband_rel * std::abs(last));
}

}  // namespace

std::size_t row_bytes(const PvUpdate& update) {
  if (update.event == PvUpdate::Event::kConnected) return kConnectedBytes;
  return kRowBytes + content_bytes(update.value);
}

bool ChannelThinner::must_keep(const PvUpdate& update) const {
  if (guard_) return false;
  if (!last_ || last_->type != update.value.index() || last_->alarm != update.alarm) return true;
  const auto* state = std::get_if<EnumIndex>(&update.value);
  return state != nullptr && last_->number != state->index;
}

bool ChannelThinner::within_deadband(const PvUpdate& update) const {
  if (!policy_.deadband_abs && !policy_.deadband_rel) return false;
  if (!last_ || last_->type != update.value.index() || last_->alarm != update.alarm) return false;
  return is_scalar_number(update.value) && near(last_->number, *as_number(update.value), policy_);
}

Duration ChannelThinner::pause_after(const PvUpdate& update) const {
  double pause = 0;
  const auto at_most = [&](double amount, double per_second) {
    if (per_second > 0) pause = std::max(pause, amount / per_second);
  };
  at_most(1, policy_.updates_per_s_max);
  if (std::holds_alternative<SharedArray>(update.value)) {
    at_most(static_cast<double>(row_bytes(update)), policy_.waveform_bytes_per_s_max);
  }
  if (guard_) {
    at_most(1, guard_->updates_per_s_max);
    at_most(static_cast<double>(row_bytes(update)), guard_->bytes_per_s_max);
  }
  return seconds(pause);
}

void ChannelThinner::hide_held() {
  if (!held_) return;
  hidden_ = add_saturating(hidden_, add_saturating(held_->hidden_before, 1));
  ++hidden_in_all_;
  held_.reset();
}

void ChannelThinner::keep(PvUpdate update, SteadyTime from, std::vector<PvUpdate>& kept) {
  update.hidden_before = add_saturating(update.hidden_before, std::exchange(hidden_, 0));
  if (update.event == PvUpdate::Event::kValue) {
    last_ = Kept{update.value.index(), update.alarm, as_number(update.value).value_or(0)};
    open_at_ = from + pause_after(update);
  } else {
    last_.reset();
  }
  kept.push_back(std::move(update));
}

void ChannelThinner::step(const PvUpdate& update, SteadyTime now, std::vector<PvUpdate>& kept) {
  if (update.event != PvUpdate::Event::kValue) {
    release(now, kept);
    hide_held();
    return keep(update, now, kept);
  }
  // What is due stays due, whatever takes its place: else a value that went and came back within
  // a pause would leave no trace until the next one.
  const bool was_due = held_ && held_is_due_;
  hide_held();
  const bool holds = policy_.off || (!was_due && within_deadband(update));
  if (!holds && (must_keep(update) || now >= open_at_)) return keep(update, now, kept);
  held_ = update;
  held_is_due_ = !holds;
}

std::optional<SteadyTime> ChannelThinner::due() const {
  if (!held_ || !held_is_due_) return std::nullopt;
  return open_at_;
}

void ChannelThinner::keep_held(SteadyTime now, std::vector<PvUpdate>& kept) {
  auto update = std::move(*held_);
  held_.reset();
  // From when it was due, so that a late timer does not make the rate smaller than it may be.
  keep(std::move(update), std::min(now, open_at_), kept);
}

void ChannelThinner::release(SteadyTime now, std::vector<PvUpdate>& kept) {
  if (due()) keep_held(now, kept);
}

void ChannelThinner::change(const Thinning& policy, std::optional<GuardBudget> guard,
                            SteadyTime now, std::vector<PvUpdate>& kept) {
  if (held_ && !policy.off) keep_held(now, kept);
  held_is_due_ = false;
  open_at_ = now;
  policy_ = policy;
  guard_ = guard;
}

ChannelThinner* Thinner::find(ChannelId channel) const {
  const auto number = raw(channel);
  return number < channels_.size() ? channels_[number].get() : nullptr;
}

template <class Act>
void Thinner::on(ChannelId channel, ChannelThinner& thinner, Act&& act) {
  const auto due = thinner.due();
  const auto hidden = thinner.hidden();
  act();
  hidden_ += thinner.hidden() - hidden;
  const auto due_now = thinner.due();
  if (due != due_now) {
    if (due) due_.erase({*due, channel});
    if (due_now) due_.emplace(*due_now, channel);
  }
  if (!thinner.idle()) return;
  channels_[raw(channel)].reset();
  --thinned_;
}

void Thinner::set(ChannelId channel, const Thinning& policy, std::optional<GuardBudget> guard,
                  SteadyTime now, std::vector<PvUpdate>& kept) {
  if (auto* thinner = find(channel)) {
    on(channel, *thinner, [&] { thinner->change(policy, guard, now, kept); });
  } else if (guard || policy != Thinning{}) {
    if (raw(channel) >= channels_.size()) channels_.resize(raw(channel) + 1);
    channels_[raw(channel)] = std::make_unique<ChannelThinner>(policy, guard);
    ++thinned_;
  }
}

std::optional<std::vector<PvUpdate>> Thinner::step(const std::vector<PvUpdate>& updates,
                                                   SteadyTime now) {
  if (thinned_ == 0) return std::nullopt;
  const auto first = std::find_if(updates.begin(), updates.end(),
                                  [&](const auto& update) { return thins(update.channel); });
  if (first == updates.end()) return std::nullopt;
  std::vector<PvUpdate> kept(updates.begin(), first);
  kept.reserve(updates.size());
  for (auto at = first; at != updates.end(); ++at) {
    if (auto* thinner = find(at->channel)) {
      on(at->channel, *thinner, [&] { thinner->step(*at, now, kept); });
    } else {
      kept.push_back(*at);
    }
  }
  return kept;
}

std::optional<SteadyTime> Thinner::next_due() const {
  if (due_.empty()) return std::nullopt;
  return due_.begin()->first;
}

std::vector<PvUpdate> Thinner::due(SteadyTime now) {
  std::vector<PvUpdate> kept;
  while (!due_.empty() && due_.begin()->first <= now) {
    const auto channel = due_.begin()->second;
    auto* thinner = find(channel);
    on(channel, *thinner, [&] { thinner->release(now, kept); });
  }
  return kept;
}

std::uint64_t Thinner::hidden(ChannelId channel) const {
  const auto* thinner = find(channel);
  return thinner == nullptr ? 0 : thinner->hidden();
}

}  // namespace tidemark::model
