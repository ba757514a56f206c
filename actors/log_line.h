// actors/log_line.h
//
// A line of the journal as it is told: model::api::LogLine.

#pragma once

#include <string>

#include "journal/reader.h"
#include "model/api/journal.h"

namespace tidemark::actors {

/// `origin`: what the entry's origin is called.
model::api::LogLine log_line(const journal::Entry& entry, const journal::Store& store,
                             const std::string& origin);

/// About the bytes that it is on the bus.
std::size_t weight(const model::api::LogLine& line);

}  // namespace tidemark::actors
