// gateway/endpoints.h
//
// What each route does: check the input, ask the backend, put the answer into the contract's
// words. Each ends in exactly one Exchange::answer(), unless the backend stays silent.

#pragma once

#include "gateway/routes.h"

namespace tidemark::gateway {

void health(Services& services, Exchange& exchange);
void metrics_text(Services& services, Exchange& exchange);
void list_pvs(Services& services, Exchange& exchange);
void live_by_query(Services& services, Exchange& exchange);
void live_by_body(Services& services, Exchange& exchange);
void live_all(Services& services, Exchange& exchange);
void list_snapshots(Services& services, Exchange& exchange);
void create_snapshot(Services& services, Exchange& exchange);
void get_snapshot(Services& services, Exchange& exchange);
void get_job(Services& services, Exchange& exchange);

}  // namespace tidemark::gateway
