// test/gateway/routes_test.cpp
//
// Paths, methods, and the status of what goes wrong.

#include <gmock/gmock.h>

#include "gateway_fixture.h"
#include "samples.h"

namespace tidemark::gateway::test {
namespace {

using nlohmann::json;
using namespace model;

class Routes : public GatewayTest {};

TEST_F(Routes, HealthIsHealthy) {
  const auto answer = client().get("/health");
  EXPECT_EQ(answer.status, 200u);
  EXPECT_EQ(answer.body, R"({"status":"healthy"})");
  EXPECT_EQ(answer.header("Content-Type"), "application/json");
}

TEST_F(Routes, UnknownPathsAreNotFound) {
  const auto answer = client().get("/v1/nothing/here");
  EXPECT_EQ(answer.status, 404u);
  EXPECT_EQ(answer.json(), json({{"detail", "Not Found"}}));
  EXPECT_EQ(client().get("/").status, 404u);
}

TEST_F(Routes, OtherMethodsOfAKnownPathAreToldWhatIsAllowed) {
  client().send("DELETE", "/v1/snapshots");
  const auto answer = client().receive();
  EXPECT_EQ(answer.status, 405u);
  EXPECT_EQ(answer.json(), json({{"detail", "Method Not Allowed"}}));
  EXPECT_EQ(answer.header("Allow"), "GET, HEAD, POST");
}

TEST_F(Routes, HeadHasTheHeaderOfGetAndNoBody) {
  client().send("HEAD", "/health");
  const auto answer = client().receive(true);
  EXPECT_EQ(answer.status, 200u);
  EXPECT_EQ(answer.header("Content-Length"), "20");
  EXPECT_EQ(client().get("/health").body.size(), 20u);  // The connection is in step.
}

TEST_F(Routes, ASlashAtTheEndOfAPathIsIgnored) { EXPECT_EQ(client().get("/health/").status, 200u); }

TEST_F(Routes, AMalformedIdIsNotFoundAndNeverAsked) {
  for (const auto* target : {"/v1/snapshots/before", "/v1/snapshots/%2e%2e", "/v1/jobs/1"}) {
    const auto answer = client().get(target);
    EXPECT_EQ(answer.status, 404u);
    EXPECT_TRUE(answer.json()["detail"].is_string());
  }
  EXPECT_EQ(backend_.get_asked.count(), 0u);
}

TEST_F(Routes, WhatTheBackendSaysBecomesAStatus) {
  const std::vector<std::pair<Code, unsigned>> expected = {
      {Code::kInvalidArgument, 400}, {Code::kNotFound, 404}, {Code::kConflict, 409},
      {Code::kRefused, 409},         {Code::kTimeout, 504},  {Code::kUnavailable, 503},
      {Code::kCorruption, 500},      {Code::kFailed, 500}};
  for (const auto& [code, status] : expected) {
    backend_.job_asked.answers(Error{code, "the reason"});
    const auto answer = client().get("/v1/jobs/" + id_of("job").text());
    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(answer.json(),
              json({{"detail", status == 500 ? "Internal Server Error" : "the reason"}}));
    EXPECT_EQ(answer.header("Retry-After").empty(), status != 503);
  }
}

TEST_F(Routes, AnExceptionInAHandlerIsAnInternalError) {
  backend_.job_asked.answers_with(
      [](const api::JobQuery&) -> Result<Job> { throw std::runtime_error("bug"); });
  const auto answer = client().get("/v1/jobs/" + id_of("job").text());
  EXPECT_EQ(answer.status, 500u);
  EXPECT_EQ(answer.json(), json({{"detail", "Internal Server Error"}}));
  EXPECT_EQ(client().get("/health").status, 200u);
}

}  // namespace
}  // namespace tidemark::gateway::test
