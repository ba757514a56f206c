// journal/text_pattern.h
//
// A regular expression from outside, compiled once. RE2: its time is linear in the text whatever
// the pattern is, and its memory has a bound; std::regex needs exponential time for some patterns,
// and its stack for long texts. Backreferences are what that costs.
//
// Threads: any; copies share it.

#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"

namespace re2 {
class RE2;
}

namespace tidemark::journal {

class TextPattern {
 public:
  static constexpr std::size_t kBytesMax = 1024;       // of the pattern
  static constexpr std::int64_t kMemoryMax = 1 << 20;  // bytes, compiled

  /// Errors: kInvalidArgument, saying what is wrong with it.
  static Result<TextPattern> compile(std::string_view pattern);

  /// In any part of it.
  bool is_in(std::string_view text) const;

 private:
  explicit TextPattern(std::shared_ptr<const re2::RE2> compiled);

  std::shared_ptr<const re2::RE2> compiled_;
};

}  // namespace tidemark::journal
