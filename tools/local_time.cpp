#include "tools/local_time.h"

#include <cstdio>
#include <ctime>
#include <optional>

namespace tidemark::tools {
namespace {

using namespace std::chrono;

std::tm broken_down(std::time_t time) {
  std::tm out = {};
  ::localtime_r(&time, &out);
  return out;
}

WallTime wall_of(const std::tm& tm) {
  const year_month_day date{year{tm.tm_year + 1900}, month{static_cast<unsigned>(tm.tm_mon + 1)},
                            day{static_cast<unsigned>(tm.tm_mday)}};
  return {sys_days{date}, hours{tm.tm_hour} + minutes{tm.tm_min} + seconds{tm.tm_sec}};
}

/// The moment at which the clocks show `wall`, of whole seconds, and are on summer time or not.
std::optional<std::time_t> moment_of(const WallTime& wall, int summer) {
  const year_month_day date{wall.day};
  const hh_mm_ss clock{wall.time_of_day};
  std::tm tm = {};
  tm.tm_year = static_cast<int>(date.year()) - 1900;
  tm.tm_mon = static_cast<int>(static_cast<unsigned>(date.month())) - 1;
  tm.tm_mday = static_cast<int>(static_cast<unsigned>(date.day()));
  tm.tm_hour = static_cast<int>(clock.hours().count());
  tm.tm_min = static_cast<int>(clock.minutes().count());
  tm.tm_sec = static_cast<int>(clock.seconds().count());
  tm.tm_isdst = summer;
  const auto time = ::mktime(&tm);
  // mktime() makes something of every time: what it made must show what was asked for.
  const auto shown = broken_down(time);
  if (wall_of(shown) != wall || (shown.tm_isdst > 0) != (summer > 0)) return std::nullopt;
  return time;
}

std::string iso_of(std::time_t time) {
  const auto tm = broken_down(time);
  char text[64] = {};
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S%z", &tm);
  std::string out = text;
  return out.insert(out.size() - 2, ":");  // +0200 is +02:00
}

}  // namespace

WallTime wall_time(UtcTime time) {
  const auto whole = floor<seconds>(time);
  auto wall = wall_of(broken_down(static_cast<std::time_t>(whole.time_since_epoch().count())));
  wall.time_of_day += time - whole;
  return wall;
}

Result<UtcTime> utc_of(const WallTime& wall) {
  const WallTime whole{wall.day, floor<seconds>(wall.time_of_day)};
  const auto winter = moment_of(whole, 0);
  const auto summer = moment_of(whole, 1);
  if (winter && summer) {
    return Error{Code::kInvalidArgument, "the clocks were put back and showed that twice: use " +
                                             iso_of(*summer) + " or " + iso_of(*winter)};
  }
  if (!winter && !summer) {
    return Error{Code::kInvalidArgument,
                 "the clocks were put forward and never showed that: use a time in UTC, such as "
                 "2026-11-21T14:05:00Z"};
  }
  return UtcTime{seconds{winter ? *winter : *summer}} + (wall.time_of_day - whole.time_of_day);
}

}  // namespace tidemark::tools
