// base/ascii.h
//
// Upper and lower case of the letters A to Z, whatever the locale says. All other bytes stay.

#pragma once

#include <string>
#include <string_view>

namespace tidemark {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

inline std::string lowered(std::string_view text) {
  std::string out(text);
  for (auto& c : out) c = lower(c);
  return out;
}

}  // namespace tidemark
