#include "config/endpoints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidemark::config {
namespace {

using testing::ElementsAre;

Site site(std::string_view text) {
  auto parsed = parse(text, "/site/one.toml");
  EXPECT_TRUE(parsed) << parsed.error().message;
  return std::move(parsed).value();
}

constexpr auto kTwoHosts = R"([site]
nodes = ["registry-2", "monitor"]
[bus]
transport = "tcp"
address = "10.9.0.2"
registries = ["tcp://10.9.0.1:5610", "tcp://10.9.0.2:5610"]
keys = "keys"
)";

TEST(Endpoints, OfIpcFollowFromTheName) {
  const auto ipc = site("");
  EXPECT_THAT(bind_endpoints(ipc, "monitor").data,
              ElementsAre("ipc:///site/data/run/monitor.data"));
  EXPECT_THAT(bind_endpoints(ipc, "monitor").requests,
              ElementsAre("ipc:///site/data/run/monitor.req"));
  EXPECT_EQ(registry_endpoint(ipc), "ipc:///site/data/run/registry.req");
}

TEST(Endpoints, OfTcpAreFreePortsOfTheAddressExceptARegistrysOwn) {
  const auto tcp = site(kTwoHosts);
  EXPECT_THAT(bind_endpoints(tcp, "monitor").data, ElementsAre("tcp://10.9.0.2:*"));
  EXPECT_THAT(bind_endpoints(tcp, "monitor").requests, ElementsAre("tcp://10.9.0.2:*"));
  EXPECT_THAT(bind_endpoints(tcp, "registry-2").data, ElementsAre("tcp://10.9.0.2:*"));
  EXPECT_THAT(bind_endpoints(tcp, "registry-2").requests, ElementsAre("tcp://10.9.0.2:5610"));
}

TEST(RegistryEndpoints, OfTcpAreNumberedInTheOrderOfTheFile) {
  const auto tcp = site(kTwoHosts);
  EXPECT_THAT(registry_endpoints(tcp),
              ElementsAre(RegistryEndpoint{"registry", "tcp://10.9.0.1:5610"},
                          RegistryEndpoint{"registry-2", "tcp://10.9.0.2:5610"}));
  EXPECT_EQ(registry_endpoint(tcp), "tcp://10.9.0.1:5610");
}

TEST(RegistryEndpoints, OfIpcAreTheRegistriesThatRunHere) {
  const auto ipc = site("[site]\nnodes = [\"registry\", \"registry-2\", \"keeper\"]\n");
  EXPECT_THAT(registry_endpoints(ipc),
              ElementsAre(RegistryEndpoint{"registry", "ipc:///site/data/run/registry.req"},
                          RegistryEndpoint{"registry-2", "ipc:///site/data/run/registry-2.req"}));
}

TEST(RegistryEndpoints, AreNeverNone) {
  const auto ipc = site("[site]\nnodes = [\"keeper\"]\n");
  EXPECT_THAT(registry_endpoints(ipc),
              ElementsAre(RegistryEndpoint{"registry", "ipc:///site/data/run/registry.req"}));
}

}  // namespace
}  // namespace tidemark::config
