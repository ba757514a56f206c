// test/gateway/pv_endpoints_test.cpp
//
// Pages of PVs.

#include <gmock/gmock.h>

#include "gateway_fixture.h"
#include "samples.h"

namespace tidemark::gateway::test {
namespace {

using nlohmann::json;
using ::testing::UnorderedElementsAre;
using namespace model;

class PvEndpoints : public GatewayTest {};

TEST_F(PvEndpoints, PagesOfPvsHaveTheContractsShape) {
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

TEST_F(PvEndpoints, ParametersOfAPageReachTheBackend) {
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

TEST_F(PvEndpoints, BadTagFiltersAreABadRequest) {
  for (const auto* bad : {"%7B", "[]", "%7B%22a%22%3A1%7D"}) {
    const auto answer = client().get(std::string("/v1/pvs/paged?tagFilters=") + bad);
    EXPECT_EQ(answer.status, 400u) << bad;
    EXPECT_EQ(answer.json(), json({{"detail", "Invalid tagFilters JSON"}}));
  }
}

TEST_F(PvEndpoints, ABadPageSizeIsNamed) {
  for (const auto* bad : {"0", "1001", "many", "", "99999999999999999999"}) {
    const auto answer = client().get(std::string("/v1/pvs/paged?pageSize=") + bad);
    ASSERT_EQ(answer.status, 422u) << bad;
    const auto detail = answer.json()["detail"][0];
    EXPECT_THAT(keys(detail), UnorderedElementsAre("type", "loc", "msg", "input"));
    EXPECT_EQ(detail["loc"], json({"query", "pageSize"}));
    EXPECT_EQ(detail["input"], bad);
  }
}

}  // namespace
}  // namespace tidemark::gateway::test
