// bus/zmq_endpoint.cpp

#include "bus/zmq_endpoint.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tidemark::bus {
namespace {

constexpr std::string_view kIpc = "ipc://";
constexpr std::string_view kTcp = "tcp://";
constexpr std::string_view kInproc = "inproc://";

Error invalid(const std::string& endpoint, const std::string& why) {
  return Error{Code::kInvalidArgument, "cannot bind " + endpoint + ": " + why};
}

Result<Unit> prepare_ipc(const std::string& endpoint) {
  const std::string path = endpoint.substr(kIpc.size());
  sockaddr_un address{};
  if (path.empty()) return invalid(endpoint, "it names no file");
  if (path.size() >= sizeof address.sun_path) {
    return invalid(endpoint, "a path of " + std::to_string(path.size()) +
                                 " bytes; a socket's may have " +
                                 std::to_string(sizeof address.sun_path - 1));
  }
  if (path.front() == '@') return Unit{};  // abstract: goes with its process
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return Unit{};
  if (!S_ISSOCK(status.st_mode)) {
    return Error{Code::kConflict,
                 "cannot bind " + endpoint + ": a file that is no socket is there"};
  }

  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (probe < 0) return Error{Code::kUnavailable, std::string("socket: ") + std::strerror(errno)};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  const bool connected =
      ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  const int error = connected ? 0 : errno;
  ::close(probe);
  if (error == ENOENT) return Unit{};
  if (error != ECONNREFUSED) {  // EAGAIN: its backlog is full, so somebody listens
    return Error{Code::kConflict, endpoint + " is in use by a living process"};
  }
  ::unlink(path.c_str());
  return Unit{};
}

Result<Unit> prepare_tcp(const std::string& endpoint, bool beyond_loopback) {
  const auto colon = endpoint.rfind(':');
  if (colon < kTcp.size()) return invalid(endpoint, "it names no port");
  const std::string host = endpoint.substr(kTcp.size(), colon - kTcp.size());
  in_addr v4{};
  const bool loopback =
      host == "localhost" || host == "[::1]" ||
      (::inet_pton(AF_INET, host.c_str(), &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127);
  if (!loopback && !beyond_loopback) {
    return invalid(endpoint, "only loopback addresses, as there are no keys");
  }
  return Unit{};
}

}  // namespace

EndpointKind endpoint_kind(std::string_view endpoint) {
  if (endpoint.starts_with(kIpc)) return EndpointKind::kIpc;
  if (endpoint.starts_with(kTcp)) return EndpointKind::kTcp;
  if (endpoint.starts_with(kInproc)) return EndpointKind::kInproc;
  return EndpointKind::kOther;
}

Result<Unit> prepare_endpoint(const std::string& endpoint, bool beyond_loopback) {
  switch (endpoint_kind(endpoint)) {
    case EndpointKind::kIpc: return prepare_ipc(endpoint);
    case EndpointKind::kTcp: return prepare_tcp(endpoint, beyond_loopback);
    case EndpointKind::kInproc: return Unit{};
    case EndpointKind::kOther: break;
  }
  return invalid(endpoint, "neither ipc://, tcp:// nor inproc://");
}

void protect_endpoint(const std::string& endpoint) {
  if (endpoint_kind(endpoint) != EndpointKind::kIpc) return;
  const std::string path = endpoint.substr(kIpc.size());
  if (path.front() != '@') ::chmod(path.c_str(), S_IRUSR | S_IWUSR);
}

}  // namespace tidemark::bus
