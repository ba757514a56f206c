#include "tools/history_pages.h"

#include "tools/past.h"

namespace tidemark::tools {

namespace api = model::api;

Result<bool> HistoryPages::read(std::uint64_t limit,
                                const model::HistoryPager::HandOver& hand_over) {
  Result<Unit> taken = Unit{};
  auto end = ask_in_parts<api::HistorySamples, api::HistoryEnd>(
      context_, client_, "journal.history", pager_.question(limit),
      [&](const api::HistorySamples& part) {
        if (taken) taken = pager_.take(part, hand_over);
      });
  if (!end) return end.error();
  if (!taken) return taken.error();
  end_ = std::move(end).value();
  return pager_.finish(end_);
}

}  // namespace tidemark::tools
