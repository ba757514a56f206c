// config/endpoints.h
//
// Where each node of a site is found on the bus. With ipc that follows from the name alone; with
// tcp only the registry's address is known beforehand, the others are learnt from it.

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

/// Where the registry answers requests: all that anybody needs to know to join.
std::string registry_endpoint(const Site& site);

}  // namespace tidemark::config
