// bus/forget.h
//
//   registry.forget   Forget → Nothing   an operator says that somebody who is gone need not come
//   back
//                     kRefused           he is alive
//                     kUnavailable       the registry has just started, and does not know who lives
//
// Who died without a goodbye is missed for a day: to a question that anybody may veto he is one who
// did not answer. This ends that at once. Each registry of a site has to be told.

#pragma once

#include <string>
#include <tuple>

#include "base/uuid.h"

namespace tidemark::bus {

struct Forget {
  Uuid uuid;
  std::string name;  // for people, and for registries that have not heard of him
  std::string who;   // says so
  static auto fields(auto& s) { return std::tie(s.uuid, s.name, s.who); }
};

}  // namespace tidemark::bus
