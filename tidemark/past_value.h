// tidemark/past_value.h
//
// What an update makes of a PV's value of the past. Not installed.

#pragma once

#include "model/pv_update.h"
#include "tidemark/replay.h"

namespace tidemark::detail {

void apply(const model::PvUpdate& update, PastValue& pv);

}  // namespace tidemark::detail
