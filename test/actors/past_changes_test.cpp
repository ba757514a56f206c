// test/actors/past_changes_test.cpp
//
// What differs between two moments, against every update ever made: each PV is what the updates
// that count left, and those are shown of which the two differ.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "actors/past.h"
#include "test/journal/naive_history.h"
#include "test/support/fake_link.h"

namespace tidemark::actors {
namespace {

namespace api = model::api;
using journal::ChannelState;
using journal::Line;
using journal::MachineState;
using journal::NaiveHistory;
using journal::raw;

std::string pv_called(std::uint32_t channel) { return "PV:" + std::to_string(channel); }

/// A moment as it is asked for, and which updates count by then.
struct Counted {
  api::Moment moment;
  std::function<bool(const NaiveHistory::Told&)> counts;
};

Counted any_moment(const NaiveHistory& history, const std::optional<Duration>& lateness) {
  const auto last = raw(history.last());
  if (!lateness && last > 0 && *rc::gen::arbitrary<bool>()) {
    const auto line = *rc::gen::inRange<std::uint64_t>(1, last + 1);
    return {{line, std::nullopt},
            [line](const auto& told) { return raw(told.sample.line) <= line; }};
  }
  auto at = journal::at_second(*rc::gen::inRange(-1100, 1100));
  if (!history.updates().empty() && *rc::gen::arbitrary<bool>()) {
    const auto& some = *rc::gen::elementOf(history.updates());
    at = *rc::gen::arbitrary<bool>() ? some.recorded_at : some.sample.update.taken_at;
  }
  if (!lateness) {
    return {{0, at}, [at](const auto& told) { return told.recorded_at <= at; }};
  }
  return {{0, at}, [at, trusted = *lateness](const auto& told) {
            if (told.recorded_at < at - trusted) return true;
            return told.recorded_at <= at + trusted && told.sample.update.taken_at <= at;
          }};
}

MachineState machine_at(const NaiveHistory& history, const Counted& when) {
  MachineState machine;
  for (const auto& told : history.updates()) {
    if (when.counts(told)) machine.apply(told.sample.line, told.sample.update);
  }
  return machine;
}

bool are_alike(const ChannelState* a, const ChannelState* b) {
  if (a == nullptr || b == nullptr) return a == b;
  return a->state == b->state && a->alarm == b->alarm && model::same_value(a->value, b->value);
}

void expect_shown(const api::LiveValue& found, const ChannelState* wanted) {
  const ChannelState nothing;
  const auto& row = wanted == nullptr ? nothing : *wanted;
  RC_ASSERT(found.state == row.state);
  RC_ASSERT(found.alarm == row.alarm);
  RC_ASSERT(found.taken_at == row.taken_at);
  RC_ASSERT(model::same_value(found.value, row.value));
}

void check_changes(const NaiveHistory& history) {
  Past past;
  past.projections = history.projections();
  past.archive = std::make_unique<journal::Archive>(history.projections());
  for (std::uint32_t channel = 1; channel <= journal::kChannels; ++channel) {
    past.by_address[pv_called(channel)] = model::ChannelId{channel};
  }
  std::optional<Duration> lateness;
  if (*rc::gen::inRange(0, 3) == 0) lateness = std::chrono::seconds(*rc::gen::inRange(0, 40));
  const auto from = any_moment(history, lateness);
  const auto to = any_moment(history, lateness);
  // All of them, or a few by name, asked for in any order.
  std::vector<std::string> asked;
  if (*rc::gen::arbitrary<bool>()) {
    const auto some = *rc::gen::inRange(1, 4);
    for (int i = 0; i < some; ++i) {
      asked.push_back(pv_called(*rc::gen::inRange<std::uint32_t>(1, journal::kChannels + 1)));
    }
  }
  const auto answer = std::make_shared<test::Asked>();
  const auto answered = answer_changes(past, test::call_of(answer, "journal.changes", {}),
                                       {from.moment, to.moment, asked, lateness});
  RC_ASSERT(answered.ok());
  RC_ASSERT(answer->answer && answer->answer->ok());

  api::Changes found;
  for (const auto& packed : answer->parts) {
    const auto part = model::unpack<api::Changes>(packed).value();
    found.before.insert(found.before.end(), part.before.begin(), part.before.end());
    found.after.insert(found.after.end(), part.after.begin(), part.after.end());
    found.lines.insert(found.lines.end(), part.lines.begin(), part.lines.end());
  }
  const auto before = machine_at(history, from);
  const auto after = machine_at(history, to);
  std::size_t shown = 0;
  std::uint32_t looked_at = 0;
  for (const auto& [address, channel] : past.by_address) {
    if (!asked.empty() && std::ranges::find(asked, address) == asked.end()) continue;
    ++looked_at;
    const auto* was = before.find(channel);
    const auto* is = after.find(channel);
    if (are_alike(was, is)) continue;
    RC_ASSERT(shown < found.before.size());
    RC_ASSERT(found.before[shown].address == address);
    RC_ASSERT(found.after[shown].address == address);
    expect_shown(found.before[shown], was);
    expect_shown(found.after[shown], is);
    const auto line_of = [](const auto* row) { return row == nullptr ? 0 : raw(row->last_line()); };
    RC_ASSERT(found.lines[shown] == std::max(line_of(was), line_of(is)));
    ++shown;
  }
  RC_ASSERT(shown == found.before.size());
  const auto end = model::unpack<api::ChangesEnd>(answer->answer->value()).value();
  RC_ASSERT(end.looked_at == looked_at);
  RC_ASSERT(end.parts == answer->parts.size());
}

RC_GTEST_PROP(Changes, AreThoseOfANaiveModel, ()) {
  NaiveHistory history(*rc::gen::element<std::size_t>(1000, 1u << 20));
  history.live([&] { check_changes(history); });
  history.project_all();
  check_changes(history);
}

}  // namespace
}  // namespace tidemark::actors
