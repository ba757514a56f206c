// test/gateway/gateway_fixture.h
//
// A real server on a free port, a fake backend behind it, and one client.

#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>

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

inline Uuid id_of(std::string_view text) { return Uuid::derive(text); }

inline model::Job job_in(model::JobState state) {
  model::Job job;
  job.id = id_of("job");
  job.type = "snapshot_create";
  job.title = "before shift";
  job.state = state;
  job.created_at = *parse_iso("2026-11-21T14:05:00.123456Z");
  return job;
}

inline model::SnapshotHeader header_named(const std::string& title) {
  model::SnapshotHeader header;
  header.id = id_of(title);
  header.title = title;
  header.author = "anna@control";
  header.created_at = *parse_iso("2026-11-21T14:05:00.123456Z");
  header.pvs = 2;
  return header;
}

}  // namespace tidemark::gateway::test
