// actors/restore_detail.h
//
// What the JobAccepted record of a restore says of it in its detail: which snapshot, what the plan
// was, and the comment of whoever asked. Whoever reads the journal finds the snapshot by it.

#pragma once

#include <string>
#include <string_view>

#include "base/uuid.h"
#include "model/restore_plan.h"

namespace tidemark::actors {

/// "end of the study (snapshot 1f3a90c2-…: 3 to write, 12 there already, 0 refused, plan 5d41…)".
std::string restore_detail(const Uuid& snapshot, const model::RestorePlan& plan,
                           const std::string& comment);

/// The snapshot that such a detail names. Nil: it names none, as those of earlier versions.
Uuid snapshot_in(std::string_view detail);

}  // namespace tidemark::actors
