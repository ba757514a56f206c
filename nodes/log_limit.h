// nodes/log_limit.h
//
// How much of what a program says becomes a record. Messages that are alike, but for their
// numbers, are let through ten times a second; the rest of that second is counted, and said in
// one message: "… 4711 more like it". spdlog's functions carry no call site, so the text without
// its digits stands for one. Pure: no clock, no thread.

#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/record.h"

namespace tidemark::nodes {

class LogLimit {
 public:
  static constexpr std::uint32_t kAlikeMax = 10;  // let through, of those alike in a second
  static constexpr std::uint32_t kAllMax = 500;   // let through in a second, whatever they say
  static constexpr Duration kWindow = std::chrono::seconds(1);

  /// Whether to let it through.
  bool admit(model::Level level, std::string_view text, SteadyTime now);

  struct More {
    model::Level level{};
    std::string text;  // of the first that was not let through
    std::uint64_t count = 0;
  };
  /// What was not let through, of the seconds that are over; `all`: of the present one, too.
  std::vector<More> more(SteadyTime now, bool all = false);
  bool has_more() const;

 private:
  struct Alike {
    SteadyTime began{};
    std::uint32_t passed = 0;
    More more;
  };
  std::map<std::string, Alike> alike_;  // by shape; only those of the present second, or with more
  SteadyTime began_{};
  std::uint32_t passed_ = 0;
};

}  // namespace tidemark::nodes
