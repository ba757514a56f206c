// tools/csv.h
//
// Rows of comma-separated values for programs: RFC 4180, but for the ends of lines, which are
// those of this system.

#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace tidemark::tools {

/// In quotes when it needs them.
std::string csv_field(std::string_view text);

void print_csv(std::ostream& out, const std::vector<std::string>& row);

}  // namespace tidemark::tools
