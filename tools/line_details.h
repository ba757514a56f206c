// tools/line_details.h
//
// Everything that is known of one line of the journal, for people: a row for each thing, and the
// whole as JSON.

#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/api/journal.h"

namespace tidemark::tools {

/// Name and text, printable: {"level", "warning"}, …
std::vector<std::pair<std::string, std::string>> line_details(const model::api::LogLine& line);

/// It stands in the place of lines that expired; it is none itself.
bool stands_for_others(const model::api::LogLine& line);

/// When a message was said, if that was well before it was recorded: it was held back while the
/// journal was away, or comes from elsewhere.
std::optional<UtcTime> said_before(const model::api::LogLine& line);

/// The JSON document of the line, in rows. A long array is in one row.
std::vector<std::string> line_json_rows(const model::api::LogLine& line);

}  // namespace tidemark::tools
