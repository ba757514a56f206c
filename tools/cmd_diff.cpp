// tools/cmd_diff.cpp
//
// diff: what differs between two moments of the past.

#include <cstdio>
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

struct DiffOptions {
  std::string from;
  std::string to;
  std::vector<std::string> patterns;
  bool csv = false;
  bool exit_code = false;
  Clock clock;
};

const std::vector<std::string> kTitles = {"address",      "before",          "after",
                                          "delta",        "units",           "before_label",
                                          "after_label",  "before_severity", "after_severity",
                                          "before_state", "after_state",     "line"};

void print_csv_row(std::ostream& out, const api::LiveValue& before, const api::LiveValue& after,
                   std::uint64_t line) {
  const auto delta = delta_of(before.value, after.value);
  print_csv(out, {after.address, csv_value(before.value), csv_value(after.value),
                  delta ? csv_number(*delta) : "", after.units,
                  csv_label(before.value, before.labels), csv_label(after.value, after.labels),
                  std::string(model::to_string(before.alarm.severity)),
                  std::string(model::to_string(after.alarm.severity)),
                  std::string(model::to_string(before.state)),
                  std::string(model::to_string(after.state)), std::to_string(line)});
}

/// The value, and the alarm or the lost connection when these differ too.
Cell side_cell(const api::LiveValue& value, const api::LiveValue& other) {
  auto cell = value_cell(value);
  // In full when the precision would make two different numbers look alike.
  if (model::as_number(value.value) && !model::same_value(value.value, other.value) &&
      cell.text == value_cell(other).text) {
    cell.text = value_text(value.value, value.labels);
  }
  if (value.alarm != other.alarm || value.state != other.state) {
    const auto condition = condition_cell(value);
    cell.color = condition.color;
    if (!condition.text.empty()) cell.text += " (" + condition.text + ")";
  }
  return cell;
}

std::string delta_text(const api::LiveValue& before, const api::LiveValue& after) {
  const auto delta = delta_of(before.value, after.value);
  if (!delta || model::same_value(before.value, after.value)) return "";
  // Not all digits: most of them are what a difference of doubles leaves over.
  char text[64];
  std::snprintf(text, sizeof text, "%+.6g", *delta);
  return text;
}

Exit diff(Context& context, Client& client, const DiffOptions& options, const api::Moment& from,
          const api::Moment& to) {
  const auto lateness = lateness_of(options.clock);
  if (!lateness) return context.report(lateness.error());
  const auto first = resolve(context, client, from);
  if (!first) return context.report(first.error());
  const auto second = resolve(context, client, to);
  if (!second) return context.report(second.error());
  const bool text = !context.json && !options.csv;
  if (options.csv) print_csv(context.out, kTitles);
  Table table({{"PV"},
               {"BEFORE", true},
               {"AFTER", true},
               {"DELTA", true, false},
               {"UNIT"},
               {"LINE", true, false}});
  std::size_t different = 0;
  const auto take = [&](const api::Changes& part) {
    for (std::size_t i = 0; i < part.before.size() && i < part.after.size(); ++i) {
      const auto& before = part.before[i];
      const auto& after = part.after[i];
      const auto line = i < part.lines.size() ? part.lines[i] : 0;
      ++different;
      if (options.csv) {
        print_csv_row(context.out, before, after, line);
      } else if (context.json) {
        auto json = change_json(before, after, line);
        add_rule(json, lateness.value());
        context.print(json);
      } else {
        table.add({after.address, side_cell(before, after), side_cell(after, before),
                   delta_text(before, after), after.units, std::to_string(line)});
      }
    }
  };
  const auto end = ask_in_parts<api::Changes, api::ChangesEnd>(
      context, client, "journal.changes",
      api::ChangesQuery{exactly(from, first.value(), lateness.value()),
                        exactly(to, second.value(), lateness.value()), options.patterns,
                        lateness.value()},
      take);
  if (!end) return context.report(end.error());
  if (text) {
    context.out << paint("before: " + moment_text(first.value(), end.value().source_from) + "\n" +
                             "after:  " + moment_text(second.value(), end.value().source_to),
                         Color::kBold, context.color())
                << "\n";
    if (!table.empty()) table.print(context.out, context.columns, context.color());
  }
  (text ? context.out : context.err)
      << different << " of " << end.value().looked_at << " PVs differ\n";
  // Of patterns it is not said which of them match PVs that are as they were.
  const bool unknown = Unknown({}).report(context, client, end.value().unknown);
  return unknown || (options.exit_code && different > 0) ? Exit::kFailed : Exit::kFine;
}

}  // namespace

void add_diff_command(Command app, Context& context) {
  auto options = std::make_shared<DiffOptions>();
  auto command = add_command(
      app, context, "diff",
      {"Show which PVs differ between two moments",
       "What changed and is as it was again is not shown; LINE is that of the last change. Exits "
       "with 1 when a PATTERN that is no glob is unknown. " +
           std::string(kMomentHelp),
       "  tidemark diff 'yesterday 14:05' now 'QUAD:*'\n"
       "  tidemark diff @184223 10m --exit-code"},
      [&context, options] {
        const auto form = csv_or_json(context, options->csv);
        if (!form) return context.report(form.error());
        const auto from = parse_moment("BEFORE", options->from, context.now());
        if (!from) return context.report(from.error());
        const auto to = parse_moment("AFTER", options->to, context.now());
        if (!to) return context.report(to.error());
        return with_client(context, [&](Client& client) {
          return diff(context, client, *options, from.value(), to.value());
        });
      });
  command.add_option("BEFORE", options->from, "A moment").type_name("MOMENT").required();
  command.add_option("AFTER", options->to, "Another").type_name("MOMENT").required();
  command.add_option("PATTERN", options->patterns, "Addresses or globs (default: all)");
  command.add_flag("--exit-code", options->exit_code, "Exit with 1 when something differs");
  add_clock(command, options->clock);
  add_csv(command, options->csv);
  add_journal(command, context);
}

}  // namespace tidemark::tools
