// nodes/signals.h
//
// SIGINT and SIGTERM, taken by the main thread when it waits for them and by nobody else.

#pragma once

#include <optional>

#include "base/time.h"
#include "nodes/node.h"

namespace tidemark::nodes {

/// Blocks both signals in this thread and all that it starts: call before any thread is.
void block_stop_signals();

/// Waits for one of them, or for end_by_itself(). Empty: somebody asked us to stop.
std::optional<Ending> wait_for_end();

/// Makes wait_for_end() return `ending`; the first one counts. Threads: any.
void end_by_itself(Ending ending);

/// From now on a process that has not ended within `patience` ends with status 1: what hangs at
/// its end must not hold up its successor.
void end_within(Duration patience);

}  // namespace tidemark::nodes
