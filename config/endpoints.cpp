#include "config/endpoints.h"

namespace tidemark::config {
namespace {

std::string ipc(const Site& site, const std::string& node, const char* what) {
  return "ipc://" + site.run_directory + "/" + node + "." + what;
}

}  // namespace

Endpoints bind_endpoints(const Site& site, const std::string& node) {
  if (site.bus.transport == "ipc") return {{ipc(site, node, "data")}, {ipc(site, node, "req")}};
  const auto any_port = "tcp://" + site.bus.address + ":*";
  for (const auto& registry : registry_endpoints(site)) {
    if (registry.node == node) return {{any_port}, {registry.endpoint}};
  }
  return {{any_port}, {any_port}};
}

std::vector<RegistryEndpoint> registry_endpoints(const Site& site) {
  std::vector<RegistryEndpoint> found;
  if (site.bus.transport == "tcp") {
    for (const auto& endpoint : site.bus.registries) {
      const auto number = found.empty() ? "" : "-" + std::to_string(found.size() + 1);
      found.push_back({"registry" + number, endpoint});
    }
    return found;
  }
  for (const auto& name : site.nodes) {
    if (name.starts_with("registry")) found.push_back({name, ipc(site, name, "req")});
  }
  // A site file of few nodes may leave it to somebody else to run the registry.
  if (found.empty()) found.push_back({"registry", ipc(site, "registry", "req")});
  return found;
}

std::string registry_endpoint(const Site& site) { return registry_endpoints(site)[0].endpoint; }

}  // namespace tidemark::config
