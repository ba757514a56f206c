// bus/failure.h
//
// The payload of a failed answer: msgpack [code, message].

#pragma once

#include "base/bytes.h"
#include "base/result.h"

namespace tidemark::bus {

Bytes pack_failure(const Error& error);

/// What the server said. A payload that is no failure is itself one: kCorruption; a code that we
/// do not know (a later version's) is kFailed with the message kept.
Error unpack_failure(BytesView payload);

}  // namespace tidemark::bus
