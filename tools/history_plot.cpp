#include "tools/history_plot.h"

#include <algorithm>
#include <cmath>

#include "tools/table.h"

namespace tidemark::tools {
namespace {

namespace api = model::api;

std::optional<double> number_of(const model::PvValue& value) {
  const auto number = model::as_number(value);
  return number && !std::isnan(*number) ? number : std::nullopt;
}

}  // namespace

Result<Unit> can_be_plotted(const api::LiveValue& pv) {
  const bool text = std::holds_alternative<std::string>(pv.value) || pv.native_type == "string";
  const bool array =
      std::holds_alternative<model::SharedArray>(pv.value) || pv.native_type.ends_with("[]");
  if (!text && !array) return Unit{};
  return Error{Code::kInvalidArgument, printable(pv.address) + " holds " +
                                           (array ? "arrays" : "strings") +
                                           ", which cannot be plotted: leave out --plot"};
}

Plot plot_of(const api::HistoryBins& bins, std::size_t columns,
             const std::optional<model::PvUpdate>& before) {
  Plot out;
  out.begin = bins.begin;
  out.end = bins.begin + bins.width * static_cast<std::int64_t>(columns);
  out.precision = bins.now.precision;
  out.units = bins.now.units;
  out.labels = bins.now.labels;
  out.columns.resize(columns);

  std::optional<double> held = before ? number_of(before->value) : std::nullopt;
  if (before && !out.columns.empty()) out.columns[0].worst = before->alarm.severity;
  std::size_t next = 0;
  const auto hold_until = [&](std::size_t end) {
    for (; next < end; ++next) {
      if (held) out.columns[next].band = model::Range{*held, *held};
    }
  };
  for (const auto& bin : bins.bins) {
    if (bin.begin < bins.begin || bins.width <= Duration{0}) continue;
    const auto at = static_cast<std::size_t>((bin.begin - bins.begin) / bins.width);
    if (at >= columns) break;
    // What was in force when the bin began lies in its band: so steps are joined.
    hold_until(at + 1);
    auto& column = out.columns[at];
    column.worst = std::max(column.worst, bin.worst);
    column.disconnected = bin.disconnected;
    if (bin.count > 0) {
      if (!column.band) column.band = model::Range{bin.min, bin.max};
      column.band->low = std::min(column.band->low, bin.min);
      column.band->high = std::max(column.band->high, bin.max);
      held = bin.last;
    } else {
      held.reset();
    }
    // What was between the values of a decimated row nobody knows.
    if (bin.decimated_until && *bin.decimated_until > bins.begin) {
      const auto reach = static_cast<std::size_t>((*bin.decimated_until - bins.begin) / bins.width);
      next = std::max(next, std::min(reach, columns));
    }
    // Whether it came back within the bin is not known: the next number will tell.
    if (bin.disconnected) held.reset();
  }
  // At the end it is known.
  if (bins.now.state == model::LiveState::kConnected) held = number_of(bins.now.value);
  hold_until(columns);
  return out;
}

}  // namespace tidemark::tools
