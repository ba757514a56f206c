// journal/damage.h
//
// How a Store says which lines cannot be read, and how tools read that: the message of such an
// error begins with the lines. So it says the same to people, on the bus and to programs.

#pragma once

#include <optional>
#include <string>

#include "journal/store.h"

namespace tidemark::journal {

/// Both ends are in it.
struct LineRange {
  Line first{};
  Line last{};
  bool operator==(const LineRange&) const = default;
};

/// "lines 12 to 40".
std::string to_text(const LineRange& lines);

/// They are there, and not what was written. kCorruption.
Error damaged(const LineRange& lines, const std::string& why);
/// kCorruption.
Error missing(const LineRange& lines);

/// The lines of damaged() or missing(); empty for any other error.
std::optional<LineRange> lines_of(const Error& error);

}  // namespace tidemark::journal
