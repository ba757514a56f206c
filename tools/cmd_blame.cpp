// tools/cmd_blame.cpp
//
// blame: the last changes of a PV, and who made them.

#include <memory>
#include <ostream>

#include "tools/commands.h"
#include "tools/csv.h"
#include "tools/moment.h"
#include "tools/past.h"
#include "tools/past_show.h"
#include "tools/pv_hint.h"
#include "tools/show.h"

namespace tidemark::tools {
namespace {

namespace api = model::api;

struct BlameOptions {
  std::string address;
  std::string at = "now";
  std::uint32_t count = 10;
  bool csv = false;
};

std::string who(const api::BlamedChange& change) {
  if (change.job.is_nil()) return "-";
  std::string out;
  if (!change.type.empty()) out += change.type + " ";
  if (!change.title.empty()) out += "\"" + change.title + "\" ";
  if (!change.user.empty()) out += "by " + change.user + " ";
  out += "(job " + short_id(change.job);
  if (!change.snapshot.is_nil()) out += ", snapshot " + short_id(change.snapshot);
  return out + (change.clamped ? "), clamped" : ")");
}

Cell change_cell(const api::LiveValue& value) {
  // A connection made or lost is a change without a value.
  if (value.value.index() == 0) return {model::to_string(value.state), state_color(value.state)};
  return value_cell(value);
}

void print_csv_row(std::ostream& out, const api::BlamedChange& change) {
  const auto& value = change.value;
  print_csv(
      out,
      {csv_time(value.taken_at), csv_time(change.recorded_at), csv_value(value.value),
       csv_label(value.value, value.labels), std::string(model::to_string(value.alarm.severity)),
       model::status_text(value.alarm.status), std::string(model::to_string(value.state)),
       std::to_string(change.line), change.job.is_nil() ? "" : change.job.text(), change.type,
       change.title, change.user, change.snapshot.is_nil() ? "" : change.snapshot.text(),
       change.clamped ? "clamped" : ""});
}

Table blame_table() {
  return Table({{"IOC TIME", false, false},
                {"VALUE", true},
                {"UNIT"},
                {"ALARM"},
                {"LINE", true, false},
                {"WHO"}});
}

void add_blamed_row(Table& table, const api::BlamedChange& change) {
  table.add({time_text(change.value.taken_at),
             change_cell(change.value),
             change.value.units,
             {alarm_text(change.value.alarm), alarm_color(change.value.alarm)},
             std::to_string(change.line),
             who(change)});
}

/// Page by page: a change of a waveform may be many megabytes.
Exit blame(Context& context, Client& client, const BlameOptions& options, const api::Moment& at) {
  api::BlameQuery query{options.address, at, options.count};
  auto table = blame_table();
  bool titled = false;
  while (true) {
    const auto reply =
        client.ask<api::Blame>("journal", "journal.blame", query, context.budget(kPastBudget));
    if (!reply) return context.report(with_pv_hint(client, reply.error(), options.address));
    tell_expired(context, reply.value().expired);
    if (options.csv && !titled) {
      titled = true;
      print_csv(context.out,
                {"time", "recorded_at", "value", "label", "severity", "status", "state", "line",
                 "job", "type", "title", "user", "snapshot", "clamped"});
    }
    const auto& changes = reply.value().changes;
    for (const auto& change : changes) {
      if (context.json) {
        context.print(blamed_json(change));
      } else if (options.csv) {
        print_csv_row(context.out, change);
      } else {
        add_blamed_row(table, change);
      }
    }
    if (reply.value().next == 0 || changes.size() >= query.count) break;
    query.count -= static_cast<std::uint32_t>(changes.size());
    query.at = {reply.value().next, std::nullopt, {}};
  }
  if (context.json || options.csv) return Exit::kFine;
  if (table.empty()) {
    context.err << "nothing has happened to " << printable(options.address) << " by then\n";
  } else {
    table.print(context.out, context.columns, context.color());
  }
  return Exit::kFine;
}

}  // namespace

void add_blame_command(Command app, Context& context) {
  auto options = std::make_shared<BlameOptions>();
  auto command = add_command(
      app, context, "blame",
      {"Show the last changes of a PV, and who made them",
       "Newest first. A change that was not written through Tidemark has - for who. `clamped` are "
       "those whose IOC took another number than was put, as with a drive limit. " +
           std::string(kMomentHelp),
       "  tidemark blame QUAD:LI21:201:BCTRL\n"
       "  tidemark blame QUAD:LI21:201:BCTRL --at 'monday 08:00' -n 3"},
      [&context, options] {
        const auto form = csv_or_json(context, options->csv);
        if (!form) return context.report(form.error());
        const auto at = parse_moment("--at", options->at, context.now());
        if (!at) return context.report(at.error());
        return with_client(
            context, [&](Client& client) { return blame(context, client, *options, at.value()); });
      });
  command.add_option("PV", options->address, "Address").required();
  command.add_option("--at", options->at, "Up to when (default: now)").type_name("MOMENT");
  command.add_option("-n,--count", options->count, "So many changes (default: 10)")
      .in_range(1, api::BlameQuery::kChangesMax);
  add_csv(command, options->csv);
  add_journal(command, context);
}

}  // namespace tidemark::tools
