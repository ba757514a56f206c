// bus/ask_again.h
//
// Carries out StreamReader::AskAgain over a Link.

#pragma once

#include "bus/stream_reader.h"

namespace tidemark::bus {

/// `on_frames` is called once, on the loop thread, with the frames in sequence, or with why there
/// are none.
void ask_again(Link& link, StreamId stream, const StreamReader::AskAgain& wanted,
               std::function<void(Result<std::vector<Frame>>)> on_frames);

}  // namespace tidemark::bus
