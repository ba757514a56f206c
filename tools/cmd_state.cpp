// tools/cmd_state.cpp
//
// state: the machine as it was at a moment.

#include <memory>
#include <ostream>

#include "tools/commands.h"
#include "tools/csv.h"
#include "tools/moment.h"
#include "tools/past.h"
#include "tools/past_show.h"
#include "tools/show.h"

namespace tidemark::tools {
namespace {

namespace api = model::api;

struct StateOptions {
  std::vector<std::string> patterns;
  std::string at;
  Clock clock;
  bool csv = false;
};

void print_csv_row(std::ostream& out, const api::LiveValue& value, std::uint64_t line) {
  print_csv(
      out,
      {value.address, csv_value(value.value), csv_label(value.value, value.labels), value.units,
       std::string(model::to_string(value.alarm.severity)), model::status_text(value.alarm.status),
       std::string(model::to_string(value.state)), csv_time(value.taken_at), std::to_string(line)});
}

Exit state(Context& context, Client& client, const StateOptions& options,
           const api::Moment& moment) {
  const auto lateness = lateness_of(options.clock);
  if (!lateness) return context.report(lateness.error());
  // The line first, so that what follows is about it.
  const auto at = resolve(context, client, moment);
  if (!at) return context.report(at.error());
  const bool text = !context.json && !options.csv;
  if (options.csv) {
    print_csv(context.out, {"address", "value", "label", "units", "severity", "status", "state",
                            "time", "line"});
  }
  Table table({{"PV"},
               {"VALUE", true},
               {"UNIT"},
               {"ALARM"},
               {"IOC TIME", false, false},
               {"LINE", true, false}});
  Unknown unknown(options.patterns);
  const auto take = [&](const api::PastValues& part) {
    for (std::size_t i = 0; i < part.values.size(); ++i) {
      const auto& value = part.values[i];
      const auto line = i < part.lines.size() ? part.lines[i] : 0;
      unknown.saw(value.address);
      if (options.csv) {
        print_csv_row(context.out, value, line);
      } else if (context.json) {
        auto json = past_json(value, line);
        add_rule(json, lateness.value());
        context.print(json);
      } else {
        table.add({value.address, value_cell(value), value.units, condition_cell(value),
                   time_text(value.taken_at), line == 0 ? "-" : std::to_string(line)});
      }
    }
  };
  const auto end = ask_in_parts<api::PastValues, api::PastEnd>(
      context, client, "journal.state",
      api::StateQuery{exactly(moment, at.value(), lateness.value()), options.patterns,
                      lateness.value()},
      take);
  if (!end) return context.report(end.error());
  if (text) {
    context.out << paint(moment_text(at.value(), end.value().source), Color::kBold, context.color())
                << "\n";
    if (!table.empty()) table.print(context.out, context.columns, context.color());
  }
  tell_expired(context, end.value().expired);
  const bool known = end.value().expired.empty();
  if (!known && !context.json) {
    context.err << "tidemark: what PVs were then is not known; these are the last values before\n";
  }
  const bool complete = !unknown.report(context, client, end.value().unknown);
  return complete && known ? Exit::kFine : Exit::kFailed;
}

}  // namespace

void add_state_command(Command app, Context& context) {
  auto options = std::make_shared<StateOptions>();
  auto command = add_command(
      app, context, "state",
      {"Show what PVs were at a moment of the past",
       "PATTERN is an address or a glob; without one all PVs are shown. Exits with 1 when one of "
       "them is unknown, or when the updates of that moment have expired. " +
           std::string(kMomentHelp),
       "  tidemark state 'QUAD:*' --at 'yesterday 14:05'\n"
       "  tidemark state 'QUAD:*' --at 14:05:00.25 --by ioc-time --lateness 500ms\n"
       "  tidemark state QUAD:LI21:201:BCTRL --at @184223 --json"},
      [&context, options] {
        const auto form = csv_or_json(context, options->csv);
        if (!form) return context.report(form.error());
        const auto at = parse_moment("--at", options->at, context.now());
        if (!at) return context.report(at.error());
        return with_client(
            context, [&](Client& client) { return state(context, client, *options, at.value()); });
      });
  command.add_option("PATTERN", options->patterns, "Addresses or globs (default: all)");
  command.add_option("--at", options->at, "When").type_name("MOMENT").required();
  add_clock(command, options->clock);
  add_csv(command, options->csv);
  add_journal(command, context);
}

}  // namespace tidemark::tools
