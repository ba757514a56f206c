// tools/nearest.h
//
// "did you mean …": the name among those that are known that looks most like one that is not.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidemark::tools {

/// Letters to add, leave out, change or swap with their neighbour to get from one to the other;
/// upper and lower case are alike.
std::size_t edits_between(std::string_view a, std::string_view b);

/// None when nothing is near: a third of the letters may be wrong.
std::optional<std::string> nearest(std::string_view wanted, const std::vector<std::string>& known);

/// "; did you mean 'psu.1'?", or nothing.
std::string did_you_mean(std::string_view wanted, const std::vector<std::string>& known);

}  // namespace tidemark::tools
