// actors/past_states.cpp
//
// The machine at a moment, and what differs between two.

#include <algorithm>

#include "actors/past.h"

namespace tidemark::actors {
namespace {

namespace api = model::api;
using journal::ChannelState;
using journal::Line;
using journal::raw;

constexpr std::size_t kRowsPerPart = 2048;
constexpr std::size_t kPartBytes = 4u << 20;

/// Sends rows in parts, and counts them.
template <class Part>
class Parts {
 public:
  explicit Parts(const bus::Call& call) : call_(call) {}

  Part& part() { return part_; }
  void added(std::size_t bytes) {
    ++rows_;
    bytes_ += bytes;
    if (rows_ >= kRowsPerPart || bytes_ >= kPartBytes) send();
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

bool differ(const ChannelState* a, const ChannelState* b) {
  if (a == nullptr || b == nullptr) return a != b;
  if (a->last_line() == b->last_line()) return false;
  return a->state != b->state || a->alarm != b->alarm || !model::same_value(a->value, b->value);
}

}  // namespace

Result<Unit> answer_state(const Past& self, const bus::Call& call, const api::StateQuery& query) {
  api::PastEnd end;
  const auto at = resolve(*self.projections, query.at);
  if (!at) return at.error();
  end.at = at.value();
  const auto channels = wanted(self, query.addresses, end.unknown);
  const auto numbers = numbers_of(channels);
  const auto state =
      self.archive->state_at(Line{end.at.line}, query.addresses.empty() ? nullptr : &numbers);
  if (!state) return state.error();
  Parts<api::PastValues> parts(call);
  for (const auto& [address, channel] : channels) {
    const auto* row = state.value().find(channel);
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
  const auto from = resolve(*self.projections, query.from);
  if (!from) return from.error();
  const auto to = resolve(*self.projections, query.to);
  if (!to) return to.error();
  end.from = from.value();
  end.to = to.value();
  const auto channels = wanted(self, query.addresses, end.unknown);
  const auto numbers = numbers_of(channels);
  const auto* only = query.addresses.empty() ? nullptr : &numbers;
  const auto before = self.archive->state_at(Line{end.from.line}, only);
  if (!before) return before.error();
  const auto after = self.archive->state_at(Line{end.to.line}, only);
  if (!after) return after.error();
  Parts<api::Changes> parts(call);
  for (const auto& [address, channel] : channels) {
    ++end.looked_at;
    const auto* was = before.value().find(channel);
    const auto* is = after.value().find(channel);
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
