#include "tools/moment.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>
#include <vector>

#include "base/ascii.h"
#include "tools/local_time.h"
#include "tools/table.h"

namespace tidemark::tools {
namespace {

using model::api::Moment;
using namespace std::chrono_literals;

constexpr std::string_view kForms =
    "use a line (@184223), how long ago (1h, -10m, '2 hours ago'), 14:05, 'yesterday 14:05', "
    "'last tuesday', '2026-11-21 14:05', 2026-11-21T14:05:00Z, or a mark ('shot 12', mark:NAME)";

constexpr std::string_view kAgo = " ago";

/// Whatever follows it is the name of a mark.
constexpr std::string_view kMarkPrefix = "mark:";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// One of a unit, however it is written.
std::optional<Duration> length_of_unit(std::string_view word) {
  struct Unit {
    Duration length;
    std::array<std::string_view, 5> words;
  };
  static constexpr std::array<Unit, 6> kUnits = {{
      {1ms, {"ms"}},
      {1s, {"s", "sec", "secs", "second", "seconds"}},
      {1min, {"m", "min", "mins", "minute", "minutes"}},
      {1h, {"h", "hr", "hrs", "hour", "hours"}},
      {24h, {"d", "day", "days"}},
      {7 * 24h, {"w", "week", "weeks"}},
  }};
  for (const auto& unit : kUnits) {
    if (!word.empty() && std::ranges::find(unit.words, word) != unit.words.end()) {
      return unit.length;
    }
  }
  return std::nullopt;
}

/// Takes what `belongs` from the front of `text`.
std::string_view take_while(std::string_view& text, bool (*belongs)(char)) {
  const auto end = std::find_if_not(text.begin(), text.end(), belongs);
  const auto taken = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(taken.size());
  return taken;
}

/// "2h30m", "2 hours 30 minutes", "an hour": one after the other.
std::optional<Duration> sum_of_durations(std::string_view text) {
  using Sum = std::chrono::duration<double, std::nano>;
  constexpr Sum kMax = 100 * 365 * 24h;  // far from where nanoseconds overflow
  const bool one = text.starts_with("a ") || text.starts_with("an ");
  if (one) text.remove_prefix(text.find(' '));
  Sum sum{0};
  bool any = false;
  for (text = trimmed(text); !text.empty(); text = trimmed(text)) {
    double count = 1;
    if (!one) {
      const auto number = take_while(text, [](char c) { return is_digit(c) || c == '.'; });
      const auto* end = number.data() + number.size();
      const auto [stop, error] = std::from_chars(number.data(), end, count);
      if (error != std::errc{} || stop != end) return std::nullopt;
    }
    text = trimmed(text);
    const auto unit = length_of_unit(take_while(text, [](char c) { return c >= 'a' && c <= 'z'; }));
    if (!unit || (one && any)) return std::nullopt;
    sum += count * Sum(*unit);
    if (!(sum <= kMax)) return std::nullopt;
    any = true;
  }
  if (!any) return std::nullopt;
  return std::chrono::round<Duration>(sum);
}

/// "-10m", "10m ago", "10m".
std::optional<Duration> before_now(std::string_view text) {
  if (text.starts_with('-')) return sum_of_durations(text.substr(1));
  if (text.ends_with(kAgo)) text.remove_suffix(kAgo.size());
  return sum_of_durations(text);
}

/// "8:00", "14:05", "14:05:07.123".
std::optional<Duration> time_of_day(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon > 2) return std::nullopt;
  // Read as a time of some day, by the one who knows times.
  const auto padded = std::string(2 - colon, '0') + std::string(text);
  constexpr std::string_view kSomeDay = "2000-01-01 ";
  const bool zone = padded.find_first_not_of("0123456789:.") != std::string::npos;
  const auto time = zone ? std::nullopt : parse_iso(std::string(kSomeDay) + padded);
  if (!time) return std::nullopt;
  return *time - *parse_iso("2000-01-01");
}

/// Days back to the last Monday, …: 0 to 6.
std::optional<unsigned> days_since(std::string_view weekday, std::chrono::sys_days today) {
  constexpr std::array<std::string_view, 7> kDays = {"sunday",   "monday", "tuesday", "wednesday",
                                                     "thursday", "friday", "saturday"};
  for (unsigned i = 0; i < kDays.size(); ++i) {
    if (weekday != kDays[i] && weekday != kDays[i].substr(0, 3)) continue;
    return (std::chrono::weekday{today}.c_encoding() + 7 - i) % 7;
  }
  return std::nullopt;
}

/// The messages of utc_of() say "that".
Result<UtcTime> shown_at(std::string_view text, const WallTime& wall) {
  auto time = utc_of(wall);
  if (time) return time;
  return Error{time.error().code, "'" + printable(text) + "': " + time.error().message};
}

/// Without "at", which says nothing.
std::vector<std::string> moment_words(std::string_view text) {
  std::vector<std::string> words;
  for (text = trimmed(text); !text.empty(); text = trimmed(text)) {
    auto word = lowered(take_while(text, [](char c) { return c != ' '; }));
    if (word != "at") words.push_back(std::move(word));
  }
  return words;
}

/// "today", "yesterday", "monday", "last monday": days back from today, and whether it may be a
/// week more when its time of day is still to come.
struct NamedDay {
  unsigned back = 0;
  bool may_be_earlier = false;
};
std::optional<NamedDay> named_day(const std::vector<std::string>& words,
                                  std::chrono::sys_days today) {
  if (words.empty()) return NamedDay{};
  if (words.size() == 1 && words[0] == "today") return NamedDay{};
  if (words.size() == 1 && words[0] == "yesterday") return NamedDay{1, false};
  const bool last = words.size() == 2 && words[0] == "last";
  if (words.size() != 1 && !last) return std::nullopt;
  const auto back = days_since(words.back(), today);
  if (!back) return std::nullopt;
  return last ? NamedDay{*back == 0 ? 7 : *back, false} : NamedDay{*back, true};
}

/// A day by name, a time of day, or both. Empty when it is none of these.
std::optional<Result<UtcTime>> day_and_time(std::string_view text, UtcTime now) {
  auto words = moment_words(text);
  if (words.empty()) return std::nullopt;
  auto time = time_of_day(words.back());
  if (time) {
    words.pop_back();
  } else if ((time = time_of_day(words.front()))) {
    words.erase(words.begin());
  }
  const auto here = wall_time(now);
  const auto day = named_day(words, here.day);
  if (!day) return std::nullopt;

  auto back = day->back;
  const auto clock = time.value_or(Duration{0});
  if (back == 0 && clock > here.time_of_day) {
    if (!day->may_be_earlier) {
      return Error{Code::kInvalidArgument,
                   "'" + printable(text) + "' is still to come today: did you mean yesterday?"};
    }
    back = 7;
  }
  return shown_at(text, {here.day - std::chrono::days{back}, clock});
}

/// What cannot be read, but was meant to be a time, and not to be the name of a mark.
bool looks_like_time(std::string_view text, UtcTime now) {
  if (lowered(text).ends_with(kAgo)) return true;
  auto words = moment_words(text);
  if (words.empty() || std::isalpha(static_cast<unsigned char>(words[0][0])) == 0) return true;
  if (words[0] == "today" || words[0] == "yesterday") return true;
  const std::size_t name = words[0] == "last" ? 1 : 0;
  const auto clock = name + 1;
  return words.size() > clock && is_digit(words[clock][0]) &&
         days_since(words[name], wall_time(now).day);
}

/// A day and perhaps a time of day, with or without a zone.
std::optional<Result<UtcTime>> date(std::string_view text) {
  const auto time = parse_iso(text);
  if (!time) return std::nullopt;
  constexpr std::size_t kDay = 10;  // characters of "2026-11-21"
  if (text.find_first_of("Zz+-", kDay) != std::string_view::npos) return Result<UtcTime>(*time);
  const auto day = std::chrono::floor<std::chrono::days>(*time);
  return shown_at(text, {day, *time - day});
}

}  // namespace

Result<Moment> parse_moment(std::string_view text, UtcTime now) {
  text = trimmed(text);
  if (lowered(text) == "now") return Moment{};
  Moment mark;
  if (text.starts_with(kMarkPrefix)) {
    mark.mark = trimmed(text.substr(kMarkPrefix.size()));
    if (!mark.mark.empty()) return mark;
  } else if (text.starts_with('@')) {
    std::uint64_t line = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + 1, end, line);
    if (error == std::errc{} && stop == end && line > 0) return Moment{line, std::nullopt};
  } else if (const auto ago = before_now(lowered(text))) {
    return Moment{0, now - *ago};
  } else {
    auto time = date(text);
    if (!time) time = day_and_time(text, now);
    if (time && !*time) return time->error();
    if (time) return Moment{0, time->value()};
    if (!looks_like_time(text, now)) {
      mark.mark = text;
      return mark;
    }
  }
  return Error{Code::kInvalidArgument,
               "'" + printable(text) + "' is no moment: " + std::string(kForms)};
}

Result<Moment> parse_moment(std::string_view option, std::string_view text, UtcTime now) {
  auto moment = parse_moment(text, now);
  if (moment) return moment;
  return Error{moment.error().code, std::string(option) + ": " + moment.error().message};
}

}  // namespace tidemark::tools
