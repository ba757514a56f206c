// tools/line_csv.h
//
// Lines of the journal as rows of comma-separated values: `log query --csv` and `log export
// --format csv`. What a row has no column for is in `record`, as JSON.

#pragma once

#include <iosfwd>

#include "model/api/journal.h"

namespace tidemark::tools {

void print_line_titles(std::ostream& out);
void print_line_row(std::ostream& out, const model::api::LogLine& line);

}  // namespace tidemark::tools
