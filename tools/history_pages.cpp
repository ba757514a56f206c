#include "tools/history_pages.h"

#include <algorithm>

#include "tools/past.h"

namespace tidemark::tools {

namespace api = model::api;

Result<bool> HistoryPages::read(
    std::uint64_t limit,
    const std::function<void(const model::PvUpdate&, std::uint64_t line)>& hand_over) {
  // By lines, all but the first page begin with the last sample of the one before.
  const bool repeats = !query_.lateness && last_ != 0;
  query_.limit = std::min(limit, samples_) + (repeats ? 1 : 0);
  const auto before = handed_over_;
  std::size_t bytes = 0;
  Result<Unit> decoded = Unit{};
  const auto take = [&](const api::HistorySamples& part) {
    const auto updates = model::decode_updates(part.updates.bytes);
    if (!updates) decoded = updates.error();
    if (!updates) return;
    bytes += part.updates.bytes.size();
    for (std::size_t i = 0; i < updates.value().size() && i < part.lines.size(); ++i) {
      if (repeats && part.lines[i] <= last_) continue;
      hand_over(updates.value()[i], part.lines[i]);
      last_ = part.lines[i];
      ++handed_over_;
    }
  };
  const auto end = ask_in_parts<api::HistorySamples, api::HistoryEnd>(
      context_, client_, "journal.history", query_, take);
  if (!end) return end.error();
  if (!decoded) return decoded.error();
  expired_ = end.value().expired;
  decimated_ = end.value().decimated;
  const auto more = handed_over_ - before;
  if (more > 0) samples_ = std::clamp(kBytes / (bytes / more + 1), kSamplesMin, kSamplesMax);
  if (query_.lateness) {
    query_.after = end.value().next;
    return end.value().cut && query_.after.has_value();
  }
  query_.from = {last_, std::nullopt};
  return end.value().cut && more > 0;
}

}  // namespace tidemark::tools
