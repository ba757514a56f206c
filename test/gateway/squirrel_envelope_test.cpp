// test/gateway/squirrel_envelope_test.cpp
//
// The envelope around answers that Squirrel's clients ask for.

#include <gmock/gmock.h>

#include "gateway_fixture.h"
#include "samples.h"

namespace tidemark::gateway::test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using namespace model;

class Envelope : public GatewayTest {
 protected:
  const Headers kAsked = {{"X-Squirrel-Envelope", "1"}};
};

TEST_F(Envelope, IsAroundAnAnswerWhenARequestAsksForIt) {
  backend_.list_asked.answers(api::SnapshotList{});
  EXPECT_EQ(client().get("/v1/snapshots", kAsked).json(),
            json({{"errorCode", 0}, {"errorMessage", nullptr}, {"payload", json::array()}}));
  EXPECT_EQ(client().get("/v1/snapshots").json(), json::array());
}

TEST_F(Envelope, IsAroundEveryAnswerWhenTheSettingSaysSo) {
  options_.squirrel_envelope = true;
  backend_.live_asked.answers(api::LiveReply{});
  backend_.get_asked.answers(two_pvs());
  backend_.tags_asked.answers(api::Tags{});
  EXPECT_EQ(client().get("/v1/pvs/live/all").json()["payload"]["count"], 0);
  const auto snapshot = client().get("/v1/snapshots/" + id_of("a").text()).json();
  EXPECT_EQ(snapshot["payload"]["pvValues"].size(), 2u);
  EXPECT_TRUE(snapshot["payload"].contains("comment"));
  EXPECT_EQ(client().get("/health").body, R"({"status":"healthy"})");
}

TEST_F(Envelope, IsAroundErrors) {
  client();
  EXPECT_EQ(client().get("/v1/jobs/1", kAsked).json(),
            json({{"errorCode", 404}, {"errorMessage", "Job 1 not found"}, {"payload", nullptr}}));
  const auto invalid = client().get("/v1/pvs/paged?pageSize=0", kAsked).json();
  EXPECT_EQ(invalid["errorCode"], 422);
  EXPECT_THAT(invalid["errorMessage"].get<std::string>(), HasSubstr("query.pageSize: "));
  EXPECT_EQ(invalid["detail"][0]["loc"], json({"query", "pageSize"}));
}

TEST_F(Envelope, SaysCommentForDescription) {
  backend_.create_asked.answers(job_in(JobState::kPending));
  client().post("/v1/snapshots", R"({"title":"t","comment":"c"})", kAsked);
  EXPECT_EQ(backend_.create_asked.last().description, "c");
  client().post("/v1/snapshots", R"({"title":"t","comment":"c","description":"d"})", kAsked);
  EXPECT_EQ(backend_.create_asked.last().description, "d");
  client().post("/v1/snapshots", R"({"title":"t","comment":"c"})");
  EXPECT_EQ(backend_.create_asked.last().description, "");

  auto header = header_named("t");
  header.description = "d";
  backend_.list_asked.answers(api::SnapshotList{{header}});
  const auto list = client().get("/v1/snapshots", kAsked).json()["payload"];
  EXPECT_EQ(list[0]["comment"], "d");
  EXPECT_EQ(list[0]["description"], "d");
}

}  // namespace
}  // namespace tidemark::gateway::test
