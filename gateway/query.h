// gateway/query.h
//
// The target of a request, "/v1/pvs/paged?pvName=MAG%3AQ*&tags=a&tags=b", taken apart. Bytes from
// outside: past parse_target() they are decoded, and UTF-8.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "gateway/problem.h"

namespace tidemark::gateway {

struct Target {
  std::vector<std::string> segments;  // of the path; one slash at its end is ignored
  std::vector<std::pair<std::string, std::string>> params;  // in order, keys may repeat

  /// The last of that name, as the original has it; null when there is none.
  const std::string* find(std::string_view name) const;
  std::vector<std::string> all(std::string_view name) const;
};

/// `+` is a space in the query, not in the path. Segments are cut before they are decoded, so
/// %2F does not divide.
/// Errors: kInvalidArgument  no path, a broken %-escape, or bytes that are no UTF-8.
Result<Target> parse_target(std::string_view text);

/// Reads the parameters of one request and gathers what is wrong with them, all at once.
class ParamReader {
 public:
  explicit ParamReader(const Target& target) : target_(target) {}

  std::string text(std::string_view name) const;
  std::optional<std::uint32_t> integer(std::string_view name, std::uint32_t min, std::uint32_t max);
  bool boolean(std::string_view name, bool otherwise);

  const Problems& problems() const { return problems_; }

 private:
  void blame(std::string_view name, std::string_view type, std::string message,
             std::string_view input);

  const Target& target_;
  Problems problems_;
};

}  // namespace tidemark::gateway
