// tools/key_show.h
//
// Keys and their values as people and as programs read them. JSON has no NaN and no infinity: they
// are null, and "special" beside says which.

#pragma once

#include <string>

#include "model/api/subsystem.h"
#include "tools/context.h"
#include "tools/table.h"

namespace tidemark::tools {

/// "read write".
std::string access_text(const model::kv::KeySpec& spec);
/// "0 … 100, step 0.5"; empty without limits.
std::string range_text(const model::kv::KeySpec& spec);
std::string type_text(const model::kv::Type& type);

/// What --json says of a value: "value", and "label" of an enum. NaN and the infinities are null,
/// and "special" says which, and in arrays and structs where: {"x.3": "nan"}. Times are ISO 8601,
/// durations are nanoseconds, bytes are hexadecimal.
void add_key_value(Json& object, const model::kv::Value& value);
/// For people: a long array is cut, and its length said.
std::string key_value_text(const model::kv::Value& value);

/// Yellow when stale, magenta when its owner is gone.
Color quality_color(model::api::Quality quality);

/// All that a key's update says, less its name.
Json update_json(const model::api::KeyUpdate& update);
Json item_json(const model::StatusItem& item);
Color severity_color(model::Level severity);

}  // namespace tidemark::tools
