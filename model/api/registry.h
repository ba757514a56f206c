// model/api/registry.h
//
// What the registry answers. Its payloads are bus::NodeInfo and bus::Directory, which are packed
// by bus/.
//
//   registry.register   NodeInfo → Directory     a lease of kLease, renewed by asking again
//                       kRefused "superseded by …"   a newer incarnation of the node is there: stop
//                       kConflict                    another node has that name or number
//   registry.goodbye    NodeInfo → Empty         it ends in order
//   registry.exited     Exited → Empty           its supervisor saw it end
//   registry.directory  Empty → Directory
//
// The directory is published whole on kDirectoryStream at each change.

#pragma once

#include <cstdint>
#include <string>
#include <tuple>

#include "base/time.h"

namespace tidemark::model::api {

inline constexpr Duration kLease = std::chrono::seconds(3);
inline constexpr Duration kLeaseRenewal = std::chrono::seconds(1);

struct Exited {
  std::string name;
  std::uint32_t pid = 0;
  std::string reason;  // "stopped", "killed by signal 9", "exited with 1"
  static auto fields(auto& s) { return std::tie(s.name, s.pid, s.reason); }
};

}  // namespace tidemark::model::api
