// tools/typed_json.h
//
// Values as JSON that says of which kind they are, so that reading gives back what was written:
//
//   bool, text, arrays and structs   as JSON has them
//   integers                         without point or exponent; doubles with: 1 and 1.0
//   what JSON has not                an object of one field that begins with $:
//     {"$double": "nan"}  {"$time": "2026-11-21T14:05:00.000000000Z"}  {"$duration": 1500000}
//     {"$bytes": "00ff"}  {"$enum": [1, "on"]}
//     {"$struct": {…}}    a struct that would look like one of these
//
// An integer that is not negative is an int64 when it fits, else a uint64, as on the bus.

#pragma once

#include "model/kv/value.h"
#include "tools/context.h"

namespace tidemark::tools {

Json to_typed_json(const model::kv::Value& value);

/// An object of one field that begins with $ is one of the above.
/// Errors: kInvalidArgument, naming where: "data.x: …".
Result<model::kv::Value> from_typed_json(const Json& json);

/// The fields of a record, each a value of its own.
Result<model::kv::Struct> fields_from_typed_json(const Json& json);

/// JSON of others, where $ means nothing.
Result<model::kv::Value> from_plain_json(const Json& json);

/// A line of text as a JSON object. Depth and size are looked at before anything is built.
/// Errors: kInvalidArgument.
Result<Json> parse_json_line(std::string_view line);

}  // namespace tidemark::tools
