#include "tools/moment.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>

#include "base/ascii.h"
#include "tools/local_time.h"
#include "tools/table.h"

namespace tidemark::tools {
namespace {

using model::api::Moment;
using namespace std::chrono_literals;

constexpr std::string_view kExamples =
    "use @184223 (a line), '10m ago', 14:05, 'yesterday 14:05', '2026-11-21 14:05' or "
    "2026-11-21T14:05:00Z";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// "2h30m": one duration after the other.
std::optional<Duration> sum_of_durations(std::string_view text) {
  constexpr Duration kMax = 100 * 365 * 24h;  // far from where nanoseconds overflow
  if (text.empty()) return std::nullopt;
  Duration sum{0};
  while (!text.empty()) {
    // parse_duration() also takes words such as "infs", so a digit must come first.
    if (!is_digit(text.front())) return std::nullopt;
    const auto unit =
        std::find_if(text.begin(), text.end(), [](char c) { return !is_digit(c) && c != '.'; });
    const auto end = std::find_if(unit, text.end(), is_digit);
    const auto size = static_cast<std::size_t>(end - text.begin());
    const auto duration = parse_duration(text.substr(0, size));
    if (!duration) return std::nullopt;
    sum += *duration;
    if (sum > kMax) return std::nullopt;
    text.remove_prefix(size);
  }
  return sum;
}

/// "-10m", "10m ago".
std::optional<Duration> before_now(std::string_view text) {
  constexpr std::string_view kAgo = " ago";
  if (text.starts_with('-')) return sum_of_durations(text.substr(1));
  if (!text.ends_with(kAgo)) return std::nullopt;
  return sum_of_durations(trimmed(text.substr(0, text.size() - kAgo.size())));
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

/// "14:05", "today 14:05", "yesterday 14:05", "monday 14:05". Empty when it is none of these.
std::optional<Result<UtcTime>> day_and_time(std::string_view text, UtcTime now) {
  const auto words = lowered(text);
  const auto space = words.find(' ');
  const auto day = space == std::string::npos ? "" : words.substr(0, space);
  const auto clock = trimmed(std::string_view(words).substr(day.size()));
  const auto time = time_of_day(clock);
  if (!time) return std::nullopt;

  const auto here = wall_time(now);
  const auto back = days_since(day, here.day);
  if (day.empty() || day == "today") {
    if (*time > here.time_of_day) {
      return Error{Code::kInvalidArgument, "'" + printable(text) +
                                               "' is still to come today: did you mean "
                                               "'yesterday " +
                                               std::string(clock) + "'?"};
    }
    return shown_at(text, {here.day, *time});
  }
  if (day == "yesterday") return shown_at(text, {here.day - std::chrono::days{1}, *time});
  if (!back) return std::nullopt;
  const bool to_come = *back == 0 && *time > here.time_of_day;
  return shown_at(text, {here.day - std::chrono::days{to_come ? 7 : *back}, *time});
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
  if (text.starts_with('@')) {
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
  }
  if (sum_of_durations(lowered(text))) {
    return Error{Code::kInvalidArgument, "'" + printable(text) +
                                             "' is no moment, but how long: did you mean '-" +
                                             printable(text) + "', so long ago?"};
  }
  return Error{Code::kInvalidArgument,
               "'" + printable(text) + "' is no moment: " + std::string(kExamples)};
}

Result<Moment> parse_moment_or_mark(std::string_view text, UtcTime now) {
  auto moment = parse_moment(text, now);
  // What begins like a line or a time was meant to be one.
  const bool begins_as_one = text.starts_with("yesterday") || text.starts_with("today");
  const bool may_be_mark =
      !text.empty() && std::isalpha(static_cast<unsigned char>(text[0])) != 0 && !begins_as_one;
  if (moment || !may_be_mark) return moment;
  Moment mark;
  mark.mark = text;
  return mark;
}

Result<UtcTime> parse_time_argument(std::string_view text, UtcTime now) {
  const auto moment = parse_moment(text, now);
  if (!moment) return moment.error();
  if (moment.value().line == 0) return moment.value().time.value_or(now);
  return Error{Code::kInvalidArgument, "'" + printable(text) +
                                           "' is a line, and a time is needed: use -10m, 14:05, "
                                           "or 2026-11-21T14:05:00Z"};
}

}  // namespace tidemark::tools
