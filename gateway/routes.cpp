#include "gateway/routes.h"

#include <array>

#include "gateway/endpoints.h"

namespace tidemark::gateway {
namespace {

struct Route {
  std::string_view method;
  std::string_view path;  // "{}" is one segment, whatever it holds
  void (*handle)(Services&, Exchange&);
};

constexpr std::array kRoutes = {
    Route{"GET", "/health", health},
    Route{"GET", "/metrics", metrics_text},
    Route{"GET", "/v1/pvs/paged", list_pvs},
    Route{"GET", "/v1/pvs/live", live_by_query},
    Route{"POST", "/v1/pvs/live", live_by_body},
    Route{"GET", "/v1/pvs/live/all", live_all},
    Route{"GET", "/v1/snapshots", list_snapshots},
    Route{"POST", "/v1/snapshots", create_snapshot},
    Route{"GET", "/v1/snapshots/{}", get_snapshot},
    Route{"GET", "/v1/jobs/{}", get_job},
};

bool matches(std::string_view path, const std::vector<std::string>& segments) {
  for (const auto& segment : segments) {
    if (path.empty()) return false;
    path.remove_prefix(1);  // the slash
    const auto expected = path.substr(0, path.find('/'));
    if (expected != "{}" && expected != segment) return false;
    path.remove_prefix(expected.size());
  }
  return path.empty();
}

}  // namespace

void dispatch(Services& services, Exchange& exchange) {
  exchange.guarded([&] {
    std::string allow;
    for (const auto& route : kRoutes) {
      if (!matches(route.path, exchange.request.target.segments)) continue;
      if (route.method == exchange.request.method) return route.handle(services, exchange);
      if (!allow.empty()) allow += ", ";
      allow += route.method == "GET" ? "GET, HEAD" : route.method;
    }
    auto response = allow.empty() ? exchange.frame.error(404, "Not Found")
                                  : exchange.frame.error(405, "Method Not Allowed");
    response.allow = std::move(allow);
    exchange.answer(std::move(response));
  });
}

}  // namespace tidemark::gateway
