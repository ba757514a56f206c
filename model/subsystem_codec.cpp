// model/subsystem_codec.cpp

#include "model/api/subsystem.h"
#include "model/packing_impl.h"

namespace tidemark::model {

std::string_view api::to_string(Quality quality) {
  switch (quality) {
    case Quality::kGood: return "good";
    case Quality::kStale: return "stale";
    case Quality::kDisconnected: return "disconnected";
  }
  return "unknown";
}

}  // namespace tidemark::model

using namespace tidemark::model::api;

TIDEMARK_PACKABLE(EventSpec);
TIDEMARK_PACKABLE(Surface);
TIDEMARK_PACKABLE(KeyUpdate);
TIDEMARK_PACKABLE(KeyUpdates);
TIDEMARK_PACKABLE(KeyRead);
TIDEMARK_PACKABLE(KeyWrite);
TIDEMARK_PACKABLE(EventCall);
// Qualified: model/record.h has another one of that name.
TIDEMARK_PACKABLE(tidemark::model::api::EventFeedback);
TIDEMARK_PACKABLE(EventResult);
TIDEMARK_PACKABLE(StatusItems);
TIDEMARK_PACKABLE(StatusAck);
