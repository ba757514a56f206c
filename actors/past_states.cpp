// actors/past_states.cpp
//
// The machine at a moment, and what differs between two.

#include <algorithm>

#include "actors/past.h"
#include "journal/source_time.h"

namespace tidemark::actors {
namespace {

namespace api = model::api;
using journal::ChannelState;
using journal::Line;
using journal::raw;

constexpr std::size_t kRowsPerPart = 2048;
constexpr std::size_t kStatePartBytes = 4u << 20;

/// Sends rows in parts, and counts them.
template <class Part>
class StateParts {
 public:
  explicit StateParts(const bus::Call& call) : call_(call) {}

  Part& part() { return part_; }
  void added(std::size_t bytes) {
    ++rows_;
    bytes_ += bytes;
    if (rows_ >= kRowsPerPart || bytes_ >= kStatePartBytes) send();
  }
  void send() {
    if (rows_ == 0) return;
    call_.progress(model::pack(part_));
    part_ = {};
    rows_ = 0;
    bytes_ = 0;
    ++count_;
  }
  std::uint32_t count() const { return count_; }

 private:
  const bus::Call& call_;
  Part part_;
  std::size_t rows_ = 0;
  std::size_t bytes_ = 0;
  std::uint32_t count_ = 0;
};

/// The machine at a moment, by the journal's time or by its sources'.
struct State {
  api::MomentReply at;
  std::optional<api::SourceMoment> source;
  journal::MachineState channels;
};

/// Inside of lines whose updates have expired.
enum class Unknown : std::uint8_t { kIsAnError, kWasBefore };

Result<State> state_of(const Past& self, const api::Moment& moment,
                       const std::optional<Duration>& lateness,
                       const std::vector<model::ChannelId>* only,
                       Unknown unknown = Unknown::kIsAnError) {
  State state;
  const auto at = resolve(*self.projections, moment);
  if (!at) return at.error();
  state.at = at.value();
  if (!lateness) {
    const Line line{state.at.line};
    auto found = unknown == Unknown::kWasBefore ? self.archive->seen_at(line, only)
                                                : self.archive->state_at(line, only);
    if (!found) return found.error();
    state.channels = std::move(found).value();
    return state;
  }
  const auto bounded = check_lateness(*lateness, api::kLatenessMax);
  if (!bounded) return bounded.error();
  const journal::SourceTime when{moment.time.value_or(state.at.recorded_at), *lateness};
  const auto lines = journal::lines_around(self.archive->store(), when);
  if (!lines) return lines.error();
  state.source = api::SourceMoment{when.at, when.lateness, raw(lines.value().certain),
                                   raw(lines.value().last)};
  auto found = journal::state_by_source(*self.archive, when, lines.value(), only);
  if (!found) return found.error();
  state.channels = std::move(found).value();
  return state;
}

bool differ(const ChannelState* a, const ChannelState* b) {
  if (a == nullptr || b == nullptr) return a != b;
  // By the sources' time the last line of all may be the same, and one before it not.
  if (a->value_line == b->value_line && a->link_line == b->link_line) return false;
  return a->state != b->state || a->alarm != b->alarm || !model::same_value(a->value, b->value);
}

}  // namespace

Result<Unit> answer_state(const Past& self, const bus::Call& call, const api::StateQuery& query) {
  api::PastEnd end;
  const auto channels = wanted(self, query.addresses, end.unknown);
  const auto numbers = numbers_of(channels);
  const auto state = state_of(self, query.at, query.lateness,
                              query.addresses.empty() ? nullptr : &numbers, Unknown::kWasBefore);
  if (!state) return state.error();
  end.at = state.value().at;
  end.source = state.value().source;
  if (!query.lateness) {
    // At the end of such lines it is known.
    const Line line{end.at.line};
    end.expired = expired_updates(self.projections->store(), line, line);
    std::erase_if(end.expired, [&](const auto& each) { return each.last == end.at.line; });
  }
  StateParts<api::PastValues> parts(call);
  for (const auto& [address, channel] : channels) {
    const auto* row = state.value().channels.find(channel);
    // Before it was defined there was no such PV.
    if (row == nullptr && query.addresses.empty()) continue;
    parts.part().values.push_back(live_value(address, channel, row));
    parts.part().lines.push_back(row == nullptr ? 0 : raw(row->value_line));
    parts.added(row == nullptr ? 0 : model::content_bytes(row->value));
  }
  parts.send();
  end.parts = parts.count();
  call.done(model::pack(end));
  return Unit{};
}

Result<Unit> answer_changes(const Past& self, const bus::Call& call,
                            const api::ChangesQuery& query) {
  api::ChangesEnd end;
  const auto channels = wanted(self, query.addresses, end.unknown);
  const auto numbers = numbers_of(channels);
  const auto* only = query.addresses.empty() ? nullptr : &numbers;
  const auto before = state_of(self, query.from, query.lateness, only);
  if (!before) return before.error();
  const auto after = state_of(self, query.to, query.lateness, only);
  if (!after) return after.error();
  end.from = before.value().at;
  end.to = after.value().at;
  end.source_from = before.value().source;
  end.source_to = after.value().source;
  StateParts<api::Changes> parts(call);
  for (const auto& [address, channel] : channels) {
    ++end.looked_at;
    const auto* was = before.value().channels.find(channel);
    const auto* is = after.value().channels.find(channel);
    if (!differ(was, is)) continue;
    parts.part().before.push_back(live_value(address, channel, was));
    parts.part().after.push_back(live_value(address, channel, is));
    parts.part().lines.push_back(std::max(was == nullptr ? 0 : raw(was->last_line()),
                                          is == nullptr ? 0 : raw(is->last_line())));
    parts.added((was == nullptr ? 0 : model::content_bytes(was->value)) +
                (is == nullptr ? 0 : model::content_bytes(is->value)));
  }
  parts.send();
  end.parts = parts.count();
  call.done(model::pack(end));
  return Unit{};
}

}  // namespace tidemark::actors
