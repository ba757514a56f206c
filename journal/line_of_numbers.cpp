#include "journal/line_of_numbers.h"

#include <algorithm>
#include <cmath>

#include "journal/lttb.h"

namespace tidemark::journal {
namespace {

struct Number {
  PlotPoint point;
  Line line{};
  model::Alarm alarm;
};

Result<std::vector<Number>> numbers_of(const Archive& archive, const LineQuery& query) {
  const auto is_wanted = [&](UtcTime time) {
    return !query.taken || (time > query.taken->first && time <= query.taken->second);
  };
  std::vector<Number> numbers;
  const auto read = archive.samples(
      query.channel, query.from, query.to,
      [&](const ChunkHeader& chunk) {
        return query.taken &&
               (chunk.latest <= query.taken->first || chunk.earliest > query.taken->second);
      },
      [&](const std::vector<Sample>& samples) {
        for (const auto& [line, update] : samples) {
          const auto number = model::as_number(update.value);
          if (!number || !std::isfinite(*number) || !is_wanted(update.taken_at)) continue;
          numbers.push_back(
              {{update.taken_at.time_since_epoch().count(), *number}, line, update.alarm});
        }
        return numbers.size() <= kLineNumbersMax;
      });
  if (!read) return read.error();
  if (numbers.size() > kLineNumbersMax) {
    return Error{Code::kInvalidArgument, "a line through more than " +
                                             std::to_string(kLineNumbersMax) +
                                             " numbers: ask for bins, or for less time"};
  }
  std::stable_sort(numbers.begin(), numbers.end(),
                   [](const Number& a, const Number& b) { return a.point.time < b.point.time; });
  return numbers;
}

}  // namespace

Result<std::vector<Sample>> line_of_numbers(const Archive& archive, const LineQuery& query) {
  const auto numbers = numbers_of(archive, query);
  if (!numbers) return numbers.error();
  std::vector<PlotPoint> points;
  points.reserve(numbers.value().size());
  for (const auto& each : numbers.value()) points.push_back(each.point);
  std::vector<Sample> line;
  for (const auto at : lttb(points, query.points)) {
    const auto& kept = numbers.value()[at];
    auto& [number, update] = line.emplace_back();
    number = kept.line;
    update.channel = query.channel;
    update.taken_at = UtcTime{Duration{kept.point.time}};
    update.alarm = kept.alarm;
    update.value = kept.point.value;
  }
  return line;
}

}  // namespace tidemark::journal
