// tools/record_json.h
//
// A record of the journal with all its fields, as JSON: what the line's text leaves out.

#pragma once

#include "model/record.h"
#include "tools/context.h"

namespace tidemark::tools {

/// An object with the names of model/record.h. Ids are whole, times have nanoseconds.
Json record_json(const model::Record& record);

}  // namespace tidemark::tools
