// tools/history_pages.h
//
// A history of any length, asked for and read page by page.

#pragma once

#include <cstdint>
#include <functional>

#include "base/result.h"
#include "model/history_pager.h"
#include "tools/context.h"

namespace tidemark::tools {

class HistoryPages {
 public:
  /// `query`: as HistoryPager wants it.
  HistoryPages(const Context& context, Client& client, model::api::HistoryQuery query)
      : context_(context), client_(client), pager_(std::move(query)) {}

  /// Hands over the samples of one page, at most `limit`. Answers whether there are more.
  /// Errors: as journal.history; kCorruption.
  Result<bool> read(std::uint64_t limit, const model::HistoryPager::HandOver& hand_over);

  std::uint64_t handed_over() const { return pager_.handed_over(); }
  /// Of the last page.
  const std::vector<model::Expired>& expired() const { return end_.expired; }
  const std::vector<model::api::Decimated>& decimated() const { return end_.decimated; }

 private:
  const Context& context_;
  Client& client_;
  model::HistoryPager pager_;
  model::api::HistoryEnd end_;
};

}  // namespace tidemark::tools
