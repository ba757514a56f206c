#include <gmock/gmock.h>

#include "gateway_fixture.h"
#include "samples.h"

namespace tidemark::gateway::test {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

class ServerTest : public GatewayTest {
 protected:
  std::string job_target() const { return "/v1/jobs/" + id_of("job").text(); }
};

TEST_F(ServerTest, KeepsAConnectionForManyRequests) {
  for (int i = 0; i < 3; ++i) {
    const auto answer = client().get("/health");
    EXPECT_EQ(answer.status, 200u);
    EXPECT_TRUE(answer.keep_alive);
  }
}

TEST_F(ServerTest, ClosesWhenAskedTo) {
  const auto answer = client().get("/health", {{"Connection", "close"}});
  EXPECT_EQ(answer.status, 200u);
  EXPECT_FALSE(answer.keep_alive);
  EXPECT_TRUE(client().closed_by_server());
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  backend_.job_asked.answers(job_in(model::JobState::kRunning));
  std::string requests;
  for (int i = 0; i < 50; ++i) {
    requests +=
        "GET " + std::string(i % 2 ? job_target() : "/health") + " HTTP/1.1\r\nHost: x\r\n\r\n";
  }
  client().send_raw(requests);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(client().receive().json().contains("progress"), i % 2 == 1) << i;
  }
}

TEST_F(ServerTest, OldHttpGetsOneAnswerAndAClose) {
  client().send_raw("GET /health HTTP/1.0\r\n\r\n");
  const auto answer = client().receive();
  EXPECT_EQ(answer.status, 200u);
  EXPECT_FALSE(answer.keep_alive);
}

TEST_F(ServerTest, SaysContinueToAClientThatAsks) {
  backend_.live_asked.answers(model::api::LiveReply{});
  client().send_raw(
      "POST /v1/pvs/live HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
      "Content-Type: application/json\r\nContent-Length: 16\r\n\r\n");
  EXPECT_EQ(client().receive(true).status, 100u);
  client().send_raw(R"({"pv_names":[]}  )");
  EXPECT_EQ(client().receive().body, "{}");
}

TEST_F(ServerTest, TakesABodyInChunks) {
  client().send_raw(
      "POST /v1/pvs/live HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      "7\r\n{\"pv_na\r\n8\r\nmes\":[]}\r\n0\r\n\r\n");
  EXPECT_EQ(client().receive().body, "{}");
}

TEST_F(ServerTest, RefusesWhatIsNoHttp) {
  client().send_raw("\x16\x03\x01\x02 hello\r\n\r\n");
  EXPECT_EQ(client().receive().status, 400u);
  auto nameless = another_client();
  nameless.send_raw("GET /health HTTP/1.1\r\n\r\n");
  EXPECT_EQ(nameless.receive().status, 400u);
}

TEST_F(ServerTest, RefusesBrokenEscapesInATarget) {
  EXPECT_EQ(client().get("/v1/pvs/paged?pvName=%zz").status, 400u);
  EXPECT_EQ(client().get("/v1/pvs/paged?pvName=%ff").status, 400u);
}

TEST_F(ServerTest, RefusesABodyOverTheLimitAndStillSaysWhy) {
  options_.limits.body_bytes_max = 1000;
  const auto answer = client().post("/v1/pvs/live", std::string(400'000, ' '));
  EXPECT_EQ(answer.status, 413u);
  EXPECT_FALSE(answer.keep_alive);
  EXPECT_TRUE(answer.json()["detail"].is_string());
  auto chunked = another_client();
  chunked.send_raw("POST /v1/pvs/live HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" +
                   std::string("800\r\n") + std::string(0x800, ' ') + "\r\n");
  EXPECT_EQ(chunked.receive().status, 413u);
}

TEST_F(ServerTest, RefusesAHeaderOverTheLimit) {
  EXPECT_EQ(client().get("/health", {{"X-Long", std::string(17'000, 'x')}}).status, 431u);
}

TEST_F(ServerTest, RefusesATargetOverTheLimit) {
  EXPECT_EQ(client().get("/health?" + std::string(9'000, 'x')).status, 414u);
  auto longer = another_client();
  EXPECT_EQ(longer.get("/health?" + std::string(20'000, 'x')).status, 414u);
}

TEST_F(ServerTest, TellsConnectionsOverTheLimitToComeBackLater) {
  options_.limits.connections_max = 1;
  EXPECT_EQ(client().get("/health").status, 200u);
  auto second = another_client();
  const auto refused = second.receive();
  EXPECT_EQ(refused.status, 503u);
  EXPECT_FALSE(refused.header("Retry-After").empty());
  EXPECT_TRUE(second.closed_by_server());
  EXPECT_EQ(client().get("/health").status, 200u);

  client().get("/health", {{"Connection", "close"}});
  client_.reset();
  // The place is free once the server saw the end, which a client can only find out by trying.
  unsigned status = 0;
  while (status != 200) status = another_client().get("/health").status;
}

TEST_F(ServerTest, ClosesASlowHeader) {
  options_.limits.header_timeout = milliseconds(50);
  client().send_raw("GET /health HTT");
  EXPECT_TRUE(client().closed_by_server());
  auto silent = another_client();
  EXPECT_TRUE(silent.closed_by_server());
}

TEST_F(ServerTest, ClosesASlowBody) {
  options_.limits.body_timeout = milliseconds(50);
  client().send_raw("POST /v1/pvs/live HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{");
  EXPECT_TRUE(client().closed_by_server());
}

TEST_F(ServerTest, ClosesAnIdleConnection) {
  options_.limits.idle_timeout = milliseconds(50);
  EXPECT_EQ(client().get("/health").status, 200u);
  EXPECT_TRUE(client().closed_by_server());
}

TEST_F(ServerTest, ABackendThatKeepsSilentIsATimeout) {
  options_.limits.answer_timeout = milliseconds(50);
  backend_.job_asked.keeps_silent();
  const auto answer = client().get(job_target());
  EXPECT_EQ(answer.status, 504u);
  EXPECT_TRUE(answer.keep_alive);
  backend_.job_asked.take_reply()(job_in(model::JobState::kRunning));  // Too late, and harmless.
  EXPECT_EQ(client().get("/health").body, R"({"status":"healthy"})");
}

TEST_F(ServerTest, RepliesMayComeFromAnyThreadAndOnlyTheFirstCounts) {
  backend_.job_asked.keeps_silent();
  client().send("GET", job_target());
  std::thread([this] {
    const auto reply = backend_.job_asked.take_reply();
    reply(job_in(model::JobState::kRunning));
    reply(job_in(model::JobState::kFailed));
  }).join();
  EXPECT_EQ(client().receive().json()["status"], "running");
  EXPECT_EQ(client().get("/health").status, 200u);
}

TEST_F(ServerTest, AReplyToAClientThatLeftIsHarmless) {
  backend_.job_asked.keeps_silent();
  client().send("GET", job_target());
  const auto reply = backend_.job_asked.take_reply();
  client_.reset();
  reply(job_in(model::JobState::kRunning));
  EXPECT_EQ(client().get("/health").status, 200u);
}

TEST_F(ServerTest, EndsWithOpenConnectionsAndPendingReplies) {
  backend_.job_asked.keeps_silent();
  client().send("GET", job_target());
  auto idle = HttpClient(server_->port());
  const auto reply = backend_.job_asked.take_reply();
  server_.reset();
  reply(job_in(model::JobState::kRunning));
  EXPECT_TRUE(client().closed_by_server());
  EXPECT_TRUE(idle.closed_by_server());
}

TEST_F(ServerTest, APortInUseIsAConflictThatNamesIt) {
  start();
  options_.listen = "127.0.0.1:" + std::to_string(server_->port());
  const auto second = start_server(options_, backend_);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, Code::kConflict);
  EXPECT_THAT(second.error().message, HasSubstr(options_.listen));
}

TEST_F(ServerTest, WhatIsNoAddressIsRefused) {
  for (const auto* bad :
       {"", "8080", "nowhere:80", "127.0.0.1:", "127.0.0.1:70000", "192.0.2.1:0"}) {
    options_.listen = bad;
    const auto server = start_server(options_, backend_);
    ASSERT_FALSE(server.ok()) << bad;
    EXPECT_EQ(server.error().code, Code::kInvalidArgument) << bad;
  }
}

TEST_F(ServerTest, MetricsAreItsOwnAndTheNodes) {
  model::api::NodeStatus journal;
  journal.name = "journal";
  journal.memory_bytes = 1000;
  journal.figures = {{"tidemark_journal_last_line", "The\nlast", true, 17},
                     {"not a name", "", false, 1},
                     {"tidemark_http_connections", "", false, 99},
                     {"tidemark_journal_last_line", "again", true, 18}};
  backend_.nodes_asked.answers(std::vector{journal});
  client().get("/health");
  client().get("/nothing");
  const auto answer = client().get("/metrics");
  EXPECT_EQ(answer.header("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(answer.body, HasSubstr("tidemark_http_requests_total{code=\"200\"} 1\n"));
  EXPECT_THAT(answer.body, HasSubstr("tidemark_http_requests_total{code=\"404\"} 1\n"));
  EXPECT_THAT(answer.body, HasSubstr("tidemark_http_request_duration_seconds_count 2\n"));
  EXPECT_THAT(answer.body, HasSubstr("tidemark_http_connections 1\n"));
  EXPECT_THAT(answer.body, HasSubstr("tidemark_build_info{version=\""));
  EXPECT_THAT(answer.body, HasSubstr("tidemark_journal_last_line{node=\"journal\"} 17\n"));
  EXPECT_THAT(answer.body, HasSubstr("tidemark_node_memory_bytes{node=\"journal\"} 1000\n"));
  EXPECT_THAT(answer.body, HasSubstr("tidemark_nodes_answer 1\n"));
  EXPECT_THAT(answer.body, ::testing::Not(HasSubstr("not a name")));
  EXPECT_THAT(answer.body, ::testing::Not(HasSubstr(" 99\n")));

  std::istringstream lines(answer.body);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_THAT(line,
                ::testing::MatchesRegex("(# (HELP|TYPE) [a-zA-Z_:][a-zA-Z0-9_:]* .+|"
                                        "[a-zA-Z_:][a-zA-Z0-9_:]*(\\{.*\\})? [-+0-9.eInf]+)"));
  }
}

TEST_F(ServerTest, MetricsSayWhenTheNodesCannotBeAsked) {
  EXPECT_THAT(client().get("/metrics").body, HasSubstr("tidemark_nodes_answer 0\n"));
}

}  // namespace
}  // namespace tidemark::gateway::test
