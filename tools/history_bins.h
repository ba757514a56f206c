// tools/history_bins.h
//
// A PV's past in parts of equal length: asking for them, and as a table, CSV or JSON.

#pragma once

#include <string>

#include "model/api/past.h"
#include "tools/context.h"

namespace tidemark::tools {

/// What is shown of each bin. JSON and CSV have all that there is.
enum class BinColumns { kAll, kMean, kMedian };

/// Errors: as journal.bins, with a hint when the PV is unknown.
Result<model::api::HistoryBins> ask_bins(const Context& context, Client& client,
                                         const model::api::BinsQuery& query);

void print_bins(const Context& context, const model::api::HistoryBins& reply, BinColumns columns,
                bool csv);

}  // namespace tidemark::tools
