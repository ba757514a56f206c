// tools/cmd_history.cpp
//
// history: what happened to one PV, sample by sample, in bins, or as a plot.

#include <algorithm>
#include <memory>
#include <ostream>
#include <utility>

#include "tools/commands.h"
#include "tools/history_bins.h"
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
constexpr const char* kSeeBins = "--bins and --plot have them";
constexpr const char* kInBins = "shown where it begins, as a whole";

struct HistoryOptions {
  std::string address;
  std::string since;
  std::string until = "now";
  Clock clock;
  std::uint32_t bins = 0;   // 0: every sample
  std::uint64_t limit = 0;  // 0: all
  std::string reduce = "minmax";
  bool plot = false;
  bool csv = false;
};

/// What all forms of it ask for. An hour when --since does not say how long.
Result<api::HistoryQuery> question_of(const HistoryOptions& options, UtcTime now) {
  api::HistoryQuery question;
  question.address = options.address;
  const auto to = parse_moment("--until", options.until, now);
  if (!to) return to.error();
  question.to = to.value();
  const auto lateness = lateness_of(options.clock);
  if (!lateness) return lateness.error();
  question.lateness = lateness.value();
  if (options.since.empty()) {
    question.from = {0, to.value().time.value_or(now) - 1h};
    return question;
  }
  const auto from = parse_moment("--since", options.since, now);
  if (!from) return from.error();
  question.from = from.value();
  return question;
}

/// Bins are of time, so both ends get one. Of the end: no later than now, by whichever clock is
/// ahead, ours or the journal's.
Result<api::HistoryQuery> in_time(const Context& context, Client& client,
                                  api::HistoryQuery question) {
  auto& [line, time, mark] = question.from;
  if (line == 0 && !time && mark.empty()) time = context.now();  // "now"
  if (question.to.line != 0 || !question.to.mark.empty()) return question;
  const auto last = resolve(context, client, {});
  if (!last) return last.error();
  const auto latest = std::max(context.now(), last.value().recorded_at);
  question.to.time = std::min(question.to.time.value_or(latest), latest);
  return question;
}

api::BinsQuery bins_of(const api::HistoryQuery& question, std::size_t bins, bool median = false) {
  return {question.address, question.from,    question.to, static_cast<std::uint32_t>(bins),
          median,           question.lateness};
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

/// So that what is written meanwhile is not read: up to a line, or a time that has passed.
Result<api::Moment> settled(const Context& context, Client& client,
                            const api::HistoryQuery& question) {
  if (question.lateness) {
    const auto timed = in_time(context, client, question);
    if (!timed) return timed.error();
    return timed.value().to;
  }
  const auto to = resolve(context, client, question.to);
  if (!to) return to.error();
  return exactly(question.to, to.value());
}

Exit samples(Context& context, Client& client, const HistoryOptions& options,
             api::HistoryQuery question) {
  const auto to = settled(context, client, question);
  if (!to) return context.report(to.error());
  question.to = to.value();
  const auto pv = describe(context, client, options.address, question.to);
  if (!pv) return context.report(pv.error());
  const SamplePrinter printer(context, pv.value(), options.csv, question.lateness);
  printer.titles();
  HistoryPages pages(context, client, question);
  const auto print = [&](const model::PvUpdate& update, std::uint64_t line) {
    printer.print(update, line);
  };
  const auto limit = options.limit == 0 ? ~std::uint64_t{0} : options.limit;
  bool more = true;
  bool first = true;
  while (more && pages.handed_over() < limit && context.out) {
    const auto read = pages.read(limit - pages.handed_over(), print);
    if (!read) return context.report(read.error());
    if (std::exchange(first, false)) {
      tell_expired(context, pages.expired());
      tell_decimated(context, pages.decimated(), kSeeBins);
    }
    context.out.flush();
    more = read.value();
  }
  if (more && context.out) {
    context.err << "there are more than " << options.limit << ": see --limit\n";
  }
  return Exit::kFine;
}

// ---- reduced ------------------------------------------------------------------------------------

/// Samples that come in one answer.
struct Few {
  std::vector<std::pair<model::PvUpdate, std::uint64_t>> samples;  // with their lines
  api::HistoryEnd end;
};

Result<Few> ask_few(const Context& context, Client& client, const api::HistoryQuery& question) {
  Few few;
  Result<Unit> decoded = Unit{};
  const auto take = [&](const api::HistorySamples& part) {
    auto updates = model::decode_updates(part.updates.bytes);
    if (!updates) decoded = updates.error();
    if (!updates) return;
    for (std::size_t i = 0; i < updates.value().size() && i < part.lines.size(); ++i) {
      few.samples.emplace_back(std::move(updates.value()[i]), part.lines[i]);
    }
  };
  auto end = ask_in_parts<api::HistorySamples, api::HistoryEnd>(context, client, "journal.history",
                                                                question, take);
  if (!end) return with_pv_hint(client, end.error(), question.address);
  if (!decoded) return decoded.error();
  few.end = std::move(end).value();
  return few;
}

Exit print_few(const Context& context, const HistoryOptions& options, const Few& few) {
  const SamplePrinter printer(context, few.end.now, options.csv, few.end.lateness);
  printer.titles();
  tell_expired(context, few.end.expired);
  tell_decimated(context, few.end.decimated, kSeeBins);
  for (const auto& [update, line] : few.samples) printer.print(update, line);
  return Exit::kFine;
}

Exit reduced(Context& context, Client& client, const HistoryOptions& options,
             const api::HistoryQuery& asked) {
  const auto question = in_time(context, client, asked);
  if (!question) return context.report(question.error());
  if (options.reduce == "lttb" || options.reduce == "optimized") {
    auto wanted = question.value();
    if (options.reduce == "lttb") {
      wanted.line_points = options.bins;
    } else {
      wanted.limit = options.bins;
    }
    const auto few = ask_few(context, client, wanted);
    if (!few) return context.report(few.error());
    if (!few.value().end.cut) return print_few(context, options, few.value());
  }
  const bool median = options.reduce == "median";
  const auto reply = ask_bins(context, client, bins_of(question.value(), options.bins, median));
  if (!reply) return context.report(reply.error());
  tell_expired(context, reply.value().expired);
  tell_decimated(context, reply.value().decimated, kInBins);
  const auto columns = median                     ? BinColumns::kMedian
                       : options.reduce == "mean" ? BinColumns::kMean
                                                  : BinColumns::kAll;
  print_bins(context, reply.value(), columns, options.csv);
  return Exit::kFine;
}

// ---- plot ---------------------------------------------------------------------------------------

/// The last that had happened when it begins.
Result<std::optional<model::PvUpdate>> in_force(const Context& context, Client& client,
                                                api::HistoryQuery question) {
  question.to = question.from;
  question.limit = 1;
  const auto few = ask_few(context, client, question);
  if (!few) return few.error();
  std::optional<model::PvUpdate> found;
  if (!few.value().samples.empty()) found = few.value().samples.front().first;
  return found;
}

Exit draw(Context& context, Client& client, const HistoryOptions& options,
          const api::HistoryQuery& asked) {
  const auto question = in_time(context, client, asked);
  if (!question) return context.report(question.error());
  const auto width = context.columns == 0 ? kPlotWidth : context.columns;
  const auto columns = plot_columns(width);
  const auto reply = ask_bins(context, client, bins_of(question.value(), columns));
  if (!reply) return context.report(reply.error());
  tell_expired(context, reply.value().expired);
  tell_decimated(context, reply.value().decimated, kInBins);
  const auto can = can_be_plotted(reply.value().now);
  if (!can) return context.report(can.error());
  const auto before = in_force(context, client, question.value());
  if (!before) return context.report(before.error());
  const auto what = plot_of(reply.value(), columns, before.value());
  const bool any = std::any_of(what.columns.begin(), what.columns.end(),
                               [](const PlotColumn& column) { return column.band.has_value(); });
  if (!any) {
    context.err << printable(options.address) << " has no number in that time\n";
    return Exit::kFine;
  }
  context.out << paint(printable(options.address), Color::kBold, context.color()) << "  "
              << time_text(what.begin, 0) << " to " << time_text(what.end, 0);
  if (asked.lateness) context.out << ", " << rule_text(*asked.lateness);
  context.out << "\n";
  for (const auto& line : plot(what, width, context.color())) context.out << line << "\n";
  return Exit::kFine;
}

// ---- options ------------------------------------------------------------------------------------

Exit history(Context& context, const HistoryOptions& options) {
  if (options.plot && (options.csv || context.json)) {
    return context.report({Code::kInvalidArgument,
                           "--plot is for people: not with --json or "
                           "--csv"});
  }
  const auto form = csv_or_json(context, options.csv);
  if (!form) return context.report(form.error());
  const auto question = question_of(options, context.now());
  if (!question) return context.report(question.error());
  return with_client(context, [&](Client& client) {
    if (options.plot) return draw(context, client, options, question.value());
    if (options.bins > 0) return reduced(context, client, options, question.value());
    return samples(context, client, options, question.value());
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
       "minor, M major, ! invalid, x disconnected. Where updates have expired, bins and plots are "
       "made "
       "of what was kept of them, if anything was, and say so. " +
           std::string(kMomentHelp),
       "  tidemark history QUAD:LI21:201:BACT --since 10m\n"
       "  tidemark history QUAD:LI21:201:BACT --since 'monday 08:00' --bins 24 --csv\n"
       "  tidemark history QUAD:LI21:201:BACT --since 24h --bins 1000 --reduce lttb --csv\n"
       "  tidemark history QUAD:LI21:201:BACT --since 8h --plot"},
      [&context, options] { return history(context, *options); });
  command.add_option("PV", options->address, "Address").required();
  command
      .add_option("--since", options->since,
                  "From this moment on (default: an hour before the end)")
      .type_name("MOMENT");
  command.add_option("--until", options->until, "Up to this moment (default: now)")
      .type_name("MOMENT");
  add_clock(command, options->clock);
  auto bins = command.add_option("--bins", options->bins, "So many parts of equal length")
                  .in_range(1, api::BinsQuery::kBinsMax);
  command
      .add_option("--reduce", options->reduce,
                  "What of each part: minmax (default), mean, median; lttb: so many samples that "
                  "draw the same line; optimized: all samples when they are no more")
      .one_of({"minmax", "mean", "median", "lttb", "optimized"})
      .needs(bins);
  auto limit = command.add_option("--limit", options->limit, "At most so many samples");
  auto plot = command.add_flag("--plot", options->plot, "Draw it");
  bins.excludes(limit).excludes(plot);
  plot.excludes(limit);
  add_csv(command, options->csv);
  add_journal(command, context);
}

}  // namespace tidemark::tools
