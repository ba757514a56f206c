// bus/change.h
//
// For streams that only say "it changed": one call per change, however it was heard of.

#pragma once

#include <functional>

#include "bus/link.h"

namespace tidemark::bus {

/// Calls `changed` on the link's loop thread when the publisher is first heard of, for each frame
/// that is new, and when a heartbeat tells of a frame that was lost.
void on_change(Link& link, FrameClass frame_class, StreamId stream, std::function<void()> changed);

}  // namespace tidemark::bus
