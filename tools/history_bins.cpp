#include "tools/history_bins.h"

#include <cstdio>
#include <ostream>

#include "tools/csv.h"
#include "tools/past.h"
#include "tools/past_show.h"
#include "tools/pv_hint.h"
#include "tools/show.h"

namespace tidemark::tools {
namespace {

namespace api = model::api;

void print_csv_rows(std::ostream& out, const std::vector<api::Bin>& bins, bool median,
                    bool decimated) {
  std::vector<std::string> titles{"time", "samples", "count",     "first", "last",        "min",
                                  "mean", "max",     "deviation", "worst", "disconnected"};
  if (median) titles.push_back("median");
  if (decimated) titles.push_back("decimated_until");
  print_csv(out, titles);
  for (const auto& bin : bins) {
    std::vector<std::string> cells{
        csv_time(bin.begin),         std::to_string(bin.samples),
        std::to_string(bin.count),   csv_number(bin.first),
        csv_number(bin.last),        csv_number(bin.min),
        csv_number(bin.mean),        csv_number(bin.max),
        csv_number(bin.deviation),   std::string(model::to_string(bin.worst)),
        bin.disconnected ? "1" : "0"};
    if (median) cells.push_back(bin.median ? csv_number(*bin.median) : "");
    if (decimated) cells.push_back(bin.decimated_until ? csv_time(*bin.decimated_until) : "");
    print_csv(out, cells);
  }
}

std::string deviation_text(const api::Bin& bin) {
  if (bin.count == 0) return "-";
  char text[64];
  std::snprintf(text, sizeof text, "%.4g", bin.deviation);
  return text;
}

void print_table(const Context& context, const api::HistoryBins& reply, BinColumns shown) {
  const bool all = shown == BinColumns::kAll;
  const bool mean = all || shown == BinColumns::kMean;
  const bool median = shown == BinColumns::kMedian;
  std::vector<Column> columns{{"TIME", false, false}, {"COUNT", true, false}};
  if (all) columns.push_back({"MIN", true});
  if (mean) columns.push_back({"MEAN", true});
  if (median) columns.push_back({"MEDIAN", true});
  if (all) columns.push_back({"MAX", true});
  if (mean) columns.push_back({"DEVIATION", true});
  columns.push_back({"ALARM"});
  const bool decimated = !reply.decimated.empty();
  if (decimated) columns.push_back({"REACHES TO", false, false});
  Table table(columns);
  for (const auto& bin : reply.bins) {
    const auto number = [&](double value) -> std::string {
      if (bin.count == 0) return "-";
      return value_text(model::PvValue(value), {}, reply.now.precision);
    };
    std::vector<Cell> cells{time_text(bin.begin), std::to_string(bin.count)};
    if (all) cells.emplace_back(number(bin.min));
    if (mean) cells.emplace_back(number(bin.mean));
    if (median) cells.emplace_back(bin.median ? number(*bin.median) : "-");
    if (all) cells.emplace_back(number(bin.max));
    if (mean) cells.emplace_back(deviation_text(bin));
    cells.push_back(bin.worst == model::Severity::kNone
                        ? Cell(bin.disconnected ? "disconnected" : "", Color::kMagenta)
                        : Cell(model::to_string(bin.worst), alarm_color({bin.worst, 0})));
    if (decimated) {
      cells.emplace_back(bin.decimated_until ? time_text(*bin.decimated_until) : std::string());
    }
    table.add(std::move(cells));
  }
  if (table.empty()) {
    context.err << "nothing happened in that time\n";
  } else {
    table.print(context.out, context.columns, context.color());
  }
}

}  // namespace

Result<api::HistoryBins> ask_bins(const Context& context, Client& client,
                                  const api::BinsQuery& query) {
  auto reply =
      client.ask<api::HistoryBins>("journal", "journal.bins", query, context.budget(kPastBudget));
  if (!reply) return with_pv_hint(client, reply.error(), query.address);
  return reply;
}

void print_bins(const Context& context, const api::HistoryBins& reply, BinColumns columns,
                bool csv) {
  if (context.json) {
    for (const auto& bin : reply.bins) {
      auto json = bin_json(bin);
      add_rule(json, reply.lateness);
      context.print(json);
    }
  } else if (csv) {
    print_csv_rows(context.out, reply.bins, columns == BinColumns::kMedian,
                   !reply.decimated.empty());
  } else {
    print_table(context, reply, columns);
  }
}

}  // namespace tidemark::tools
