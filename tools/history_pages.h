// tools/history_pages.h
//
// A history of any length, read page by page, so that neither the journal nor the command has to
// hold all of it. The line of the last sample is all there is to remember; by the source's time, its
// time and line.

#pragma once

#include <cstdint>
#include <functional>

#include "base/result.h"
#include "model/api/past.h"
#include "tools/context.h"

namespace tidemark::tools {

class HistoryPages {
 public:
  /// `to` must be a line, or a time that has passed: what is written meanwhile is not read. The
  /// limit is not looked at.
  HistoryPages(const Context& context, Client& client, model::api::HistoryQuery query)
      : context_(context), client_(client), query_(std::move(query)) {}

  /// Hands over the samples of one page, at most `limit`. Answers whether there are more.
  /// Errors: as journal.history; kCorruption.
  Result<bool> read(
      std::uint64_t limit,
      const std::function<void(const model::PvUpdate&, std::uint64_t line)>& hand_over);

  std::uint64_t handed_over() const { return handed_over_; }
  /// Of the last page.
  const std::vector<model::Expired>& expired() const { return expired_; }
  const std::vector<model::api::Decimated>& decimated() const { return decimated_; }

 private:
  static constexpr std::uint64_t kSamplesMin = 64;  // of the largest waveforms, some 32 MiB
  static constexpr std::uint64_t kSamplesMax = 200'000;
  static constexpr std::uint64_t kBytes = 16u << 20;  // of a page, about

  const Context& context_;
  Client& client_;
  model::api::HistoryQuery query_;
  std::uint64_t samples_ = kSamplesMin;  // of the next page
  std::uint64_t last_ = 0;               // line
  std::uint64_t handed_over_ = 0;
  std::vector<model::Expired> expired_;
  std::vector<model::api::Decimated> decimated_;
};

}  // namespace tidemark::tools
