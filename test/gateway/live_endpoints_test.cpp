// test/gateway/live_endpoints_test.cpp
//
// Live values, and the JSON of each type of value.

#include <gmock/gmock.h>

#include <limits>

#include "gateway_fixture.h"

namespace tidemark::gateway::test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;
using namespace model;

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

class LiveEndpoints : public GatewayTest {};

TEST_F(LiveEndpoints, LiveValuesHaveTheContractsShape) {
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

TEST_F(LiveEndpoints, LiveValuesMayBeAskedForInABody) {
  backend_.live_asked.answers(api::LiveReply{{live_value("A", std::int32_t{7})}, {}, true});
  const auto answer = client().post("/v1/pvs/live", R"({"pv_names":["A"],"more":1})");
  ASSERT_EQ(answer.status, 200u);
  EXPECT_EQ(answer.json()["A"]["value"], 7);
  EXPECT_TRUE(answer.json()["A"]["value"].is_number_integer());
}

TEST_F(LiveEndpoints, NoNamesAreNoValuesAndNotAll) {
  EXPECT_EQ(client().post("/v1/pvs/live", R"({"pv_names":[]})").body, "{}");
  EXPECT_EQ(client().get("/v1/pvs/live").status, 422u);
  EXPECT_EQ(backend_.live_asked.count(), 0u);
}

TEST_F(LiveEndpoints, AllLiveValuesAreCounted) {
  backend_.live_asked.answers(api::LiveReply{{live_value("A", 1.0)}, {}, true});
  const auto answer = client().get("/v1/pvs/live/all").json();
  EXPECT_THAT(keys(answer), UnorderedElementsAre("values", "count"));
  EXPECT_EQ(answer["count"], 1);
  EXPECT_EQ(answer["values"]["A"]["value"], 1.0);
  EXPECT_TRUE(backend_.live_asked.last().addresses.empty());
}

TEST_F(LiveEndpoints, WithoutTheMonitorNothingCountsAsConnected) {
  backend_.live_asked.answers(api::LiveReply{{live_value("A", 1.0)}, {}, false});
  const auto entry = client().get("/v1/pvs/live/all").json()["values"]["A"];
  EXPECT_EQ(entry["connected"], false);
  EXPECT_EQ(entry["value"], 1.0);
  EXPECT_THAT(entry["error"].get<std::string>(), HasSubstr("monitor"));
}

TEST_F(LiveEndpoints, NumbersThatJsonCannotHoldAreNullAndNamed) {
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

TEST_F(LiveEndpoints, EveryTypeOfValueHasItsJson) {
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

}  // namespace
}  // namespace tidemark::gateway::test
