// model/record_fields.h
//
// A record as a struct of named fields: what programs get to see of it, in one shape for all
// kinds. The names are those of record.h.

#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "model/kv/value.h"
#include "model/record.h"

namespace tidemark::model {

/// Ids are text, levels are their names, a time that is the epoch is none, and a PV's value is as
/// a key's would be: every integer is an int64, float is double. Of an UnknownRecord: its kind and
/// its packed row.
kv::Struct fields_of(const Record& record);

/// One of these; nothing when a record of this kind has no field of that name.
std::optional<kv::Value> field_of(const Record& record, std::string_view name);

/// The names there are, of all kinds, sorted.
const std::vector<std::string_view>& field_names();

/// What a PV's value is as a key's.
kv::Value to_kv(const PvValue& value);

}  // namespace tidemark::model
