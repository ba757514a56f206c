// bus/registration.h
//
// What a registry takes from whoever registers. Everybody else on the site gets it in the
// directory, so it is checked once, here, and each size has a limit.

#pragma once

#include <string_view>

#include "base/result.h"
#include "bus/node.h"

namespace tidemark::bus {

/// Names are parts of file names, of keys ("psu.1/current") and of patterns.
inline constexpr std::size_t kNodeNameBytesMax = 64;
inline constexpr std::size_t kEndpointsMax = 16;
/// Of an endpoint, a host, a label.
inline constexpr std::size_t kNodeTextBytesMax = 255;
inline constexpr std::size_t kLabelsMax = 256;
/// A node is an item of the directory stream, and must fit into one frame with all that it says.
inline constexpr std::size_t kSurfaceBytesMax = 12u << 20;

/// Accepts 1 to kNodeNameBytesMax letters, digits, `.`, `_` and `-`; the first one no `.` or `-`,
/// which would be a hidden file, another directory, or an option.
/// Errors: kInvalidArgument.
Result<Unit> check_node_name(std::string_view name);

/// Everything but what is in the surface, which is nothing to the bus.
/// Errors: kInvalidArgument, naming the field.
Result<Unit> check_registration(const NodeInfo& node);

}  // namespace tidemark::bus
