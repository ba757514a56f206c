// model/parse_value.h
//
// A value as somebody typed it, for a PV of a known type.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/pv.h"

namespace tidemark::model {

/// Numbers as C writes them (also nan, inf), enums by label or index, arrays as [1, 2, 3],
/// strings as they are. `native_type` is as type_name() says it.
/// Errors: kInvalidArgument, saying what was expected: the labels of an enum, the range of a type.
Result<PvValue> parse_value(std::string_view text, std::string_view native_type,
                            const std::vector<std::string>& labels = {});

}  // namespace tidemark::model
