#include "site/bus_options.h"

#include <unistd.h>

#include <filesystem>

#include "bus/zmq_endpoint.h"
#include "config/endpoints.h"

namespace tidemark::site {
namespace {

std::string host_name() {
  char text[256] = {};
  return ::gethostname(text, sizeof text - 1) == 0 ? text : "localhost";
}

Result<bus::ZmqLinkOptions> options_of(const config::Site& site, const std::string& name,
                                       const std::string& key) {
  bus::ZmqLinkOptions options;
  options.self.name = name;
  options.self.host = host_name();
  options.self.pid = static_cast<std::uint32_t>(::getpid());
  options.self.started_at = utc_now();
  options.insecure = site.bus.insecure;
  if (site.bus.uses_keys()) {
    auto keys = bus::load_curve_keys(site.bus.keys, key);
    if (!keys) return keys.error();
    options.keys = std::move(keys).value();
  }
  return options;
}

}  // namespace

Result<std::vector<bus::NodeInfo>> registries_of(const config::Site& site) {
  std::vector<bus::NodeInfo> registries;
  for (const auto& [node, endpoint] : config::registry_endpoints(site)) {
    auto& registry = registries.emplace_back();
    registry.name = node;
    registry.kind = "registry";
    registry.uuid = bus::node_uuid(site.name, node);
    registry.request_endpoints = {endpoint};
    // With tcp its data port is any free one: the directory says which.
    if (site.bus.transport == "ipc") {
      registry.data_endpoints = config::bind_endpoints(site, node).data;
    }
    if (site.bus.uses_keys()) {
      auto key = bus::load_public_key(site.bus.keys, node);
      if (!key) return key.error();
      registry.public_key.bytes = std::move(key).value();
    }
  }
  return registries;
}

Result<bus::ZmqLinkOptions> node_options(const config::Site& site, const std::string& name) {
  auto options = options_of(site, name, name);
  if (!options) return options.error();
  auto& made = options.value();
  made.self.uuid = bus::node_uuid(site.name, name);
  made.key_directory = site.bus.uses_keys() ? site.bus.keys : "";
  auto endpoints = config::bind_endpoints(site, name);
  made.bind_data = std::move(endpoints.data);
  made.bind_requests = std::move(endpoints.requests);
  return options;
}

Result<bus::ZmqLinkOptions> subsystem_options(const config::Site& site, const std::string& name,
                                              bus::Incarnation incarnation) {
  auto options = node_options(site, name);
  if (!options) return options.error();
  auto& made = options.value();
  made.self.incarnation = incarnation;
  if (site.bus.transport != "ipc") return options;
  const auto begin = name + "-";
  std::error_code ignored;
  for (const auto& file : std::filesystem::directory_iterator(site.run_directory, ignored)) {
    const auto path = file.path().string();
    if (!file.path().filename().string().starts_with(begin) || !file.is_socket(ignored)) continue;
    (void)bus::prepare_endpoint("ipc://" + path, false);  // removes it when nobody listens
  }
  const auto of_this_life = [&](const std::string& what) {
    return "ipc://" + site.run_directory + "/" + begin + std::to_string(incarnation) + "." + what;
  };
  made.bind_data = {of_this_life("data")};
  made.bind_requests = {of_this_life("req")};
  return options;
}

Result<bus::ZmqLinkOptions> client_options(const config::Site& site, const std::string& name,
                                           const std::string& key) {
  auto options = options_of(site, name, key);
  if (!options) return options.error();
  options.value().self.uuid = Uuid::random();
  options.value().self.incarnation = 1;
  return options;
}

}  // namespace tidemark::site
