// tools/cmd_watch.cpp
//
// pv watch: the value now, then every change, until enough. A change that the monitor saw is
// not left out, also when a frame was lost on the way: the reader fetches the state again.

#include <map>
#include <ostream>

#include "model/api/keeper.h"
#include "tools/commands.h"
#include "tools/documents.h"
#include "tools/interrupt.h"
#include "tools/live_follower.h"
#include "tools/pv_hint.h"
#include "tools/show.h"

namespace tidemark::tools {
namespace {

using namespace std::chrono_literals;
namespace api = model::api;

constexpr auto kTick = 100ms;

struct WatchOptions {
  std::vector<std::string> names;
  std::uint64_t count = 0;  // lines; 0: no end
  Duration period{0};       // 0: no end
};

/// The watched channels as they were last shown.
class Watch {
 public:
  /// Shows no more than `lines_max`; 0: no end.
  Watch(Context& context, std::vector<api::LiveValue> values, std::uint64_t lines_max)
      : context_(context), lines_max_(lines_max) {
    for (auto& value : values) {
      name_width_ = std::max(name_width_, display_width(value.address));
      order_.push_back(value.channel);
      shown_[value.channel] = std::move(value);
    }
  }

  void show_all() {
    for (const auto channel : order_) show(shown_[channel]);
  }

  void take(std::vector<LiveUpdate> updates) {
    // A whole state comes in several updates for one channel: shown once, if it is another.
    std::map<model::ChannelId, api::LiveValue> states;
    for (const auto& [update, from_state] : updates) {
      const auto found = shown_.find(update.channel);
      if (found == shown_.end()) continue;
      if (from_state) {
        auto& state = states.try_emplace(update.channel, found->second).first->second;
        apply(update, state);
        continue;
      }
      settle(states);
      const auto before = found->second;
      apply(update, found->second);
      if (!same(before, found->second)) show(found->second);
    }
    settle(states);
  }

  bool full() const { return lines_max_ > 0 && lines_ >= lines_max_; }

 private:
  void settle(std::map<model::ChannelId, api::LiveValue>& states) {
    for (auto& [channel, state] : states) {
      auto& before = shown_[channel];
      const bool changed = !same(before, state);
      before = std::move(state);
      if (changed) show(before);
    }
    states.clear();
  }

  static void apply(const model::PvUpdate& update, api::LiveValue& value) {
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

  static bool same(const api::LiveValue& a, const api::LiveValue& b) {
    return a.state == b.state && a.alarm == b.alarm && a.taken_at == b.taken_at &&
           model::same_value(a.value, b.value);
  }

  void show(const api::LiveValue& value) {
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
                 << std::string(name_width_ - std::min(name_width_, display_width(name)), ' ')
                 << "  " << paint(text, alarm_color(value.alarm), colored);
    const auto alarm = alarm_text(value.alarm);
    if (!alarm.empty()) context_.out << "  " << paint(alarm, alarm_color(value.alarm), colored);
    if (value.state != model::LiveState::kConnected) {
      context_.out << "  " << paint(state_text(value.state), state_color(value.state), colored);
    }
    context_.out << std::endl;
  }

  Context& context_;
  const std::uint64_t lines_max_;
  std::vector<model::ChannelId> order_;
  std::map<model::ChannelId, api::LiveValue> shown_;
  std::size_t name_width_ = 0;
  std::uint64_t lines_ = 0;
};

/// Says once that the monitor is away, and once that it is back; also when nobody saw it away.
class MonitorNotice {
 public:
  explicit MonitorNotice(Context& context) : context_(context) {}
  void look(const Client& client) {
    const auto node = client.node("monitor");
    if (!node) return;
    const bool away = node->state == bus::NodeState::kDisconnected;
    const bool restarted = incarnation_ != 0 && incarnation_ != node->incarnation;
    if (away != away_) {
      context_.err << "tidemark: the monitor is " << (away ? "away; waiting" : "back") << std::endl;
    } else if (restarted) {
      context_.err << "tidemark: the monitor restarted" << std::endl;
    }
    away_ = away;
    incarnation_ = node->incarnation;
  }

 private:
  Context& context_;
  bool away_ = false;
  bus::Incarnation incarnation_ = 0;
};

Exit watch(Context& context, Client& client, const WatchOptions& options) {
  const Interrupt interrupt;
  client.follow_directory();
  auto reply = client.ask<api::LiveReply>("keeper", "keeper.pv_live", api::LiveQuery{options.names},
                                          context.budget(5s));
  if (!reply) return context.report(reply.error());
  for (const auto& name : reply.value().unknown) {
    context.err << "tidemark: no PV has the address '" << printable(name) << "'"
                << pv_hint(client, name) << "\n";
  }
  if (reply.value().values.empty()) {
    return context.report({Code::kNotFound, "nothing to watch"});
  }
  const bool complete = reply.value().unknown.empty();
  const auto monitor = client.node("monitor");
  if (!monitor) return context.report({Code::kUnavailable, "no node 'monitor' has registered"});

  LiveFollower follower(client, *monitor);
  MonitorNotice notice(context);
  Watch shown(context, std::move(reply).value().values, options.count);
  shown.show_all();
  const auto end = options.period > Duration{0} ? steady_now() + options.period : SteadyTime::max();
  const auto enough = [&] {
    return Interrupt::came() || steady_now() >= end || shown.full() || !context.out;
  };
  while (!enough()) {
    shown.take(follower.next(kTick));
    notice.look(client);
  }
  return complete ? Exit::kFine : Exit::kFailed;
}

}  // namespace

void add_watch_command(CLI::App& pv, Context& context) {
  auto options = std::make_shared<WatchOptions>();
  auto* command = add_command(
      pv, context, "watch",
      {"Show values now and as they change",
       "One line for each value, alarm or connection that changes, until Ctrl-C, --count lines "
       "or --for a time. Goes on when the monitor restarts.",
       "  tidemark pv watch 'QUAD:*:BACT'\n"
       "  tidemark pv watch BPM:1:X --for 5s --json"},
      [&context, options] {
        return with_client(context,
                           [&](Client& client) { return watch(context, client, *options); });
      });
  command->add_option("NAME", options->names, "Addresses or globs")->required();
  command->add_option("--count", options->count, "End after so many lines");
  add_duration(*command, "--for", options->period, "End after this time");
}

}  // namespace tidemark::tools
