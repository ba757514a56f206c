// actors/live_value.h
//
// What an IOC says of a PV, in the answer about its value.

#pragma once

#include "model/api/keeper.h"
#include "model/pv.h"

namespace tidemark::actors {

inline void describe(model::api::LiveValue& value, const model::PvMeta& meta) {
  value.units = meta.units;
  value.precision = meta.precision;
  value.labels = meta.labels;
  value.native_type = meta.native_type;
  value.host = meta.host;
  value.writable = meta.writable;
}

}  // namespace tidemark::actors
