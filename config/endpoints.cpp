#include "config/endpoints.h"

namespace tidemark::config {
namespace {

std::string ipc(const Site& site, const std::string& node, const char* what) {
  return "ipc://" + site.run_directory + "/" + node + "." + what;
}

}  // namespace

Endpoints bind_endpoints(const Site& site, const std::string& node) {
  if (site.bus.transport == "ipc") return {{ipc(site, node, "data")}, {ipc(site, node, "req")}};
  const bool registry = node == "registry";
  return {{"tcp://127.0.0.1:*"}, {registry ? site.bus.registry : "tcp://127.0.0.1:*"}};
}

std::string registry_endpoint(const Site& site) {
  return site.bus.transport == "ipc" ? ipc(site, "registry", "req") : site.bus.registry;
}

}  // namespace tidemark::config
