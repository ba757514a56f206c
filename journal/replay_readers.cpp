#include "journal/replay_readers.h"

#include <algorithm>
#include <limits>

namespace tidemark::journal {

Result<Unit> ReplayReaders::acknowledge(const Uuid& reader, Positions taken, SteadyTime now) {
  const auto known = readers_.find(reader);
  if (known == readers_.end() && readers_.size() >= window_.readers_max) {
    return Error{Code::kUnavailable,
                 std::to_string(window_.readers_max) + " readers acknowledge this replay already"};
  }
  auto& entry = readers_[reader];
  for (std::size_t i = 0; i < taken.size(); ++i) {
    entry.taken[i] = std::max(entry.taken[i], taken[i]);  // an older call may come later
  }
  entry.heard_at = now;
  forget_taken();
  return Unit{};
}

void ReplayReaders::leave(const Uuid& reader) {
  readers_.erase(reader);
  forget_taken();
}

void ReplayReaders::forget_silent(SteadyTime now) {
  std::erase_if(readers_,
                [&](const auto& each) { return now - each.second.heard_at > window_.silence_max; });
  forget_taken();
}

void ReplayReaders::published(Stream stream, std::uint64_t last, std::size_t bytes) {
  if (readers_.empty()) return;
  open_[stream].push_back({last, bytes});
  open_bytes_ += bytes;
}

void ReplayReaders::forget_taken() {
  for (std::size_t i = 0; i < open_.size(); ++i) {
    auto slowest = std::numeric_limits<std::uint64_t>::max();
    for (const auto& [id, reader] : readers_) slowest = std::min(slowest, reader.taken[i]);
    while (!open_[i].empty() && open_[i].front().last <= slowest) {
      open_bytes_ -= open_[i].front().bytes;
      open_[i].pop_front();
    }
  }
}

bool ReplayReaders::room() const {
  return readers_.empty() || (open_bytes_ < window_.bytes_max &&
                              open_[kItems].size() + open_[kNews].size() < window_.frames_max);
}

}  // namespace tidemark::journal
