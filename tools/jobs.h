// tools/jobs.h
//
// Waiting for a job of the keeper, and saying how it ended.

#pragma once

#include "model/job.h"
#include "tools/context.h"

namespace tidemark::tools {

/// Asks until the job has ended, with progress on standard error. Goes on asking while the keeper
/// restarts.
/// Errors: kTimeout      Ctrl-C, or --timeout is over: the job goes on; the message says how to
///                       find it again.
///         kUnavailable  the keeper has been away for too long: the same.
///         and what the keeper answers.
Result<model::Job> wait_for_job(Context& context, Client& client, model::Job job);

/// 0 only when all is well: completed, and of a restore nothing refused, unknown or unverified.
/// 4 when anything is unknown, or its node died over it.
Exit exit_of(const model::Job& job);

/// For people: the state, and of a restore what was refused, unknown or not verified first.
void print_job(const Context& context, const model::Job& job);

}  // namespace tidemark::tools
