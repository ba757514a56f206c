// model/subsystem_codec.cpp

#include <set>

#include "model/api/subsystem.h"
#include "model/packing_impl.h"

namespace tidemark::model {
namespace {

Error wrong(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

}  // namespace

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

namespace tidemark::model {

Result<Surface> api::read_surface(BytesView packed) {
  auto read = unpack<Surface>(packed);
  if (!read) return wrong(read.error().message);
  std::set<std::string_view> names;
  for (const auto& key : read.value().keys) {
    if (const auto fine = kv::check_spec(key); !fine) return fine.error();
    if (!names.insert(key.name).second) return wrong("two keys '" + key.name + "'");
  }
  names.clear();
  for (const auto& event : read.value().events) {
    const auto fine = kv::check_key_name(event.name);
    if (!fine) return wrong("event " + fine.error().message);
    if (!names.insert(event.name).second) return wrong("two events '" + event.name + "'");
  }
  return read;
}

}  // namespace tidemark::model
