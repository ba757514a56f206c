#include <gmock/gmock.h>

#include <limits>

#include "gateway_fixture.h"

namespace tidemark::gateway::test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;
using namespace model;

std::vector<std::string> keys(const json& object) {
  std::vector<std::string> names;
  for (const auto& [name, value] : object.items()) names.push_back(name);
  return names;
}

std::vector<TagGroup> one_group() {
  TagGroup group;
  group.id = id_of("region");
  group.name = "Region";
  group.tags = {{id_of("ring"), "ring", ""}, {id_of("linac"), "linac", "the old one"}};
  return {group};
}

class Endpoints : public GatewayTest {};

TEST_F(Endpoints, HealthIsHealthy) {
  const auto answer = client().get("/health");
  EXPECT_EQ(answer.status, 200u);
  EXPECT_EQ(answer.body, R"({"status":"healthy"})");
  EXPECT_EQ(answer.header("Content-Type"), "application/json");
}

TEST_F(Endpoints, UnknownPathsAreNotFound) {
  const auto answer = client().get("/v1/nothing/here");
  EXPECT_EQ(answer.status, 404u);
  EXPECT_EQ(answer.json(), json({{"detail", "Not Found"}}));
  EXPECT_EQ(client().get("/").status, 404u);
}

TEST_F(Endpoints, OtherMethodsOfAKnownPathAreToldWhatIsAllowed) {
  client().send("DELETE", "/v1/snapshots");
  const auto answer = client().receive();
  EXPECT_EQ(answer.status, 405u);
  EXPECT_EQ(answer.json(), json({{"detail", "Method Not Allowed"}}));
  EXPECT_EQ(answer.header("Allow"), "GET, HEAD, POST");
}

TEST_F(Endpoints, HeadHasTheHeaderOfGetAndNoBody) {
  client().send("HEAD", "/health");
  const auto answer = client().receive(true);
  EXPECT_EQ(answer.status, 200u);
  EXPECT_EQ(answer.header("Content-Length"), "20");
  EXPECT_EQ(client().get("/health").body.size(), 20u);  // The connection is in step.
}

TEST_F(Endpoints, ASlashAtTheEndOfAPathIsIgnored) {
  EXPECT_EQ(client().get("/health/").status, 200u);
}

TEST_F(Endpoints, PagesOfPvsHaveTheContractsShape) {
  PvEntry pv;
  pv.id = id_of("q1");
  pv.setpoint = "MAG:Q1:SET";
  pv.abs_tolerance = 0.5;
  pv.read_only = true;
  pv.tags = {id_of("linac"), id_of("deleted")};
  pv.created_at = *parse_iso("2026-11-21T14:05:00.123456Z");
  pv.modified_at = *parse_iso("2026-11-22T00:00:00Z");
  pv.created_by = "anna";
  pv.modified_by = "ben";
  api::PvPage page;
  page.pvs = {pv};
  page.next = "after q1";
  page.total = 17;
  page.tag_groups = one_group();
  backend_.pvs_asked.answers(page);

  const auto answer = client().get("/v1/pvs/paged");
  ASSERT_EQ(answer.status, 200u);
  EXPECT_EQ(answer.json(), json({{"results",
                                  {{{"setpointAddress", "MAG:Q1:SET"},
                                    {"readbackAddress", nullptr},
                                    {"configAddress", nullptr},
                                    {"device", nullptr},
                                    {"description", nullptr},
                                    {"absTolerance", 0.5},
                                    {"relTolerance", 0.0},
                                    {"readOnly", true},
                                    {"id", id_of("q1").text()},
                                    {"tags",
                                     {{{"id", id_of("linac").text()},
                                       {"name", "linac"},
                                       {"description", "the old one"}}}},
                                    {"createdDate", "2026-11-21T14:05:00.123456Z"},
                                    {"lastModifiedDate", "2026-11-22T00:00:00.000000Z"},
                                    {"createdBy", "anna"},
                                    {"lastModifiedBy", "ben"}}}},
                                 {"continuationToken", "after q1"},
                                 {"totalCount", 17}}));
  EXPECT_EQ(backend_.pvs_asked.last().limit, 100u);
}

TEST_F(Endpoints, ParametersOfAPageReachTheBackend) {
  backend_.pvs_asked.answers(api::PvPage{});
  const auto group = id_of("region");
  const auto tag = id_of("ring");
  const auto filters = "%7B%22" + group.text() + "%22%3A%5B%22" + tag.text() + "%22%5D%7D";
  const auto answer = client().get(
      "/v1/pvs/paged?pvName=MAG%3AQ+1&pageSize=1000&continuationToken=abc&tagFilters=" + filters);
  ASSERT_EQ(answer.status, 200u);
  EXPECT_EQ(answer.json()["continuationToken"], nullptr);
  const auto query = backend_.pvs_asked.last();
  EXPECT_EQ(query.text, "MAG:Q 1");
  EXPECT_EQ(query.limit, 1000u);
  EXPECT_EQ(query.after, "abc");
  ASSERT_EQ(query.tag_filters.size(), 1u);
  EXPECT_EQ(query.tag_filters[0].first, group);
  EXPECT_EQ(query.tag_filters[0].second, std::vector{tag});
}

TEST_F(Endpoints, BadTagFiltersAreABadRequest) {
  for (const auto* bad : {"%7B", "[]", "%7B%22a%22%3A1%7D"}) {
    const auto answer = client().get(std::string("/v1/pvs/paged?tagFilters=") + bad);
    EXPECT_EQ(answer.status, 400u) << bad;
    EXPECT_EQ(answer.json(), json({{"detail", "Invalid tagFilters JSON"}}));
  }
}

TEST_F(Endpoints, ABadPageSizeIsNamed) {
  for (const auto* bad : {"0", "1001", "many", "", "99999999999999999999"}) {
    const auto answer = client().get(std::string("/v1/pvs/paged?pageSize=") + bad);
    ASSERT_EQ(answer.status, 422u) << bad;
    const auto detail = answer.json()["detail"][0];
    EXPECT_THAT(keys(detail), UnorderedElementsAre("type", "loc", "msg", "input"));
    EXPECT_EQ(detail["loc"], json({"query", "pageSize"}));
    EXPECT_EQ(detail["input"], bad);
  }
}

api::LiveValue live_value(const std::string& address, PvValue value) {
  api::LiveValue live;
  live.address = address;
  live.state = LiveState::kConnected;
  live.value = std::move(value);
  live.alarm = {Severity::kMajor, 3};
  live.taken_at = *parse_iso("2026-11-21T14:05:00.25Z");
  live.received_at = *parse_iso("2026-11-21T14:05:00.5Z");
  live.units = "A";
  return live;
}

TEST_F(Endpoints, LiveValuesHaveTheContractsShape) {
  api::LiveReply reply;
  reply.values = {live_value("MAG:Q1", 1.5)};
  api::LiveValue never;
  never.address = "MAG:Q2";
  reply.values.push_back(never);
  reply.unknown = {"NOBODY"};
  backend_.live_asked.answers(reply);

  const auto answer = client().get("/v1/pvs/live?pv_names=MAG:Q1&pv_names=NOBODY&pv_names=MAG:Q2");
  ASSERT_EQ(answer.status, 200u);
  EXPECT_EQ(answer.json(), json({{"MAG:Q1",
                                  {{"value", 1.5},
                                   {"connected", true},
                                   {"updated_at", 1795269900.5},
                                   {"status", "HIHI"},
                                   {"severity", 2},
                                   {"timestamp", 1795269900.25},
                                   {"units", "A"},
                                   {"error", nullptr}}},
                                 {"MAG:Q2",
                                  {{"value", nullptr},
                                   {"connected", false},
                                   {"updated_at", nullptr},
                                   {"status", nullptr},
                                   {"severity", nullptr},
                                   {"timestamp", nullptr},
                                   {"units", nullptr},
                                   {"error", "never connected"}}}}));
  EXPECT_EQ(backend_.live_asked.last().addresses,
            (std::vector<std::string>{"MAG:Q1", "NOBODY", "MAG:Q2"}));
}

TEST_F(Endpoints, LiveValuesMayBeAskedForInABody) {
  backend_.live_asked.answers(api::LiveReply{{live_value("A", std::int32_t{7})}, {}, true});
  const auto answer = client().post("/v1/pvs/live", R"({"pv_names":["A"],"more":1})");
  ASSERT_EQ(answer.status, 200u);
  EXPECT_EQ(answer.json()["A"]["value"], 7);
  EXPECT_TRUE(answer.json()["A"]["value"].is_number_integer());
}

TEST_F(Endpoints, NoNamesAreNoValuesAndNotAll) {
  EXPECT_EQ(client().post("/v1/pvs/live", R"({"pv_names":[]})").body, "{}");
  EXPECT_EQ(client().get("/v1/pvs/live").status, 422u);
  EXPECT_EQ(backend_.live_asked.count(), 0u);
}

TEST_F(Endpoints, AllLiveValuesAreCounted) {
  backend_.live_asked.answers(api::LiveReply{{live_value("A", 1.0)}, {}, true});
  const auto answer = client().get("/v1/pvs/live/all").json();
  EXPECT_THAT(keys(answer), UnorderedElementsAre("values", "count"));
  EXPECT_EQ(answer["count"], 1);
  EXPECT_EQ(answer["values"]["A"]["value"], 1.0);
  EXPECT_TRUE(backend_.live_asked.last().addresses.empty());
}

TEST_F(Endpoints, WithoutTheMonitorNothingCountsAsConnected) {
  backend_.live_asked.answers(api::LiveReply{{live_value("A", 1.0)}, {}, false});
  const auto entry = client().get("/v1/pvs/live/all").json()["values"]["A"];
  EXPECT_EQ(entry["connected"], false);
  EXPECT_EQ(entry["value"], 1.0);
  EXPECT_THAT(entry["error"].get<std::string>(), HasSubstr("monitor"));
}

TEST_F(Endpoints, NumbersThatJsonCannotHoldAreNullAndNamed) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInf = std::numeric_limits<double>::infinity();
  const SharedArray array(PvArray(std::vector<double>{1, kNan, -kInf}));
  backend_.live_asked.answers(
      api::LiveReply{{live_value("NAN", kNan), live_value("INF", kInf),
                      live_value("FLOAT", static_cast<float>(-kInf)), live_value("ARRAY", array)},
                     {},
                     true});
  const auto values = client().get("/v1/pvs/live/all").json()["values"];
  EXPECT_EQ(values["NAN"]["value"], nullptr);
  EXPECT_EQ(values["NAN"]["special"], "NaN");
  EXPECT_EQ(values["INF"]["special"], "Infinity");
  EXPECT_EQ(values["FLOAT"]["special"], "-Infinity");
  EXPECT_EQ(values["ARRAY"]["value"], json({1.0, nullptr, nullptr}));
  EXPECT_EQ(values["ARRAY"]["special"], json({{"1", "NaN"}, {"2", "-Infinity"}}));
}

TEST_F(Endpoints, EveryTypeOfValueHasItsJson) {
  backend_.live_asked.answers(api::LiveReply{
      {live_value("TENTH", 0.1), live_value("TENTHF", 0.1f), live_value("CHAR", std::uint8_t{200}),
       live_value("SHORT", std::int16_t{-3}), live_value("ENUM", EnumIndex{2}),
       live_value("STRING", std::string("a\xff\"")), live_value("BIG", 1e300),
       live_value("STRINGS", SharedArray(PvArray(std::vector<std::string>{"x"})))},
      {},
      true});
  const auto answer = client().get("/v1/pvs/live/all");
  EXPECT_THAT(answer.body, HasSubstr(R"("value":0.1,)"));
  const auto values = answer.json()["values"];
  EXPECT_EQ(values["TENTH"]["value"], 0.1);
  EXPECT_EQ(values["TENTHF"]["value"], 0.1);
  EXPECT_EQ(values["CHAR"]["value"], 200);
  EXPECT_EQ(values["SHORT"]["value"], -3);
  EXPECT_EQ(values["ENUM"]["value"], 2);
  EXPECT_EQ(values["STRING"]["value"], "a\xef\xbf\xbd\"");
  EXPECT_EQ(values["BIG"]["value"], 1e300);
  EXPECT_EQ(values["STRINGS"]["value"], json({"x"}));
}

TEST_F(Endpoints, ASnapshotIsAcceptedAsAJob) {
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

TEST_F(Endpoints, TheSameKeyOfTheSameUserIsTheSameRequest) {
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

TEST_F(Endpoints, ASnapshotOfNobodyIsTheGatewaysOnBehalfOfThePeer) {
  backend_.create_asked.answers(job_in(JobState::kPending));
  client().post("/v1/snapshots", R"({"title":"t","description":null})");
  EXPECT_EQ(backend_.create_asked.last().user, "gateway@127.0.0.1");
  EXPECT_TRUE(backend_.create_asked.last().idempotency.is_nil());
}

TEST_F(Endpoints, ASnapshotCanBeWaitedFor) {
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

TEST_F(Endpoints, WaitingForASnapshotThatFailsOrTakesTooLongSaysSo) {
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

TEST_F(Endpoints, BadSnapshotRequestsAreNamedFieldByField) {
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

TEST_F(Endpoints, SnapshotsAreListed) {
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

Snapshot two_pvs() {
  Snapshot snapshot;
  snapshot.header = header_named("before shift");
  CapturedValue set;
  set.address = "MAG:Q1:SET";
  set.value = 2.5;
  set.alarm = {Severity::kMinor, 4};
  set.taken_at = *parse_iso("2026-11-21T14:05:00Z");
  set.units = "A";
  set.precision = 3;
  set.control_limits = Range{-1, 1};
  CapturedValue missing;
  missing.address = "MAG:Q1:GET";
  CapturedValue read;
  read.address = "MAG:Q2:GET";
  read.value = std::numeric_limits<double>::quiet_NaN();
  snapshot.values = {set, missing, read};
  CapturedPv first;
  first.pv = id_of("q1");
  first.name = "MAG:Q1:SET";
  first.setpoint = 0;
  first.readback = 1;
  first.tags = {id_of("ring"), id_of("deleted")};
  CapturedPv second;
  second.pv = id_of("q2");
  second.name = "MAG:Q2:GET";
  second.readback = 2;
  snapshot.pvs = {first, second};
  return snapshot;
}

TEST_F(Endpoints, ASnapshotHasTheContractsShape) {
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

TEST_F(Endpoints, ALargeSnapshotArrivesWhole) {
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

TEST_F(Endpoints, AMalformedIdIsNotFoundAndNeverAsked) {
  for (const auto* target : {"/v1/snapshots/before", "/v1/snapshots/%2e%2e", "/v1/jobs/1"}) {
    const auto answer = client().get(target);
    EXPECT_EQ(answer.status, 404u);
    EXPECT_TRUE(answer.json()["detail"].is_string());
  }
  EXPECT_EQ(backend_.get_asked.count(), 0u);
}

TEST_F(Endpoints, WhatTheBackendSaysBecomesAStatus) {
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

TEST_F(Endpoints, AnExceptionInAHandlerIsAnInternalError) {
  backend_.job_asked.answers_with(
      [](const api::JobQuery&) -> Result<Job> { throw std::runtime_error("bug"); });
  const auto answer = client().get("/v1/jobs/" + id_of("job").text());
  EXPECT_EQ(answer.status, 500u);
  EXPECT_EQ(answer.json(), json({{"detail", "Internal Server Error"}}));
  EXPECT_EQ(client().get("/health").status, 200u);
}

TEST_F(Endpoints, AJobHasTheContractsShape) {
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

TEST_F(Endpoints, OurJobStatesBecomeTheContractsFour) {
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

TEST_F(Endpoints, ARestoreReportsItsFailures) {
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

class Envelope : public GatewayTest {
 protected:
  const HttpClient::Headers kAsked = {{"X-Squirrel-Envelope", "1"}};
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
