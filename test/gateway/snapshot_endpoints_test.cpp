// test/gateway/snapshot_endpoints_test.cpp
//
// Snapshots: taken, listed, read.

#include <gmock/gmock.h>

#include "gateway_fixture.h"
#include "samples.h"

namespace tidemark::gateway::test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;
using namespace model;

class SnapshotEndpoints : public GatewayTest {};

TEST_F(SnapshotEndpoints, ASnapshotIsAcceptedAsAJob) {
  backend_.create_asked.answers(job_in(JobState::kPending));
  const auto answer =
      client().post("/v1/snapshots", R"({"title":"before shift","description":"d","x":[]})",
                    {{"X-Tidemark-User", "anna"}, {"Idempotency-Key", "k1"}});
  ASSERT_EQ(answer.status, 200u);
  EXPECT_EQ(answer.json(), json({{"jobId", id_of("job").text()},
                                 {"message", "Snapshot creation queued for 'before shift'"}}));
  const auto request = backend_.create_asked.last();
  EXPECT_EQ(request.title, "before shift");
  EXPECT_EQ(request.description, "d");
  EXPECT_EQ(request.user, "anna");
  EXPECT_TRUE(request.scope.all());
  EXPECT_FALSE(request.idempotency.is_nil());
}

TEST_F(SnapshotEndpoints, TheSameKeyOfTheSameUserIsTheSameRequest) {
  backend_.create_asked.answers(job_in(JobState::kPending));
  const auto id_for = [&](const char* user, const char* key) {
    client().post("/v1/snapshots", R"({"title":"t"})",
                  {{"X-Tidemark-User", user}, {"Idempotency-Key", key}});
    return backend_.create_asked.last().idempotency;
  };
  EXPECT_EQ(id_for("anna", "k"), id_for("anna", "k"));
  EXPECT_NE(id_for("anna", "k"), id_for("ben", "k"));
  EXPECT_NE(id_for("anna", "k"), id_for("anna", "l"));
}

TEST_F(SnapshotEndpoints, ASnapshotOfNobodyIsTheGatewaysOnBehalfOfThePeer) {
  backend_.create_asked.answers(job_in(JobState::kPending));
  client().post("/v1/snapshots", R"({"title":"t","description":null})");
  EXPECT_EQ(backend_.create_asked.last().user, "gateway@127.0.0.1");
  EXPECT_TRUE(backend_.create_asked.last().idempotency.is_nil());
}

TEST_F(SnapshotEndpoints, ASnapshotCanBeWaitedFor) {
  backend_.create_asked.answers(job_in(JobState::kPending));
  auto done = job_in(JobState::kCompleted);
  done.result = id_of("before shift");
  backend_.job_asked.answers(done);
  Snapshot snapshot;
  snapshot.header = header_named("before shift");
  backend_.get_asked.answers(snapshot);

  const auto answer = client().post("/v1/snapshots?async=false", R"({"title":"before shift"})");
  ASSERT_EQ(answer.status, 200u);
  EXPECT_EQ(answer.json(), json({{"title", "before shift"},
                                 {"description", nullptr},
                                 {"id", id_of("before shift").text()},
                                 {"createdDate", "2026-11-21T14:05:00.123456Z"},
                                 {"createdBy", "anna@control"},
                                 {"pvCount", 2}}));
  EXPECT_EQ(backend_.job_asked.last().job, id_of("job"));
  EXPECT_GT(backend_.job_asked.last().wait, Duration{0});
  EXPECT_LT(backend_.job_asked.last().wait, options_.limits.answer_timeout);
}

TEST_F(SnapshotEndpoints, WaitingForASnapshotThatFailsOrTakesTooLongSaysSo) {
  backend_.create_asked.answers(job_in(JobState::kPending));
  auto failed = job_in(JobState::kFailed);
  failed.error = "disk full";
  backend_.job_asked.answers(failed);
  auto answer = client().post("/v1/snapshots?async=false", R"({"title":"t"})");
  EXPECT_EQ(answer.status, 500u);
  EXPECT_THAT(answer.body, HasSubstr("disk full"));

  backend_.job_asked.answers(job_in(JobState::kRunning));
  answer = client().post("/v1/snapshots?async=false", R"({"title":"t"})");
  EXPECT_EQ(answer.status, 504u);
  EXPECT_THAT(answer.body, HasSubstr(id_of("job").text()));
}

TEST_F(SnapshotEndpoints, BadSnapshotRequestsAreNamedFieldByField) {
  const auto detail_of = [&](const std::string& body) {
    const auto answer = client().post("/v1/snapshots", body);
    EXPECT_EQ(answer.status, 422u) << body;
    return answer.json()["detail"][0];
  };
  EXPECT_EQ(detail_of("{}")["loc"], json({"body", "title"}));
  EXPECT_EQ(detail_of("{}")["type"], "missing");
  EXPECT_EQ(detail_of(R"({"title":""})")["type"], "string_too_short");
  EXPECT_EQ(detail_of(R"({"title":")" + std::string(256, 'x') + R"("})")["type"],
            "string_too_long");
  EXPECT_EQ(detail_of(R"({"title":5})")["type"], "string_type");
  EXPECT_EQ(detail_of(R"({"title":"t","description":5})")["loc"], json({"body", "description"}));
  EXPECT_EQ(detail_of("[]")["type"], "model_attributes_type");
  EXPECT_EQ(detail_of("{")["type"], "json_invalid");
  EXPECT_EQ(detail_of("{")["loc"], json({"body", 0}));
  EXPECT_EQ(detail_of(R"({"title":")"
                      "\xff"
                      R"("})")["type"],
            "json_invalid");
  EXPECT_EQ(detail_of(std::string(33, '[') + std::string(33, ']'))["type"], "json_invalid");
  EXPECT_EQ(detail_of("")["type"], "missing");
  client().send("POST", "/v1/snapshots?async=perhaps", R"({"title":"t"})",
                {{"Content-Type", "text/plain"}});
  EXPECT_EQ(client().receive().status, 422u);
  EXPECT_EQ(
      client().post("/v1/snapshots?async=perhaps", R"({"title":"t"})").json()["detail"][0]["loc"],
      json({"query", "async"}));
  EXPECT_EQ(backend_.create_asked.count(), 0u);
}

TEST_F(SnapshotEndpoints, SnapshotsAreListed) {
  backend_.list_asked.answers(api::SnapshotList{{header_named("b"), header_named("a")}});
  const auto tag = id_of("ring").text();
  const auto answer = client().get("/v1/snapshots?title=shift&tags=" + tag + "&tags=" + tag);
  ASSERT_EQ(answer.status, 200u);
  ASSERT_EQ(answer.json().size(), 2u);
  EXPECT_EQ(answer.json()[0]["title"], "b");
  EXPECT_THAT(keys(answer.json()[0]), UnorderedElementsAre("title", "description", "id",
                                                           "createdDate", "createdBy", "pvCount"));
  EXPECT_EQ(backend_.list_asked.last().title, "shift");
  EXPECT_EQ(backend_.list_asked.last().tags.size(), 2u);
  EXPECT_EQ(client().get("/v1/snapshots?tags=ring").status, 422u);
}

TEST_F(SnapshotEndpoints, ASnapshotHasTheContractsShape) {
  backend_.get_asked.answers(two_pvs());
  backend_.tags_asked.answers(api::Tags{one_group(), {}});
  const auto id = id_of("before shift").text();
  const auto answer = client().get("/v1/snapshots/" + id + "?limit=5&offset=10");
  ASSERT_EQ(answer.status, 200u);
  EXPECT_EQ(answer.json(),
            json({{"title", "before shift"},
                  {"description", nullptr},
                  {"id", id},
                  {"createdDate", "2026-11-21T14:05:00.123456Z"},
                  {"createdBy", "anna@control"},
                  {"pvCount", 2},
                  {"pvValues",
                   {{{"pvId", id_of("q1").text()},
                     {"pvName", "MAG:Q1:SET"},
                     {"setpointName", "MAG:Q1:SET"},
                     {"readbackName", "MAG:Q1:GET"},
                     {"setpointValue",
                      {{"value", 2.5},
                       {"status", 4},
                       {"severity", 1},
                       {"timestamp", "2026-11-21T14:05:00.000000Z"},
                       {"units", "A"},
                       {"precision", 3},
                       {"upper_ctrl_limit", 1.0},
                       {"lower_ctrl_limit", -1.0}}},
                     {"readbackValue", nullptr},
                     {"status", 4},
                     {"severity", 1},
                     {"timestamp", "2026-11-21T14:05:00.000000Z"},
                     {"tags",
                      {{{"id", id_of("ring").text()}, {"name", "ring"}, {"groupName", "Region"}}}}},
                    {{"pvId", id_of("q2").text()},
                     {"pvName", "MAG:Q2:GET"},
                     {"setpointName", nullptr},
                     {"readbackName", "MAG:Q2:GET"},
                     {"setpointValue", nullptr},
                     {"readbackValue",
                      {{"value", nullptr},
                       {"special", "NaN"},
                       {"status", 0},
                       {"severity", 0},
                       {"timestamp", nullptr},
                       {"units", nullptr},
                       {"precision", 0},
                       {"upper_ctrl_limit", nullptr},
                       {"lower_ctrl_limit", nullptr}}},
                     {"status", 0},
                     {"severity", 0},
                     {"timestamp", nullptr},
                     {"tags", json::array()}}}}}));
  EXPECT_EQ(backend_.get_asked.last().snapshot, id);
  EXPECT_EQ(backend_.get_asked.last().limit, 5u);
  EXPECT_EQ(backend_.get_asked.last().offset, 10u);
}

TEST_F(SnapshotEndpoints, ALargeSnapshotArrivesWhole) {
  auto snapshot = two_pvs();
  const auto pv = snapshot.pvs[0];
  snapshot.pvs.assign(5000, pv);
  backend_.get_asked.answers(snapshot);
  backend_.tags_asked.answers(api::Tags{one_group(), {}});
  const auto target = "/v1/snapshots/" + id_of("before shift").text();
  const auto answer = client().get(target);
  EXPECT_EQ(answer.header("Transfer-Encoding"), "chunked");
  EXPECT_EQ(answer.json()["pvValues"].size(), 5000u);

  client().send("HEAD", target);
  EXPECT_EQ(client().receive(true).status, 200u);

  auto old = another_client();  // HTTP/1.0 knows no chunks.
  old.send_raw("GET " + target + " HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old.receive().json()["pvValues"].size(), 5000u);
}

}  // namespace
}  // namespace tidemark::gateway::test
