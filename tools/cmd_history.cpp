// tools/cmd_history.cpp
//
// history: what happened to one PV, sample by sample, in bins, or as a plot.

#include <algorithm>
#include <memory>
#include <ostream>

#include "tools/commands.h"
#include "tools/csv.h"
#include "tools/history_pages.h"
#include "tools/history_plot.h"
#include "tools/moment.h"
#include "tools/past.h"
#include "tools/past_show.h"
#include "tools/pv_hint.h"
#include "tools/sample_printer.h"
#include "tools/show.h"

namespace tidemark::tools {
namespace {

using namespace std::chrono_literals;
namespace api = model::api;

constexpr std::size_t kPlotWidth = 80;  // where there is no terminal

struct HistoryOptions {
  std::string address;
  std::string since;
  std::string until = "now";
  std::uint32_t bins = 0;   // 0: every sample
  std::uint64_t limit = 0;  // 0: all
  bool plot = false;
  bool csv = false;
};

struct Span {
  api::Moment from;
  api::Moment to;
};

/// An hour when --since does not say how long.
Result<Span> span_of(const HistoryOptions& options, UtcTime now) {
  const auto to = parse_moment_or_mark(options.until, now);
  if (!to) return Error{to.error().code, "--until: " + to.error().message};
  if (options.since.empty()) {
    return Span{{0, to.value().time.value_or(now) - 1h}, to.value()};
  }
  const auto from = parse_moment_or_mark(options.since, now);
  if (!from) return Error{from.error().code, "--since: " + from.error().message};
  return Span{from.value(), to.value()};
}

/// Bins are of time, so both ends get one. Of the end: no later than now, by whichever clock is
/// ahead, ours or the journal's.
Result<Span> span_in_time(const Context& context, Client& client, Span span) {
  if (span.from.line == 0 && !span.from.time) span.from.time = context.now();  // "now"
  if (span.to.line != 0) return span;
  const auto last = resolve(context, client, {});
  if (!last) return last.error();
  const auto latest = std::max(context.now(), last.value().recorded_at);
  span.to.time = std::min(span.to.time.value_or(latest), latest);
  return span;
}

// ---- samples ------------------------------------------------------------------------------------

/// What the IOC says of the PV: units, precision, labels.
Result<api::LiveValue> describe(const Context& context, Client& client, const std::string& address,
                                const api::Moment& at) {
  api::LiveValue found;
  const auto end = ask_in_parts<api::PastValues, api::PastEnd>(
      context, client, "journal.state", api::StateQuery{at, {address}}, [&](api::PastValues part) {
        if (!part.values.empty()) found = std::move(part.values.front());
      });
  if (!end) return end.error();
  if (end.value().unknown.empty()) return found;
  return Error{Code::kNotFound, "the journal has never heard of '" + printable(address) + "'" +
                                    pv_hint(client, address)};
}

Exit samples(Context& context, Client& client, const HistoryOptions& options, Span span) {
  const auto to = resolve(context, client, span.to);
  if (!to) return context.report(to.error());
  span.to = exactly(span.to, to.value());
  const auto pv = describe(context, client, options.address, span.to);
  if (!pv) return context.report(pv.error());
  const SamplePrinter printer(context, pv.value(), options.csv);
  printer.titles();
  HistoryPages pages(context, client, {options.address, span.from, span.to, 0});
  const auto print = [&](const model::PvUpdate& update, std::uint64_t line) {
    printer.print(update, line);
  };
  const auto limit = options.limit == 0 ? ~std::uint64_t{0} : options.limit;
  bool more = true;
  while (more && pages.handed_over() < limit && context.out) {
    const auto read = pages.read(limit - pages.handed_over(), print);
    if (!read) return context.report(read.error());
    context.out.flush();
    more = read.value();
  }
  if (more && context.out) {
    context.err << "there are more than " << options.limit << ": see --limit\n";
  }
  return Exit::kFine;
}

// ---- bins ---------------------------------------------------------------------------------------

Result<api::HistoryBins> ask_bins(const Context& context, Client& client,
                                  const std::string& address, const Span& span,
                                  std::uint32_t bins) {
  return client.ask<api::HistoryBins>("journal", "journal.bins",
                                      api::BinsQuery{address, span.from, span.to, bins},
                                      context.budget(kPastBudget));
}

void print_bins_csv(std::ostream& out, const std::vector<api::Bin>& bins) {
  print_csv(out, {"time", "samples", "count", "first", "last", "min", "mean", "max", "deviation",
                  "worst", "disconnected"});
  for (const auto& bin : bins) {
    print_csv(out, {csv_time(bin.begin), std::to_string(bin.samples), std::to_string(bin.count),
                    csv_number(bin.first), csv_number(bin.last), csv_number(bin.min),
                    csv_number(bin.mean), csv_number(bin.max), csv_number(bin.deviation),
                    std::string(model::to_string(bin.worst)), bin.disconnected ? "1" : "0"});
  }
}

void print_bins(const Context& context, const api::HistoryBins& reply) {
  Table table({{"TIME", false, false},
               {"COUNT", true, false},
               {"MIN", true},
               {"MEAN", true},
               {"MAX", true},
               {"DEVIATION", true},
               {"ALARM"}});
  for (const auto& bin : reply.bins) {
    const auto number = [&](double value) -> std::string {
      if (bin.count == 0) return "-";
      return value_text(model::PvValue(value), {}, reply.now.precision);
    };
    char deviation[64] = "-";
    if (bin.count > 0) std::snprintf(deviation, sizeof deviation, "%.4g", bin.deviation);
    const Cell alarm = bin.worst == model::Severity::kNone
                           ? Cell(bin.disconnected ? "disconnected" : "", Color::kMagenta)
                           : Cell(model::to_string(bin.worst), alarm_color({bin.worst, 0}));
    table.add({time_text(bin.begin), std::to_string(bin.count), number(bin.min), number(bin.mean),
               number(bin.max), deviation, alarm});
  }
  if (table.empty()) {
    context.err << "nothing happened in that time\n";
  } else {
    table.print(context.out, context.columns, context.color());
  }
}

Exit bins(Context& context, Client& client, const HistoryOptions& options, const Span& asked) {
  const auto span = span_in_time(context, client, asked);
  if (!span) return context.report(span.error());
  const auto reply = ask_bins(context, client, options.address, span.value(), options.bins);
  if (!reply) return context.report(with_pv_hint(client, reply.error(), options.address));
  if (context.json) {
    for (const auto& bin : reply.value().bins) context.print(bin_json(bin));
  } else if (options.csv) {
    print_bins_csv(context.out, reply.value().bins);
  } else {
    print_bins(context, reply.value());
  }
  return Exit::kFine;
}

// ---- plot ---------------------------------------------------------------------------------------

/// The last that had happened by then.
Result<std::optional<model::PvUpdate>> in_force(const Context& context, Client& client,
                                                const std::string& address, const api::Moment& at) {
  std::optional<model::PvUpdate> found;
  const auto end = ask_in_parts<api::HistorySamples, api::HistoryEnd>(
      context, client, "journal.history", api::HistoryQuery{address, at, at, 1},
      [&](const api::HistorySamples& part) {
        const auto updates = model::decode_updates(part.updates.bytes);
        if (updates && !updates.value().empty()) found = updates.value().front();
      });
  if (!end) return end.error();
  return found;
}

Exit draw(Context& context, Client& client, const HistoryOptions& options, const Span& asked) {
  const auto span = span_in_time(context, client, asked);
  if (!span) return context.report(span.error());
  const auto width = context.columns == 0 ? kPlotWidth : context.columns;
  const auto columns = plot_columns(width);
  const auto reply =
      ask_bins(context, client, options.address, span.value(), static_cast<std::uint32_t>(columns));
  if (!reply) return context.report(with_pv_hint(client, reply.error(), options.address));
  const auto can = can_be_plotted(reply.value().now);
  if (!can) return context.report(can.error());
  const auto before = in_force(context, client, options.address, span.value().from);
  if (!before) return context.report(before.error());
  const auto what = plot_of(reply.value(), columns, before.value());
  const bool any = std::any_of(what.columns.begin(), what.columns.end(),
                               [](const PlotColumn& column) { return column.band.has_value(); });
  if (!any) {
    context.err << printable(options.address) << " has no number in that time\n";
    return Exit::kFine;
  }
  context.out << paint(printable(options.address), Color::kBold, context.color()) << "  "
              << time_text(what.begin, 0) << " to " << time_text(what.end, 0) << "\n";
  for (const auto& line : plot(what, width, context.color())) context.out << line << "\n";
  return Exit::kFine;
}

Exit history(Context& context, const HistoryOptions& options) {
  if (options.plot && (options.csv || context.json)) {
    return context.report({Code::kInvalidArgument,
                           "--plot is for people: not with --json or "
                           "--csv"});
  }
  const auto form = csv_or_json(context, options.csv);
  if (!form) return context.report(form.error());
  const auto span = span_of(options, context.now());
  if (!span) return context.report(span.error());
  return with_client(context, [&](Client& client) {
    if (options.plot) return draw(context, client, options, span.value());
    if (options.bins > 0) return bins(context, client, options, span.value());
    return samples(context, client, options, span.value());
  });
}

}  // namespace

void add_history_command(Command app, Context& context) {
  auto options = std::make_shared<HistoryOptions>();
  auto command = add_command(
      app, context, "history",
      {"Show what happened to a PV: samples, bins or a plot",
       "The first sample is the one that was in force at --since. In a plot each column reaches "
       "from the least to the greatest value, and updates with an alarm are marked below: m "
       "minor, M major, ! invalid, x disconnected. " +
           std::string(kMomentHelp),
       "  tidemark history QUAD:LI21:201:BACT --since -10m\n"
       "  tidemark history QUAD:LI21:201:BACT --since 'monday 08:00' --bins 24 --csv\n"
       "  tidemark history QUAD:LI21:201:BACT --since -8h --plot"},
      [&context, options] { return history(context, *options); });
  command.add_option("PV", options->address, "Address").required();
  command
      .add_option("--since", options->since,
                   "From this moment on (default: an hour before the end)")
      .type_name("MOMENT");
  command.add_option("--until", options->until, "Up to this moment (default: now)")
      .type_name("MOMENT");
  auto bins = command.add_option("--bins", options->bins, "So many parts of equal length")
                   .in_range(1, api::BinsQuery::kBinsMax);
  auto limit = command.add_option("--limit", options->limit, "At most so many samples");
  auto plot = command.add_flag("--plot", options->plot, "Draw it");
  bins.excludes(limit).excludes(plot);
  plot.excludes(limit);
  add_csv(command, options->csv);
  add_journal(command, context);
}

}  // namespace tidemark::tools
