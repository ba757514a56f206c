#include "tools/watched.h"

#include <algorithm>
#include <ostream>

#include "tools/documents.h"
#include "tools/show.h"

namespace tidemark::tools {

namespace api = model::api;

void apply(const model::PvUpdate& update, api::LiveValue& value) {
  using Event = model::PvUpdate::Event;
  if (update.event == Event::kDisconnected) {
    value.state = model::LiveState::kDisconnected;
    return;
  }
  value.state = model::LiveState::kConnected;
  if (update.event == Event::kConnected) {
    value.units = update.meta->units;
    value.precision = update.meta->precision;
    value.labels = update.meta->labels;
    value.native_type = update.meta->native_type;
    value.host = update.meta->host;
    value.writable = update.meta->writable;
    return;
  }
  value.value = update.value;
  value.alarm = update.alarm;
  value.taken_at = update.taken_at;
}

void forget(api::LiveValue& value) {
  value.state = model::LiveState::kNeverConnected;
  value.value = {};
  value.alarm = {};
  value.taken_at = {};
}

bool shows_the_same(const api::LiveValue& a, const api::LiveValue& b) {
  return a.state == b.state && a.alarm == b.alarm && a.taken_at == b.taken_at &&
         model::same_value(a.value, b.value);
}

Watched::Watched(Context& context, std::vector<api::LiveValue> values, std::uint64_t lines_max)
    : context_(context), lines_max_(lines_max) {
  for (auto& value : values) {
    name_width_ = std::max(name_width_, display_width(value.address));
    order_.push_back(value.channel);
    shown_[value.channel] = std::move(value);
  }
}

void Watched::show_all() {
  for (const auto channel : order_) show(shown_[channel]);
}

void Watched::take(const std::vector<LiveUpdate>& updates) {
  States states;
  for (const auto& [update, from_state] : updates) take(update, from_state, states);
  settle(states);
}

void Watched::take(const std::vector<model::PvUpdate>& updates, bool whole) {
  States states;
  if (whole) {
    states = shown_;
    for (auto& [channel, value] : states) forget(value);
  }
  for (const auto& update : updates) take(update, whole, states);
  settle(states);
}

void Watched::take(const model::PvUpdate& update, bool from_state, States& states) {
  const auto found = shown_.find(update.channel);
  if (found == shown_.end()) return;
  // A whole state comes in several updates for one channel: shown once, if it is another.
  if (from_state) {
    apply(update, states.try_emplace(update.channel, found->second).first->second);
    return;
  }
  settle(states);
  const auto before = found->second;
  apply(update, found->second);
  if (!shows_the_same(before, found->second)) show(found->second);
}

void Watched::settle(States& states) {
  for (auto& [channel, state] : states) {
    auto& before = shown_[channel];
    const bool changed = !shows_the_same(before, state);
    before = std::move(state);
    if (changed) show(before);
  }
  states.clear();
}

void Watched::show(const api::LiveValue& value) {
  if (full()) return;
  ++lines_;
  if (context_.json) {
    context_.print(live_json(value));
    context_.out.flush();
    return;
  }
  const bool colored = context_.color();
  const auto name = printable(value.address);
  auto text = printable(value_text(value.value, value.labels, value.precision));
  if (!value.units.empty()) text += " " + printable(value.units);
  context_.out << time_text(value.taken_at) << "  " << name
               << std::string(name_width_ - std::min(name_width_, display_width(name)), ' ') << "  "
               << paint(text, alarm_color(value.alarm), colored);
  const auto alarm = alarm_text(value.alarm);
  if (!alarm.empty()) context_.out << "  " << paint(alarm, alarm_color(value.alarm), colored);
  if (value.state != model::LiveState::kConnected) {
    context_.out << "  " << paint(state_text(value.state), state_color(value.state), colored);
  }
  context_.out << std::endl;
}

}  // namespace tidemark::tools
