// tools/cmd_watch.cpp
//
// pv watch: the value now, then every change, until enough. A change that the monitor saw is
// not left out, also when a frame was lost on the way: the reader fetches the state again.

#include <ostream>

#include "model/api/keeper.h"
#include "subsystem/replay_reader.h"
#include "tools/commands.h"
#include "tools/interrupt.h"
#include "tools/live_follower.h"
#include "tools/pv_hint.h"
#include "tools/replays.h"
#include "tools/show.h"
#include "tools/watched.h"

namespace tidemark::tools {
namespace {

using namespace std::chrono_literals;
namespace api = model::api;

constexpr auto kWatchTick = 100ms;

struct PvWatchOptions {
  std::vector<std::string> names;
  std::string replay;       // the past instead
  std::uint64_t count = 0;  // lines; 0: no end
  Duration period{0};       // 0: no end
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

Exit watch_pvs(Context& context, Client& client, const PvWatchOptions& options) {
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
  Watched shown(context, std::move(reply).value().values, options.count);
  shown.show_all();
  const auto end = options.period > Duration{0} ? steady_now() + options.period : SteadyTime::max();
  const auto enough = [&] {
    return Interrupt::came() || steady_now() >= end || shown.full() || !context.out;
  };
  while (!enough()) {
    shown.take(follower.next(kWatchTick));
    notice.look(client);
  }
  return complete ? Exit::kFine : Exit::kFailed;
}

/// The PVs of a replay, as it says them: it waits for this reader too.
Exit watch_replay(Context& context, Client& client, const PvWatchOptions& options) {
  const Interrupt interrupt;
  client.follow_directory();
  const auto replay = find_replay(context, client, options.replay);
  if (!replay) return context.report(replay.error());
  auto values = replayed_values(context, client, replay.value(), options.names);
  if (!values) return context.report(values.error());
  const auto journal = client.node("journal");
  if (!journal) return context.report({Code::kUnavailable, "no node 'journal' has registered"});
  subsystem::ReplayReader reader(client.shared_link(), bus::node_number(journal->uuid),
                                 replay.value(), Uuid::random());
  Watched shown(context, std::move(values.value().first), options.count);
  shown.show_all();
  const auto end = options.period > Duration{0} ? steady_now() + options.period : SteadyTime::max();
  while (!Interrupt::came() && steady_now() < end && !shown.full() && context.out) {
    for (const auto& event : reader.next(kWatchTick)) {
      const auto* given = std::get_if<subsystem::ReplayReader::Updates>(&event);
      if (given != nullptr) shown.take(given->updates, given->whole);
    }
    if (!reader.ended()) continue;
    context.err << "tidemark: the replay is over: " << reader.ended()->message << "\n";
    break;
  }
  return values.value().second ? Exit::kFine : Exit::kFailed;
}

}  // namespace

void add_watch_command(Command pv, Context& context) {
  auto options = std::make_shared<PvWatchOptions>();
  auto command = add_command(
      pv, context, "watch",
      {"Show values now and as they change",
       "One line for each value, alarm or connection that changes, until Ctrl-C, --count lines "
       "or --for a time. Goes on when the monitor restarts.",
       "  tidemark pv watch 'QUAD:*:BACT'\n"
       "  tidemark pv watch BPM:1:X --for 5s --json"},
      [&context, options] {
        return with_client(context, [&](Client& client) {
          return options->replay.empty() ? watch_pvs(context, client, *options)
                                         : watch_replay(context, client, *options);
        });
      });
  command.add_option("NAME", options->names, "Addresses or globs").required();
  add_replay_option(command, options->replay);
  command.add_option("--count", options->count, "End after so many lines");
  add_duration(command, "--for", options->period, "End after this time");
}

}  // namespace tidemark::tools
