// tools/history_plot.h
//
// A PV's past as a plot: from what the journal answers to columns of dots. Between samples a PV
// keeps its value; while it is not connected, or is no number, there is nothing to draw.

#pragma once

#include <optional>

#include "base/result.h"
#include "model/api/past.h"
#include "tools/plot.h"

namespace tidemark::tools {

/// Errors: kInvalidArgument  it holds strings or arrays.
Result<Unit> can_be_plotted(const model::api::LiveValue& pv);

/// `before` was in force when the bins begin; none when nothing was. Bins are columns of dots.
Plot plot_of(const model::api::HistoryBins& bins, std::size_t columns,
             const std::optional<model::PvUpdate>& before);

}  // namespace tidemark::tools
