// bus/zmq_link.h
//
// The Link on ZeroMQ: a PUB and a ROUTER socket bound, one SUB socket connected to every peer
// that we read, one DEALER per peer that we ask. One loop thread owns them all; other threads
// reach it through one bounded queue.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "bus/link.h"

namespace tidemark::bus {

struct ZmqLinkOptions {
  NodeInfo self;  // endpoints are filled in by open()
  /// Where to bind, for example "ipc:///run/tidemark/monitor.data", "tcp://127.0.0.1:*".
  /// Empty: a client that only asks and reads.
  std::vector<std::string> bind_data;
  std::vector<std::string> bind_requests;
  /// ZeroMQ context shared by the links of one process, so inproc:// endpoints reach each
  /// other; null: the link makes its own. As void* so that no header shows ZeroMQ.
  std::shared_ptr<void> context;
};

/// A context for several links of one process.
std::shared_ptr<void> make_zmq_context();

/// Binds and starts the loop thread. The destructor tells nobody: it closes within 200 ms.
/// Errors: kConflict  an endpoint is in use by a living process (named in the message); a stale
///                    ipc file is taken over.
///         kInvalidArgument  an endpoint that ZeroMQ does not understand, an ipc path that is too
///                    long, or a tcp address that is not loopback (there are no keys yet).
Result<std::unique_ptr<Link>> open_zmq_link(ZmqLinkOptions options);

}  // namespace tidemark::bus
