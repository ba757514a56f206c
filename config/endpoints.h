// config/endpoints.h
//
// Where each node of a site is found on the bus. With ipc that follows from the name alone; with
// tcp only the registries' addresses are known beforehand, the others are learnt from them.

#pragma once

#include <string>
#include <vector>

#include "config/site.h"

namespace tidemark::config {

struct Endpoints {
  std::vector<std::string> data;
  std::vector<std::string> requests;
};

/// Where `node` binds.
Endpoints bind_endpoints(const Site& site, const std::string& node);

struct RegistryEndpoint {
  std::string node;  // "registry", "registry-2", …
  std::string endpoint;

  bool operator==(const RegistryEndpoint&) const = default;
};

/// Where the registries answer requests: all that anybody needs to know to join. At least one.
std::vector<RegistryEndpoint> registry_endpoints(const Site& site);

/// The first of them.
std::string registry_endpoint(const Site& site);

}  // namespace tidemark::config
