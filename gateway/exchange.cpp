#include "gateway/exchange.h"

#include <spdlog/spdlog.h>

namespace tidemark::gateway {

void Exchange::answer(Response response) {
  const auto self = shared_from_this();  // done() may let go of the last other owner.
  if (const auto done = std::exchange(done_, nullptr)) done(std::move(response));
}

void Exchange::broke(const char* what) {
  std::string path;
  for (const auto& segment : request.target.segments) path += "/" + segment;
  spdlog::error("gateway: {} {}: {}", request.method, path, what);
  answer(frame.error(500, "Internal Server Error"));
}

}  // namespace tidemark::gateway
