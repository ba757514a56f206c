// model/history_pager.h
//
// A history of any length page by page, so that neither the journal nor who asks has to hold all of
// it: what to ask next, from what came. A page has about as many bytes, whatever its samples weigh.
//
//   question() ──► journal.history ──► take() of each part ──► finish() of the end

#pragma once

#include <cstdint>
#include <functional>
#include <limits>

#include "base/result.h"
#include "model/api/past.h"
#include "model/pv_update.h"

namespace tidemark::model {

class HistoryPager {
 public:
  using HandOver = std::function<void(const PvUpdate&, std::uint64_t line)>;

  /// `to` must be a line, or a time that has passed: what is written meanwhile is not read. The
  /// limit is not looked at.
  explicit HistoryPager(api::HistoryQuery query) : query_(std::move(query)) {}

  /// The next page, of at most `limit` samples.
  const api::HistoryQuery& question(
      std::uint64_t limit = std::numeric_limits<std::uint64_t>::max());
  /// Hands over the samples that are new. Errors: kCorruption  it cannot be read.
  Result<Unit> take(const api::HistorySamples& part, const HandOver& hand_over);
  /// Of the page; true when there is another one.
  bool finish(const api::HistoryEnd& end);

  std::uint64_t handed_over() const { return handed_over_; }

 private:
  static constexpr std::uint64_t kSamplesMin = 64;  // of the largest waveforms, some 32 MiB
  static constexpr std::uint64_t kSamplesMax = 200'000;
  static constexpr std::uint64_t kBytes = 16u << 20;  // of a page, about

  api::HistoryQuery query_;
  std::uint64_t samples_ = kSamplesMin;  // of the next page
  std::uint64_t last_ = 0;               // line
  std::uint64_t handed_over_ = 0;
  // Of this page. By lines, all but the first begin with the last sample of the one before.
  bool repeats_ = false;
  std::uint64_t before_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace tidemark::model
