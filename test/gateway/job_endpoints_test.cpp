// test/gateway/job_endpoints_test.cpp
//
// Jobs, and what a restore reports.

#include <gmock/gmock.h>

#include "gateway_fixture.h"
#include "samples.h"

namespace tidemark::gateway::test {
namespace {

using nlohmann::json;
using namespace model;

class JobEndpoints : public GatewayTest {};

TEST_F(JobEndpoints, AJobHasTheContractsShape) {
  auto job = job_in(JobState::kRunning);
  job.done = 1;
  job.total = 3;
  job.message = "reading";
  job.started_at = *parse_iso("2026-11-21T14:05:01Z");
  backend_.job_asked.answers(job);
  EXPECT_EQ(client().get("/v1/jobs/" + job.id.text()).json(),
            json({{"id", job.id.text()},
                  {"type", "snapshot_create"},
                  {"status", "running"},
                  {"progress", 33},
                  {"message", "reading"},
                  {"resultId", nullptr},
                  {"error", nullptr},
                  {"jobData", nullptr},
                  {"createdAt", "2026-11-21T14:05:00.123456Z"},
                  {"startedAt", "2026-11-21T14:05:01.000000Z"},
                  {"completedAt", nullptr}}));
}

TEST_F(JobEndpoints, OurJobStatesBecomeTheContractsFour) {
  const std::vector<std::pair<JobState, std::string>> expected = {
      {JobState::kPending, "pending"},     {JobState::kRunning, "running"},
      {JobState::kCompleted, "completed"}, {JobState::kPartial, "completed"},
      {JobState::kFailed, "failed"},       {JobState::kCancelled, "failed"},
      {JobState::kInterrupted, "failed"}};
  for (const auto& [state, name] : expected) {
    backend_.job_asked.answers(job_in(state));
    const auto job = client().get("/v1/jobs/" + id_of("job").text()).json();
    EXPECT_EQ(job["status"], name);
    EXPECT_EQ(job["error"].is_string(), name == "failed");
    EXPECT_EQ(job["progress"], name == "completed" ? 100 : 0);
  }
}

TEST_F(JobEndpoints, ARestoreReportsItsFailures) {
  auto job = job_in(JobState::kPartial);
  job.type = "snapshot_restore";
  job.result = id_of("snapshot");
  job.restore.emplace();
  job.restore->total = 100;
  job.restore->confirmed = 30;
  job.restore->skipped = 10;
  job.restore->refused = 58;
  job.restore->unknown = 2;
  job.restore->unverified = 1;
  job.restore->failures.assign(60, {id_of("q1"), "MAG:Q1", "refused", "read only"});
  backend_.job_asked.answers(job);
  const auto answer = client().get("/v1/jobs/" + job.id.text()).json();
  EXPECT_EQ(answer["status"], "completed");
  EXPECT_EQ(answer["resultId"], id_of("snapshot").text());
  const auto result = answer["jobData"]["result"];
  EXPECT_EQ(result["total_pvs"], 100);
  EXPECT_EQ(result["success_count"], 39);
  EXPECT_EQ(result["failure_count"], 61);
  ASSERT_EQ(result["failures"].size(), 50u);
  EXPECT_EQ(
      result["failures"][0],
      json({{"pvId", id_of("q1").text()}, {"pvName", "MAG:Q1"}, {"error", "refused: read only"}}));

  job.restore->confirmed = 0;
  job.restore->skipped = 0;
  backend_.job_asked.answers(job);
  EXPECT_EQ(client().get("/v1/jobs/" + job.id.text()).json()["status"], "failed");
}

}  // namespace
}  // namespace tidemark::gateway::test
