// gateway/server.h
//
// HTTP/1.1 on Boost.Beast: one thread, any number of connections within its limits.
//
//   GET  /health                     {"status":"healthy"}
//   GET  /metrics                    Prometheus text
//   GET  /v1/pvs/paged               POST|GET /v1/pvs/live     POST|GET /v1/snapshots
//   GET  /v1/snapshots/{id}          GET /v1/jobs/{id}
//
// The wire is that of the Squirrel contract (docs/gateway.md says where it is followed).

#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "gateway/backend.h"

namespace tidemark::gateway {

struct ServerLimits {
  std::uint32_t connections_max = 512;
  std::size_t header_bytes_max = 16u << 10;
  std::size_t body_bytes_max = 1u << 20;
  std::size_t target_bytes_max = 8u << 10;
  Duration header_timeout = std::chrono::seconds(5);
  Duration body_timeout = std::chrono::seconds(10);
  Duration idle_timeout = std::chrono::seconds(30);
  Duration answer_timeout = std::chrono::seconds(10);
};

struct ServerOptions {
  std::string listen = "127.0.0.1:8080";  // address:port; port 0: any free one
  bool squirrel_envelope = false;
  ServerLimits limits;
};

class Server {
 public:
  virtual ~Server() = default;  // stops, and joins its thread
  virtual std::uint16_t port() const = 0;
};

/// Errors: kConflict  the port is in use (named). kInvalidArgument  `listen` is no address.
/// `backend` must outlive the server.
Result<std::unique_ptr<Server>> start_server(ServerOptions options, Backend& backend);

}  // namespace tidemark::gateway
