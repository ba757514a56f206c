// bus/zmq_endpoint.h
//
// Where a link may be bound: ipc, inproc, and tcp; without keys, tcp on loopback only. A file
// that a dead process left behind is cleared away; one that a living process listens on is not.

#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tidemark::bus {

enum class EndpointKind { kIpc, kTcp, kInproc, kOther };
EndpointKind endpoint_kind(std::string_view endpoint);

/// Makes `endpoint` ready for bind(): says no where we must not bind, removes a stale ipc file.
/// Errors: kInvalidArgument  not an endpoint, path too long, or tcp beyond loopback and not
/// allowed.
///         kConflict         a living process listens there.
Result<Unit> prepare_endpoint(const std::string& endpoint, bool beyond_loopback);

/// After bind(): only our user may connect.
void protect_endpoint(const std::string& endpoint);

}  // namespace tidemark::bus
