#include "base/time.h"

#include <charconv>

namespace tidemark {
namespace {

/// Takes exactly `width` digits off the front of `text`.
std::optional<int> take_digits(std::string_view& text, std::size_t width) {
  if (text.size() < width) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < width; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(width);
  return value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<Duration> take_fraction(std::string_view& text) {
  if (!take(text, '.')) return Duration{0};
  std::int64_t nanoseconds = 0;
  std::int64_t unit = 100'000'000;
  bool any = false;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    nanoseconds += unit * (text.front() - '0');
    unit /= 10;
    any = true;
    text.remove_prefix(1);
  }
  if (!any) return std::nullopt;
  return Duration{nanoseconds};
}

std::optional<std::chrono::minutes> take_zone(std::string_view& text) {
  if (text.empty() || take(text, 'Z') || take(text, 'z')) return std::chrono::minutes{0};
  const bool east = text.front() == '+';
  if (!east && text.front() != '-') return std::nullopt;
  text.remove_prefix(1);
  const auto hours = take_digits(text, 2);
  take(text, ':');
  const auto minutes = take_digits(text, 2);
  if (!hours || !minutes) return std::nullopt;
  const std::chrono::minutes offset{*hours * 60 + *minutes};
  return east ? offset : -offset;
}

void put_digits(char* at, int count, std::int64_t number) {
  for (; count > 0; number /= 10) at[--count] = static_cast<char>('0' + number % 10);
}

}  // namespace

UtcTime utc_now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

std::string to_iso(UtcTime time, int digits) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date{day};
  // Not time - day: the first day that 64 bits of nanoseconds reach begins before they do.
  const auto rest = time.time_since_epoch() % days{1};
  const hh_mm_ss clock{rest < Duration{0} ? rest + days{1} : rest};
  std::string out = "0000-00-00T00:00:00";  // 64 bits of nanoseconds end in the year 2262
  put_digits(&out[0], 4, static_cast<int>(date.year()));
  put_digits(&out[5], 2, static_cast<unsigned>(date.month()));
  put_digits(&out[8], 2, static_cast<unsigned>(date.day()));
  put_digits(&out[11], 2, clock.hours().count());
  put_digits(&out[14], 2, clock.minutes().count());
  put_digits(&out[17], 2, clock.seconds().count());
  if (digits > 0) {
    char fraction[9];
    put_digits(fraction, 9, clock.subseconds().count());
    out += '.';
    out.append(fraction, static_cast<std::size_t>(digits > 9 ? 9 : digits));
  }
  out += 'Z';
  return out;
}

std::optional<UtcTime> parse_iso(std::string_view text) {
  using namespace std::chrono;
  const auto y = take_digits(text, 4);
  if (!y || !take(text, '-')) return std::nullopt;
  const auto m = take_digits(text, 2);
  if (!m || !take(text, '-')) return std::nullopt;
  const auto d = take_digits(text, 2);
  if (!d) return std::nullopt;
  const year_month_day date{year{*y}, month{static_cast<unsigned>(*m)},
                            day{static_cast<unsigned>(*d)}};
  // 64 bits of nanoseconds reach from 1677 to 2262.
  if (!date.ok() || *y < 1678 || *y > 2261) return std::nullopt;
  UtcTime time = sys_days{date};
  if (text.empty()) return time;
  if (!take(text, 'T') && !take(text, ' ')) return std::nullopt;
  const auto hour = take_digits(text, 2);
  if (!hour || !take(text, ':')) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute) return std::nullopt;
  int second = 0;
  Duration fraction{0};
  if (take(text, ':')) {
    const auto read = take_digits(text, 2);
    const auto rest = take_fraction(text);
    if (!read || !rest) return std::nullopt;
    second = *read;
    fraction = *rest;
  }
  const auto zone = take_zone(text);
  if (!zone || !text.empty() || *hour > 23 || *minute > 59 || second > 60) return std::nullopt;
  return time + hours{*hour} + minutes{*minute} + seconds{second} + fraction - *zone;
}

std::optional<Duration> parse_duration(std::string_view text) {
  double amount = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
  if (error != std::errc{} || !(amount >= 0)) return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  double seconds = 0;
  if (unit == "ms") {
    seconds = 1e-3;
  } else if (unit == "s") {
    seconds = 1;
  } else if (unit == "m" || unit == "min") {
    seconds = 60;
  } else if (unit == "h") {
    seconds = 3600;
  } else if (unit == "d") {
    seconds = 86'400;
  } else {
    return std::nullopt;
  }
  if (amount * seconds > 3e9)
    return std::nullopt;  // About a century: int64 nanoseconds hold three.
  return Duration{static_cast<std::int64_t>(amount * seconds * 1e9)};
}

}  // namespace tidemark
