#include "tools/amounts.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <optional>
#include <utility>

namespace tidemark::tools {
namespace {

using Units = std::initializer_list<std::pair<std::string_view, double>>;

const Units kPer = {{"", 1},
                    {"/s", 1},
                    {"/m", 1.0 / 60},
                    {"/min", 1.0 / 60},
                    {"/h", 1.0 / 3600},
                    {"/d", 1 / kSecondsPerDay},
                    {"/day", 1 / kSecondsPerDay}};
const Units kBytes = {{"", 1},     {"B", 1},         {"KB", 1e3},      {"kB", 1e3},     {"MB", 1e6},
                      {"GB", 1e9}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}};

/// The number that `text` begins with, not negative, and what follows it.
std::optional<std::pair<double, std::string_view>> leading_number(std::string_view text) {
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc() || !(value >= 0)) return std::nullopt;
  return std::pair(value, text.substr(static_cast<std::size_t>(read.ptr - text.data())));
}

std::optional<double> unit(std::string_view text, const Units& units) {
  for (const auto& [name, factor] : units) {
    if (name == text) return factor;
  }
  return std::nullopt;
}

Error bad(std::string_view text, const std::string& what) {
  return {Code::kInvalidArgument, "'" + std::string(text) + "' is no " + what};
}

std::string digits(double number) {
  char text[64];
  const int after = number < 10 ? 2 : number < 100 ? 1 : 0;
  std::snprintf(text, sizeof text, "%.*f", after, number);
  return text;
}

}  // namespace

Result<double> parse_rate(std::string_view text) {
  const auto read = leading_number(text);
  const auto per = read ? unit(read->second, kPer) : std::nullopt;
  if (!per) return bad(text, "rate: use 10/s, 6/min or 1/h");
  return read->first * *per;
}

Result<double> parse_byte_rate(std::string_view text) {
  const auto read = leading_number(text);
  if (read) {
    const auto slash = std::min(read->second.find('/'), read->second.size());
    const auto bytes = unit(read->second.substr(0, slash), kBytes);
    const auto per = unit(read->second.substr(slash), kPer);
    if (bytes && per) return read->first * *bytes * *per;
  }
  return bad(text, "budget: use 100KiB/s, 2MB/s or 1GB/day");
}

Result<double> parse_part(std::string_view text) {
  const auto read = leading_number(text);
  const auto of = read ? unit(read->second, {{"", 1}, {"%", 0.01}}) : std::nullopt;
  if (!of) return bad(text, "part: use 0.01 or 1%");
  return read->first * *of;
}

std::string rate_text(double per_second) {
  if (per_second == 0) return "0/s";
  if (per_second >= 0.1) return digits(per_second) + "/s";
  if (per_second * 60 >= 0.1) return digits(per_second * 60) + "/min";
  return digits(per_second * 3600) + "/h";
}

std::string bytes_text(double bytes) {
  constexpr std::array kUnits = {" KB", " MB", " GB", " TB"};
  if (bytes < 1000) {
    char text[64];
    std::snprintf(text, sizeof text, "%.0f B", bytes);
    return text;
  }
  std::size_t at = 0;
  for (bytes /= 1000; bytes >= 999.5 && at + 1 < kUnits.size(); bytes /= 1000) ++at;
  return digits(bytes) + kUnits[at];
}

std::string part_text(double part, double whole) {
  if (!(whole > 0)) return "-";
  const double percent = 100 * part / whole;
  if (percent > 0 && percent < 1) return "<1 %";
  char text[64];
  std::snprintf(text, sizeof text, "%.0f %%", percent);
  return text;
}

}  // namespace tidemark::tools
