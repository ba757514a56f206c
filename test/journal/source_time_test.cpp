// test/journal/source_time_test.cpp
//
// The past by the sources' clocks against the rule, written down naively: of every update ever made
// it is asked whether it had happened by then.

#include "journal/source_time.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>

#include "journal/line_of_numbers.h"
#include "naive_history.h"

namespace tidemark::journal {
namespace {

bool had_happened(const NaiveHistory::Told& told, const SourceTime& when) {
  if (told.recorded_at < when.at - when.lateness) return true;
  if (told.recorded_at > when.at + when.lateness) return false;
  return told.sample.update.taken_at <= when.at;
}

/// Some are far from any clock, and some on the boundary of one.
SourceTime any_time(const NaiveHistory& history) {
  SourceTime when{at_second(*rc::gen::inRange(-1100, 1100)),
                  std::chrono::seconds(*rc::gen::inRange(0, 40))};
  if (history.updates().empty() || *rc::gen::arbitrary<bool>()) return when;
  const auto& some = *rc::gen::elementOf(history.updates());
  when.at = *rc::gen::arbitrary<bool>() ? some.recorded_at : some.sample.update.taken_at;
  when.at += when.lateness * *rc::gen::inRange(-1, 2);
  return when;
}

void check_state(const NaiveHistory& history, const SourceTime& when) {
  MachineState wanted;
  for (const auto& told : history.updates()) {
    if (had_happened(told, when)) wanted.apply(told.sample.line, told.sample.update);
  }
  const auto archive = history.archive();
  const auto lines = lines_around(archive.store(), when);
  RC_ASSERT(lines.ok());
  const auto found = state_by_source(archive, when, lines.value());
  RC_ASSERT(found.ok());
  expect_same(found.value(), wanted);
}

void check_in_force(const NaiveHistory& history, model::ChannelId channel, const SourceTime& when) {
  std::vector<Sample> wanted;
  for (const auto& told : history.updates()) {
    if (told.sample.update.channel != channel || !had_happened(told, when)) continue;
    wanted.assign(1, told.sample);
  }
  const auto found = in_force_by_source(history.archive(), channel, when);
  RC_ASSERT(found.ok());
  expect_same(found.value() ? std::vector<Sample>{*found.value()} : std::vector<Sample>{}, wanted);
}

/// Those that the rule lets into the span, by their times.
std::vector<Sample> in_span(const NaiveHistory& history, model::ChannelId channel,
                            const SourceSpan& span) {
  std::vector<Sample> wanted;
  for (const auto& [sample, recorded_at] : history.updates()) {
    const auto time = sample.update.taken_at;
    if (sample.update.channel == channel && time > span.from && time <= span.to &&
        recorded_at >= span.from - span.lateness && recorded_at <= span.to + span.lateness) {
      wanted.push_back(sample);
    }
  }
  std::stable_sort(wanted.begin(), wanted.end(), [](const Sample& a, const Sample& b) {
    return a.update.taken_at < b.update.taken_at;
  });
  return wanted;
}

void check_pages(const NaiveHistory& history, model::ChannelId channel, const SourceSpan& span) {
  SourcePageLimits limits;
  limits.samples = *rc::gen::inRange<std::size_t>(1, 30);
  limits.bytes = *rc::gen::element<std::size_t>(1, 100, 100'000);
  std::vector<Sample> found;
  std::optional<SourceCursor> after;
  while (true) {
    const auto page = samples_by_source(history.archive(), channel, span, after, limits);
    RC_ASSERT(page.ok());
    const auto& some = page.value().samples;
    RC_ASSERT(some.size() <= limits.samples);
    found.insert(found.end(), some.begin(), some.end());
    if (!page.value().more) break;
    RC_ASSERT(!some.empty());
    after = SourceCursor{some.back().update.taken_at, some.back().line};
  }
  expect_same(found, in_span(history, channel, span));
}

/// A line with room for all of them has all numbers of the span.
void check_line(const NaiveHistory& history, model::ChannelId channel, const SourceSpan& span) {
  const auto archive = history.archive();
  const auto begin = lines_around(archive.store(), {span.from, span.lateness});
  const auto end = lines_around(archive.store(), {span.to, span.lateness});
  RC_ASSERT(begin.ok() && end.ok());
  const auto found =
      line_of_numbers(archive, {channel, Line{raw(begin.value().certain) + 1}, end.value().last,
                                100'000, std::pair(span.from, span.to)});
  RC_ASSERT(found.ok());
  std::vector<Line> lines;
  for (const auto& each : in_span(history, channel, span)) {
    const auto number = model::as_number(each.update.value);
    if (number && std::isfinite(*number)) lines.push_back(each.line);
  }
  RC_ASSERT(found.value().size() == lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) RC_ASSERT(found.value()[i].line == lines[i]);
}

RC_GTEST_PROP(SourceTime, EqualsTheRuleWrittenDownNaively, ()) {
  NaiveHistory history(*rc::gen::element<std::size_t>(1000, 1u << 20));
  const auto ask = [&] {
    const auto when = any_time(history);
    check_state(history, when);
    const auto channel = history.any_channel();
    check_in_force(history, channel, when);
    const auto length = std::chrono::seconds(*rc::gen::inRange(0, 1200));
    const SourceSpan span{when.at, when.at + length, when.lateness};
    check_pages(history, channel, span);
    check_line(history, channel, span);
  };
  history.live(ask);
  history.project_all();
  ask();
}

}  // namespace
}  // namespace tidemark::journal
