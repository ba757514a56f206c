// tools/cmd_replay.cpp
//
// replay: the journal between two moments, played again: a page that changes on a terminal, lines
// elsewhere. replay list, pause, resume, speed, step, seek, stop: of those under way.

#include <ostream>

#include "model/api/node.h"
#include "subsystem/replay_reader.h"
#include "tools/commands.h"
#include "tools/interrupt.h"
#include "tools/log_filter.h"
#include "tools/moment.h"
#include "tools/raw_terminal.h"
#include "tools/replay_view.h"
#include "tools/replays.h"
#include "tools/show.h"
#include "tools/times.h"
#include "tools/watched.h"

namespace tidemark::tools {
namespace {

using namespace std::chrono_literals;
namespace api = model::api;
using subsystem::ReplayReader;

constexpr auto kReplayBudget = 10s;
constexpr auto kReplayTick = 50ms;

struct ReplayOptions {
  std::string from;
  std::string to;
  std::vector<std::string> patterns;
  std::string speed = "1";
  bool paused = false;
  bool no_records = false;
};

Result<api::ReplayStatus> control(const Context& context, Client& client,
                                  const api::ReplayControl& wanted) {
  return client.ask<api::ReplayStatus>("journal", "journal.replay_control", wanted,
                                       context.budget(kReplayBudget));
}

// ---- replay -------------------------------------------------------------------------------------

bool has_all(const ReplayReader& reader, const api::ReplayStatus& status) {
  return status.phase == api::ReplayPhase::kFinished && reader.live() &&
         reader.applied() >= status.items;
}

Exit over(const Context& context, const ReplayReader& reader) {
  return context.report({Code::kUnavailable, "the replay is over: " + reader.ended()->message});
}

/// A line for each change, until its end.
Exit print_replay(Context& context, ReplayReader& reader, std::vector<api::LiveValue> values,
                  api::ReplayStatus status) {
  Watched shown(context, std::move(values), 0);
  shown.show_all();
  while (!Interrupt::came() && context.out && !has_all(reader, status)) {
    for (const auto& event : reader.next(kReplayTick)) {
      if (const auto* given = std::get_if<ReplayReader::Updates>(&event)) {
        shown.take(given->updates, given->whole);
        continue;
      }
      const auto& news = std::get<api::ReplayNews>(event);
      for (const auto& line : news.lines) print_line(context, line);
      if (context.json && news.status.phase != status.phase) {
        context.print(replay_json(news.status));
      }
      status = news.status;
      context.out.flush();
    }
    if (reader.ended()) return over(context, reader);
  }
  context.err << "tidemark: " << replay_text(status) << ": " << status.updates << " updates, "
              << status.records << " other records\n";
  return Exit::kFine;
}

/// The page, until somebody leaves it.
Exit view_replay(Context& context, Client& client, ReplayReader& reader,
                 std::vector<api::LiveValue> values, const api::ReplayStatus& begin) {
  ReplayView view(std::move(values));
  view.take(api::ReplayNews{begin, {}});
  std::optional<Error> why;
  {
    RawTerminal terminal;
    while (!Interrupt::came() && !why) {
      for (const auto& event : reader.next(kReplayTick)) {
        if (const auto* given = std::get_if<ReplayReader::Updates>(&event)) {
          view.take(given->updates, given->whole);
        } else {
          view.take(std::get<api::ReplayNews>(event));
        }
      }
      why = reader.ended();
      terminal.draw(view.page(terminal.size(), context.color()));
      for (const auto& key : terminal.keys()) {
        if (means_quit(key)) return Exit::kFine;
        const auto wanted = meant_by(key, view.status());
        if (!wanted) continue;
        const auto done = control(context, client, *wanted);
        if (done) {
          view.take(api::ReplayNews{done.value(), {}});
        } else {
          why = done.error();
        }
      }
    }
  }
  return why ? context.report(*why) : Exit::kFine;
}

Exit replay(Context& context, Client& client, const ReplayOptions& options,
            api::ReplayRequest request) {
  const Interrupt interrupt;
  client.follow_directory();
  request.owner = Uuid::random();
  request.user = context.user;
  auto started = client.ask<api::ReplayStarted>("journal", "journal.replay_start", request,
                                                context.budget(kReplayBudget));
  if (!started) return context.report(started.error());
  const auto& status = started.value().replay;
  auto values = replayed_values(context, client, status, options.patterns);
  if (!values) return context.report(values.error());
  const auto journal = client.node("journal");
  if (!journal) return context.report({Code::kUnavailable, "no node 'journal' has registered"});
  auto exit = Exit::kFine;
  {
    ReplayReader reader(client.shared_link(), bus::node_number(journal->uuid), status,
                        request.owner);
    auto& [pvs, complete] = values.value();
    if (context.in_terminal && context.out_terminal && !context.json) {
      exit = view_replay(context, client, reader, std::move(pvs), status);
    } else {
      context.err << "tidemark: replay " << short_id(status.id) << " of lines " << status.from
                  << " to " << status.to << ", " << speed_text(status.speed) << std::endl;
      exit = print_replay(context, reader, std::move(pvs), status);
    }
    if (exit == Exit::kFine && !complete) exit = Exit::kFailed;
  }
  api::ReplayControl stop;
  stop.id = status.id;
  stop.action = api::ReplayAction::kStop;
  [[maybe_unused]] const auto stopped = control(context, client, stop);  // else its lease ends it
  return exit;
}

Exit start(Context& context, const ReplayOptions& options) {
  if (options.from.empty() || options.to.empty()) {
    return context.report({Code::kInvalidArgument, "FROM and TO are needed: two moments"});
  }
  const auto now = context.now();
  const auto from = parse_moment("FROM", options.from, now);
  if (!from) return context.report(from.error());
  const auto to = parse_moment("TO", options.to, now);
  if (!to) return context.report(to.error());
  const auto speed = parse_speed(options.speed);
  if (!speed) return context.report({speed.error().code, "--speed: " + speed.error().message});
  api::ReplayRequest request;
  request.from = from.value();
  request.to = to.value();
  request.addresses = options.patterns;
  request.speed = speed.value();
  request.paused = options.paused;
  request.records = !options.no_records;
  return with_client(context, [&](Client& client) {
    return replay(context, client, options, std::move(request));
  });
}

// ---- those under way ----------------------------------------------------------------------------

Exit list_replays(Context& context) {
  return with_client(context, [&](Client& client) {
    const auto found = client.ask<api::ReplayList>("journal", "journal.replay_list", api::Empty{},
                                                   context.budget(kReplayBudget));
    if (!found) return context.report(found.error());
    if (context.json) {
      for (const auto& each : found.value().replays) context.print(replay_json(each));
      return Exit::kFine;
    }
    Table table({{"ID", false, false},
                 {"PHASE"},
                 {"SPEED", true},
                 {"MOMENT", false, false},
                 {"LINE", true},
                 {"LINES"},
                 {"READERS", true},
                 {"WHO"}});
    for (const auto& each : found.value().replays) {
      table.add({short_id(each.id), to_string(each.phase), speed_text(each.speed),
                 time_text(each.moment), std::to_string(each.line),
                 std::to_string(each.from) + ".." + std::to_string(each.to),
                 std::to_string(each.readers), printable(each.user)});
    }
    if (!table.empty()) table.print(context.out, context.columns, context.color());
    return Exit::kFine;
  });
}

Exit change(Context& context, const std::string& id, api::ReplayControl wanted) {
  return with_client(context, [&](Client& client) {
    const auto replay = find_replay(context, client, id);
    if (!replay) return context.report(replay.error());
    wanted.id = replay.value().id;
    const auto done = control(context, client, wanted);
    if (!done) return context.report(done.error());
    if (context.json) {
      context.print(replay_json(done.value()));
    } else {
      context.out << short_id(wanted.id) << ": " << replay_text(done.value()) << "\n";
    }
    return Exit::kFine;
  });
}

// ---- options ------------------------------------------------------------------------------------

using Read = std::function<Result<Unit>(const std::string& text, api::ReplayControl& wanted)>;

/// A command on the replay ID; `read` takes its second argument, called `argument`.
void add_change(Command replay, Context& context, const std::string& name, Help help,
                api::ReplayAction action, const std::string& argument = {}, Read read = {}) {
  auto id = std::make_shared<std::string>();
  auto text = std::make_shared<std::string>();
  auto command = add_command(
      replay, context, name, std::move(help), [&context, id, text, action, argument, read] {
        api::ReplayControl wanted;
        wanted.action = action;
        if (read) {
          const auto fits = read(*text, wanted);
          if (!fits) {
            return context.report({fits.error().code, argument + ": " + fits.error().message});
          }
        }
        return change(context, *id, wanted);
      });
  command.add_option("ID", *id, "The replay's id, or its first digits").required();
  if (read) command.add_option(argument, *text, argument).required();
}

void add_changes(Command replay, Context& context) {
  using enum api::ReplayAction;
  add_change(replay, context, "pause",
             {"Stop a replay's clock", "Its readers keep what they have.",
              "  tidemark replay pause 1f3a90c2"},
             kPause);
  add_change(replay, context, "resume",
             {"Let a replay's clock run", "From where it is.", "  tidemark replay resume 1f3a90c2"},
             kResume);
  add_change(replay, context, "stop",
             {"End a replay", "For all who read it.", "  tidemark replay stop 1f3a90c2"}, kStop);
  add_change(replay, context, "speed",
             {"Change how fast a replay goes", "SPEED is 0.1 to 1000 times recorded time, or max.",
              "  tidemark replay speed 1f3a90c2 10\n  tidemark replay speed 1f3a90c2 max"},
             kSpeed, "SPEED",
             [](const std::string& text, api::ReplayControl& wanted) -> Result<Unit> {
               const auto speed = parse_speed(text);
               if (!speed) return speed.error();
               wanted.speed = speed.value();
               return Unit{};
             });
  add_change(replay, context, "seek",
             {"Set a replay to another moment of its range",
              "Its readers get the machine's state of then. " + std::string(kMomentHelp),
              "  tidemark replay seek 1f3a90c2 14:05\n  tidemark replay seek 1f3a90c2 @184223"},
             kSeek, "MOMENT",
             [&context](const std::string& text, api::ReplayControl& wanted) -> Result<Unit> {
               auto at = parse_moment(text, context.now());
               if (!at) return at.error();
               wanted.at = std::move(at).value();
               return Unit{};
             });
  add_change(replay, context, "step",
             {"Pause a replay, and let it go on a little",
              "STEP is line, block (what was recorded together), or a duration of recorded time.",
              "  tidemark replay step 1f3a90c2 line\n  tidemark replay step 1f3a90c2 1s"},
             kStepLines, "STEP",
             [](const std::string& text, api::ReplayControl& wanted) -> Result<Unit> {
               if (text == "line") return Unit{};
               wanted.action = text == "block" ? kStepBlocks : kStepTime;
               if (text == "block") return Unit{};
               const auto time = parse_duration_argument(text);
               if (!time) return Error{time.error().code, "line, block, or a duration such as 1s"};
               wanted.time = time.value();
               return Unit{};
             });
}

}  // namespace

void add_replay_commands(Command app, Context& context) {
  auto options = std::make_shared<ReplayOptions>();
  auto command = app.add_subcommand("replay", "Play the journal again between two moments");
  command.footer(
      "The values of then, and the other records, as they came: on a terminal a page that changes, "
      "elsewhere a line for each change. It goes over streams of its own, never to a live table "
      "of the site nor to an IOC; whoever else wants it reads it with `pv watch --replay`. Keys: "
      "space pauses, s steps to the next block, . to the next line, the arrows go back and forth "
      "and change the speed, m is as fast as it goes, q ends. " +
      std::string(kMomentHelp) +
      "\n\nEXAMPLE\n"
      "  tidemark replay 'shot 4711' 'shot 4711.end' 'QUAD:*' --speed 10\n"
      "  tidemark replay 10m now --speed max --json\n"
      "  tidemark replay list\n");
  command.add_option("FROM", options->from, "Where it begins: a moment").type_name("MOMENT");
  command.add_option("TO", options->to, "Where it ends").type_name("MOMENT");
  command.add_option("PATTERN", options->patterns, "Addresses or globs (default: all PVs)");
  command
      .add_option("--speed", options->speed,
                  "Times recorded time, 0.1 to 1000, or max (default: 1)")
      .type_name("SPEED");
  command.add_flag("--paused", options->paused, "Wait for `replay resume` or the space bar");
  command.add_flag("--no-records", options->no_records, "PVs only");
  command.callback([&context, command, options] {
    // One of its commands has said what to do.
    if (!command.has_subcommand()) {
      context.command = [&context, options] { return start(context, *options); };
    }
  });
  add_command(command, context, "list",
              {"List the replays under way", "Whoever started them.", "  tidemark replay list"},
              [&context] { return list_replays(context); });
  add_changes(command, context);
}

}  // namespace tidemark::tools
