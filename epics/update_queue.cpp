#include "epics/update_queue.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace tidemark::epics {
namespace {

constexpr std::size_t kReserveMax = 65'536;  // Growing further costs less than holding it.

bool is_value(const model::PvUpdate& update) {
  return update.event == model::PvUpdate::Event::kValue;
}

}  // namespace

UpdateQueue::UpdateQueue(std::size_t updates_max, std::function<void()> wake)
    : updates_max_(updates_max), wake_(std::move(wake)) {}

void UpdateQueue::push(const Tap& tap, model::PvUpdate update) {
  bool was_empty = false;
  {
    const std::lock_guard lock(mutex_);
    if (tap.closed_) return;
    ++pushed_;
    if (waiting_.size() >= updates_max_ && replace_newest(update)) return;
    was_empty = waiting_.empty();
    if (was_empty) waiting_.reserve(std::min(size_before_, kReserveMax));
    waiting_.push_back(std::move(update));
  }
  if (was_empty) wake_();
}

bool UpdateQueue::replace_newest(model::PvUpdate& update) {
  if (!indexed_) index_newest();
  if (!is_value(update)) {
    newest_.erase(model::raw(update.channel));
    return false;
  }
  const auto [at, added] = newest_.try_emplace(model::raw(update.channel), waiting_.size());
  if (added) return false;
  auto& hidden = waiting_[at->second];
  update.hidden_before += hidden.hidden_before + 1;
  hidden = std::move(update);
  ++hidden_;
  return true;
}

void UpdateQueue::index_newest() {
  indexed_ = true;
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    if (is_value(waiting_[i])) {
      newest_[model::raw(waiting_[i].channel)] = i;
    } else {
      newest_.erase(model::raw(waiting_[i].channel));
    }
  }
}

void UpdateQueue::close(const std::vector<Tap*>& taps,
                        const std::vector<model::ChannelId>& channels) {
  const std::unordered_set<model::ChannelId> gone(channels.begin(), channels.end());
  const std::lock_guard lock(mutex_);
  for (auto* tap : taps) tap->closed_ = true;
  std::erase_if(waiting_, [&](const auto& update) { return gone.contains(update.channel); });
  newest_.clear();
  indexed_ = false;
}

std::vector<model::PvUpdate> UpdateQueue::drain() {
  const std::lock_guard lock(mutex_);
  newest_.clear();
  indexed_ = false;
  size_before_ = waiting_.size();
  return std::exchange(waiting_, {});
}

std::uint64_t UpdateQueue::pushed() const {
  const std::lock_guard lock(mutex_);
  return pushed_;
}

std::uint64_t UpdateQueue::hidden() const {
  const std::lock_guard lock(mutex_);
  return hidden_;
}

}  // namespace tidemark::epics
