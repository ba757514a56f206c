// epics/dbr.h
//
// libca's DBR structures to our values and back: copies, never views. Pure functions; db_access.h
// stays in the .cpp, so types are numbers here: `field` is a native type (DBF_DOUBLE, …), `dbr` a
// request type (DBR_TIME_DOUBLE, …).

#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "model/pv_update.h"

namespace tidemark::epics::dbr {

/// What a channel holds, as its IOC says at connect.
struct Native {
  short field = -1;
  std::uint32_t count = 1;   // elements at most
  bool long_string = false;  // an array of char that is read as a text
};

long time_type(short field);
long ctrl_type(short field);

/// As model::type_name() of its values.
std::string native_name(const Native& native);

/// A value with alarm and time from a DBR_TIME_* at `data` with `count` elements, of which at
/// most `elements_max` are taken. The channel is left at 0.
model::PvUpdate read_time(const Native& native, const void* data, std::uint32_t count,
                          std::uint32_t elements_max);

/// Units, precision, limits and labels from a DBR_CTRL_* at `data`.
void read_ctrl(short field, const void* data, model::PvMeta& meta);

struct Raw {
  long type = 0;  // DBR_DOUBLE, …
  std::uint32_t count = 0;
  Bytes bytes;
};

/// `value` is of the native type already (put_value.h).
Raw write(const Native& native, const model::PvValue& value);

}  // namespace tidemark::epics::dbr
