// test/gateway/gateway_fixture.h
//
// A real server on a free port, a fake backend behind it, and one client.

#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fake_backend.h"
#include "gateway/server.h"
#include "http_client.h"

namespace tidemark::gateway::test {

class GatewayTest : public ::testing::Test {
 protected:
  GatewayTest() { options_.listen = "127.0.0.1:0"; }

  void start() {
    auto started = start_server(options_, backend_);
    ASSERT_TRUE(started.ok()) << started.error().message;
    server_ = std::move(started).value();
  }
  HttpClient& client() {
    if (!server_) start();
    if (!client_) client_.emplace(server_->port());
    return *client_;
  }
  HttpClient another_client() { return HttpClient(server_->port()); }

  ServerOptions options_;
  FakeBackend backend_;
  std::unique_ptr<Server> server_;
  std::optional<HttpClient> client_;
};

inline std::vector<std::string> keys(const nlohmann::json& object) {
  std::vector<std::string> names;
  for (const auto& [name, value] : object.items()) names.push_back(name);
  return names;
}

}  // namespace tidemark::gateway::test
