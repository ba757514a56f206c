#include "tools/times.h"

#include <algorithm>

namespace tidemark::tools {

Result<Duration> parse_duration_argument(std::string_view text) {
  constexpr std::size_t kDigitsMax = 9;  // of plain seconds: some thirty years
  const bool number = !text.empty() && text[0] >= '0' && text[0] <= '9';
  if (number) {
    if (const auto duration = parse_duration(text)) return *duration;
    const bool plain =
        text.size() <= kDigitsMax &&
        std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (plain) return Duration{std::chrono::seconds(std::stoll(std::string(text)))};
  }
  return Error{Code::kInvalidArgument,
               "'" + std::string(text) + "' is no duration: use 500ms, 5s, 10m or 2h"};
}

std::string duration_text(Duration duration) {
  using namespace std::chrono;
  const auto seconds_all = duration_cast<seconds>(duration).count();
  if (seconds_all < 0) return "-" + duration_text(-duration);
  const auto text = [](long long number, const char* unit) {
    return std::to_string(number) + unit;
  };
  const auto d = seconds_all / 86'400;
  const auto h = seconds_all / 3600 % 24;
  const auto m = seconds_all / 60 % 60;
  const auto s = seconds_all % 60;
  if (d > 0) return text(d, "d ") + text(h, "h");
  if (h > 0) return text(h, "h ") + text(m, "m");
  if (m > 0) return text(m, "m ") + text(s, "s");
  return text(s, "s");
}

}  // namespace tidemark::tools
