#include "model/history_pager.h"

#include <algorithm>

namespace tidemark::model {

const api::HistoryQuery& HistoryPager::question(std::uint64_t limit) {
  repeats_ = !query_.lateness && last_ != 0;
  query_.limit = std::min(limit, samples_) + (repeats_ ? 1 : 0);
  if (repeats_) query_.from = {last_, std::nullopt};
  before_ = handed_over_;
  bytes_ = 0;
  return query_;
}

Result<Unit> HistoryPager::take(const api::HistorySamples& part, const HandOver& hand_over) {
  const auto updates = decode_updates(part.updates.bytes);
  if (!updates) return updates.error();
  if (updates.value().size() != part.lines.size()) {
    return Error{Code::kCorruption, "journal.history: a part has not a line for each sample"};
  }
  bytes_ += part.updates.bytes.size();
  for (std::size_t i = 0; i < part.lines.size(); ++i) {
    if (repeats_ && part.lines[i] <= last_) continue;
    hand_over(updates.value()[i], part.lines[i]);
    last_ = part.lines[i];
    ++handed_over_;
  }
  return Unit{};
}

bool HistoryPager::finish(const api::HistoryEnd& end) {
  const auto more = handed_over_ - before_;
  if (more > 0) samples_ = std::clamp(kBytes / (bytes_ / more + 1), kSamplesMin, kSamplesMax);
  if (!query_.lateness) return end.cut && more > 0;
  query_.after = end.next;
  return end.cut && query_.after.has_value();
}

}  // namespace tidemark::model
