// journal/lost_lines.h
//
// Lines whose content nobody has any more, and whose numbers may be known to somebody: each stands
// as a record that says so, the first of them with the bounds and the reason. So numbers are never
// given to other records, and nobody who reads has to know of holes.

#pragma once

#include <string>
#include <vector>

#include "journal/damage.h"
#include "journal/section.h"
#include "journal/store.h"

namespace tidemark::journal {

/// In whose name: its sequence is the number of the line.
Uuid lost_lines_origin();

/// What stands in the place of `lines`, in order: sections of at most model::kRecordsPerBatchMax.
std::vector<InspectedSection> lost_sections(const LineRange& lines, const std::string& why,
                                            UtcTime now);

/// Records of the journal itself about them, from line `first` on.
InspectedSection own_section(const std::vector<model::Record>& records, Line first, UtcTime now);

}  // namespace tidemark::journal
