// model/api/registry.h
//
// What a registry answers. Most of its payloads are packed by bus/ (bus/node.h).
//
//   registry.register   NodeInfo → Lease         again when its keys, events or labels change
//                       kInvalidArgument             names the field that is none
//                       kRefused "superseded by …"   a newer incarnation of the node is there: stop
//                       kConflict                    another node has that name or number
//   registry.renew      Renewal → Lease          once a second
//                       kNotFound                    this registry does not know it: register
//   registry.goodbye    Renewal → Empty          it ends in order
//   registry.exited     Exited → Empty           its supervisor saw it end
//   registry.forget     Forget → Empty           an operator says that it will not come back
//                       kRefused                     it is alive
//                       kUnavailable                 the registry does not know yet who is alive
//   registry.directory  Empty → Directory        the whole state of kDirectoryStream
//
// Each change is published on kDirectoryStream: a packed list of the NodeInfo that changed.

#pragma once

#include <cstdint>
#include <string>
#include <tuple>

#include "base/time.h"

namespace tidemark::model::api {

struct Exited {
  std::string name;
  std::uint32_t pid = 0;
  std::string reason;  // "stopped", "killed by signal 9", "exited with 1"
  static auto fields(auto& s) { return std::tie(s.name, s.pid, s.reason); }
};

}  // namespace tidemark::model::api
