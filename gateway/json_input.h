// gateway/json_input.h
//
// JSON from outside, checked once: request bodies and the tagFilters parameter. Fuzzed.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/uuid.h"
#include "gateway/problem.h"

namespace tidemark::gateway {

inline constexpr std::size_t kJsonDepthMax = 32;  // deeper has no use here, and costs stack
inline constexpr std::size_t kTitleBytesMax = 255;

template <class T>
using Checked = std::variant<T, Problems>;

/// POST /v1/snapshots. Older clients say `comment` for the description.
struct SnapshotBody {
  std::string title;
  std::string description;
};
Checked<SnapshotBody> parse_snapshot_body(std::string_view body, bool comment_allowed);

/// POST /v1/pvs/live.
struct LiveBody {
  std::vector<std::string> pv_names;
};
Checked<LiveBody> parse_live_body(std::string_view body);

/// {"<group id>":["<tag id>",…],…}. Empty optional: it is not that.
using TagFilters = std::vector<std::pair<Uuid, std::vector<Uuid>>>;
std::optional<TagFilters> parse_tag_filters(std::string_view json);

}  // namespace tidemark::gateway
