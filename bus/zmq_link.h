// bus/zmq_link.h
//
// The Link on ZeroMQ: a PUB and a ROUTER socket bound, one SUB socket connected to every peer
// that we read, one DEALER per peer that we ask. One loop thread owns them all; other threads
// reach it through one bounded queue.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "bus/curve_keys.h"
#include "bus/link.h"

namespace tidemark::bus {

class ZmqContext;

struct ZmqLinkOptions {
  NodeInfo self;  // endpoints and public key are filled in by open()
  /// Where to bind, for example "ipc:///run/tidemark/monitor.data", "tcp://127.0.0.1:*".
  /// Empty: a client that only asks and reads.
  std::vector<std::string> bind_data;
  std::vector<std::string> bind_requests;
  /// With keys every tcp connection is CURVE: what we bind there admits only the allowed keys of
  /// `key_directory`, and we connect only to peers whose public key we know. ipc and inproc stay
  /// in clear: the kernel guards them.
  std::optional<CurveKeys> keys;
  std::string key_directory;
  /// Allows tcp beyond loopback without keys.
  bool insecure = false;
  /// ZeroMQ context shared by the links of one process, so inproc:// endpoints reach each
  /// other; null: the link makes its own.
  std::shared_ptr<ZmqContext> context;
};

/// A context for several links of one process.
std::shared_ptr<ZmqContext> make_zmq_context();

/// Binds and starts the loop thread. The destructor tells nobody: it closes within 200 ms.
/// Errors: kConflict  an endpoint is in use by a living process (named in the message); a stale
///                    ipc file is taken over.
///         kInvalidArgument  an endpoint that ZeroMQ does not understand, an ipc path that is too
///                    long, or a tcp address that is not loopback, without keys.
///         kUnavailable  the allowed keys cannot be read.
Result<std::unique_ptr<Link>> open_zmq_link(ZmqLinkOptions options);

}  // namespace tidemark::bus
