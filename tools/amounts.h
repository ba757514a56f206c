// tools/amounts.h
//
// Rates, bytes and parts, as arguments and as text.

#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tidemark::tools {

inline constexpr double kSecondsPerDay = 86'400;

/// "10", "10/s", "6/min", "1/h": a second. Errors: kInvalidArgument.
Result<double> parse_rate(std::string_view text);
/// "500", "100KiB/s", "1.5MB/s", "2GB/day": bytes a second. Errors: kInvalidArgument.
Result<double> parse_byte_rate(std::string_view text);
/// "0.01" or "1%". Errors: kInvalidArgument.
Result<double> parse_part(std::string_view text);

/// Three digits or so: "12.3/s", "0.4/min".
std::string rate_text(double per_second);
/// "532 B", "12.3 KB", "1.20 GB".
std::string bytes_text(double bytes);
/// "35 %", "<1 %"; "-" of nothing.
std::string part_text(double part, double whole);

}  // namespace tidemark::tools
