// gateway/routes.h
//
// Which request goes to which endpoint. A path that is known with another method is 405 with
// Allow, any other path 404. HEAD goes where GET goes.

#pragma once

#include "gateway/exchange.h"
#include "gateway/metrics.h"

namespace tidemark::gateway {

/// What endpoints use. Outlives every exchange.
struct Services {
  Backend& backend;
  Metrics& metrics;
};

/// Answers `exchange`, now or later; never throws.
void dispatch(Services& services, Exchange& exchange);

}  // namespace tidemark::gateway
