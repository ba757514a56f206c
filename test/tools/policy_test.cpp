#include "model/api/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_site.h"
#include "tools/amounts.h"

namespace tidemark::tools {
namespace {

namespace api = model::api;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(Amounts, AreReadAsPeopleWriteThem) {
  EXPECT_DOUBLE_EQ(parse_rate("10").value(), 10);
  EXPECT_DOUBLE_EQ(parse_rate("1/s").value(), 1);
  EXPECT_DOUBLE_EQ(parse_rate("6/min").value(), 0.1);
  EXPECT_DOUBLE_EQ(parse_rate("1.5/h").value(), 1.5 / 3600);
  EXPECT_DOUBLE_EQ(parse_byte_rate("500").value(), 500);
  EXPECT_DOUBLE_EQ(parse_byte_rate("100KiB/s").value(), 102'400);
  EXPECT_DOUBLE_EQ(parse_byte_rate("86.4MB/day").value(), 1000);
  EXPECT_DOUBLE_EQ(parse_part("1%").value(), 0.01);
  EXPECT_DOUBLE_EQ(parse_part("0.25").value(), 0.25);
  for (const auto* text : {"", "/s", "-1/s", "nan", "5 x", "1/year", "1/s/s"}) {
    EXPECT_FALSE(parse_rate(text).ok()) << text;
    EXPECT_FALSE(parse_byte_rate(text).ok()) << text;
    EXPECT_FALSE(parse_part(text).ok()) << text;
  }
  EXPECT_FALSE(parse_byte_rate("1TB/s").ok());
}

TEST(Amounts, AreShownInThreeDigitsOrSo) {
  EXPECT_EQ(rate_text(0.0), "0/s");
  EXPECT_EQ(rate_text(12.345), "12.3/s");
  EXPECT_EQ(rate_text(0.02), "1.20/min");
  EXPECT_EQ(rate_text(1.0 / 3600), "1.00/h");
  EXPECT_EQ(bytes_text(532), "532 B");
  EXPECT_EQ(bytes_text(12'345), "12.3 KB");
  EXPECT_EQ(bytes_text(999'700), "1.00 MB");
  EXPECT_EQ(bytes_text(4.2e15), "4200 TB");
  EXPECT_EQ(part_text(1, 3), "33 %");
  EXPECT_EQ(part_text(1, 1000), "<1 %");
  EXPECT_EQ(part_text(0, 0), "-");
}

class PolicyCommands : public testing::Test {
 protected:
  void SetUp() override {
    site_.start("keeper");
    site_.start("monitor");
    site_.serve<api::PolicyPreviewQuery, api::PolicyPreview>(
        "keeper", "keeper.policy_preview", [this](const auto& query) -> Result<api::PolicyPreview> {
          asked_ = query;
          api::PolicyPreview preview;
          preview.channels = 2;
          preview.seen = preview.before = {20, 1000};
          preview.after = {2, 100};
          preview.measured = std::chrono::seconds(200);
          preview.monitor_alive = monitor_alive_;
          preview.largest.push_back({"BPM:1", "", "slow", {10, 500}, {10, 500}, {1, 50}});
          return preview;
        });
    site_.serve<api::PolicySet, api::Empty>("keeper", "keeper.policy_set",
                                            [this](const auto& request) -> Result<api::Empty> {
                                              set_.push_back(request);
                                              return api::Empty{};
                                            });
    site_.serve<api::PolicyRemove, api::Empty>("keeper", "keeper.policy_remove",
                                               [this](const auto& request) -> Result<api::Empty> {
                                                 removed_.push_back(request.name);
                                                 return api::Empty{};
                                               });
    site_.serve<api::Empty, api::PolicyList>("keeper", "keeper.policy_list",
                                             [](const auto&) -> Result<api::PolicyList> {
                                               model::Policy slow;
                                               slow.name = "slow";
                                               slow.scope.tags = {"kind/bpm"};
                                               slow.thinning.updates_per_s_max = 1;
                                               slow.modified_by = "ann@ring";
                                               return api::PolicyList{{{slow, 12}}};
                                             });
    site_.serve<api::PolicyQuestion, api::PolicyExplanation>(
        "keeper", "keeper.policy_explain",
        [](const auto& question) -> Result<api::PolicyExplanation> {
          if (question.address != "BPM:1") {
            return Error{Code::kNotFound, "no PV has the address '" + question.address + "'"};
          }
          api::PolicyExplanation answer;
          answer.channel = model::ChannelId{7};
          answer.policy = "slow";
          answer.thinning.updates_per_s_max = 1;
          answer.reasons = {{"slow", 100, "decides"}};
          return answer;
        });
    site_.serve<api::RatesQuery, api::Rates>(
        "monitor", "monitor.rates", [](const auto& query) -> Result<api::Rates> {
          api::ChannelRate rate{model::ChannelId{7}, "BPM:1", {10, 5000}, {1, 500}, "slow", true};
          if (!query.channels.empty()) {
            EXPECT_EQ(query.channels[0], model::ChannelId{7});
          }
          return api::Rates{{rate}, {20, 6000}, {11, 1000}, 3, std::chrono::seconds(61)};
        });
  }

  FakeSite site_;
  bool monitor_alive_ = true;
  std::optional<api::PolicyPreviewQuery> asked_;
  std::vector<api::PolicySet> set_;
  std::vector<std::string> removed_;
};

TEST_F(PolicyCommands, SetShowsWhatItSavesAndAsks) {
  site_.terminal = true;
  site_.input = "no\n";
  auto ran = site_.run({"policy", "set", "slow", "--tag", "kind/bpm", "--glob", "BPM:*", "--rate",
                        "6/min", "--deadband", "0.5", "--deadband-relative", "1%",
                        "--waveform-budget", "1KiB/s", "--order", "7"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.out, HasSubstr("BPM:1"));
  EXPECT_THAT(ran.out, HasSubstr("2 addresses would be archived otherwise: 2.00/s, 8.64 MB a day "
                                 "in place of 20.0/s, 86.4 MB a day"));
  EXPECT_THAT(ran.out, HasSubstr("in the last 3m 20s"));
  EXPECT_THAT(ran.err, HasSubstr("nothing was changed"));
  EXPECT_THAT(set_, IsEmpty());
  site_.input = "yes\n";
  ran = site_.run({"policy", "set", "slow", "--tag", "kind/bpm", "--glob", "BPM:*", "--rate",
                   "6/min", "--deadband", "0.5", "--deadband-relative", "1%", "--waveform-budget",
                   "1KiB/s", "--order", "7"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  ASSERT_EQ(set_.size(), 1u);
  const auto& policy = set_[0].policy;
  EXPECT_EQ(model::describe(policy),
            "order 7, tags kind/bpm, names BPM:*: deadband 0.5, deadband 1 % of the value, at most "
            "0.1 updates/s, waveforms at most 1024 B/s");
  EXPECT_EQ(set_[0].user, "ada@console");
}

TEST_F(PolicyCommands, WithoutATerminalNothingIsChangedUnlessToldTo) {
  auto ran = site_.run({"policy", "set", "slow", "--glob", "*", "--off"});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_THAT(ran.err, HasSubstr("--yes"));
  EXPECT_FALSE(asked_);
  ran = site_.run({"--json", "policy", "set", "slow", "--glob", "*", "--off", "--yes"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(ran.out, "{\"policy\":\"slow\",\"removed\":false,\"channels\":2}\n");
  EXPECT_THAT(ran.err, HasSubstr("BPM:1"));
  EXPECT_TRUE(set_.at(0).policy.thinning.off);
  ran = site_.run({"policy", "remove", "slow", "--yes"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(removed_, testing::ElementsAre("slow"));
  EXPECT_TRUE(asked_->remove);
}

TEST_F(PolicyCommands, PreviewChangesNothing) {
  auto ran = site_.run({"policy", "preview", "slow", "--glob", "BPM:*", "--rate", "1/s"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_FALSE(asked_->remove);
  ran = site_.run({"--json", "policy", "preview", "slow", "--glob", "BPM:*", "--rate", "1/s"});
  const auto json = Json::parse(ran.out);
  EXPECT_EQ(json["channels"], 2);
  EXPECT_EQ(json["after"]["bytes_per_day"], 8'640'000);
  EXPECT_EQ(json["largest"][0]["policy_after"], "slow");
  EXPECT_THAT(set_, IsEmpty());
  monitor_alive_ = false;
  ran = site_.run({"policy", "preview", "slow", "--glob", "BPM:*", "--rate", "1/s"});
  EXPECT_THAT(ran.out, HasSubstr("the monitor is away"));
}

TEST_F(PolicyCommands, BadNumbersAreBadUsage) {
  for (const auto& [option, value] : std::vector<std::pair<std::string, std::string>>{
           {"--rate", "often"}, {"--waveform-budget", "much"}, {"--deadband-relative", "x"}}) {
    const auto ran = site_.run({"policy", "set", "slow", "--glob", "*", option, value, "--yes"});
    EXPECT_EQ(ran.exit, 2) << option;
    EXPECT_THAT(ran.err, HasSubstr(option));
  }
  EXPECT_THAT(set_, IsEmpty());
}

TEST_F(PolicyCommands, ListsAndShows) {
  auto ran = site_.run({"policy", "list"});
  EXPECT_THAT(ran.out, HasSubstr("at most 1 updates/s"));
  EXPECT_THAT(ran.out, HasSubstr("kind/bpm"));
  EXPECT_EQ(Json::parse(site_.run({"--json", "policy", "list"}).out)[0]["channels"], 12);
  ran = site_.run({"policy", "show", "slow"});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_THAT(ran.out, HasSubstr("about 12 addresses"));
  EXPECT_EQ(Json::parse(site_.run({"--json", "policy", "show", "slow"}).out)["updates_per_s_max"],
            1);
  ran = site_.run({"policy", "show", "fast"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.err, HasSubstr("no policy 'fast'"));
}

TEST_F(PolicyCommands, ExplainSaysWhatHappensToAPvAndWhy) {
  auto ran = site_.run({"policy", "explain", "BPM:1"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("100  slow: decides"));
  EXPECT_THAT(ran.out, HasSubstr("comes        10.0/s, 432 MB a day"));
  EXPECT_THAT(ran.out, HasSubstr("exceeds the storage guard's budget"));
  EXPECT_EQ(site_.run({"policy", "explain", "NO:SUCH"}).exit, 1);
  site_.stop("monitor");
  ran = site_.run({"policy", "explain", "BPM:1"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("the monitor is away"));
  const auto json = Json::parse(site_.run({"--json", "policy", "explain", "BPM:1"}).out);
  EXPECT_TRUE(json["guarded"].is_null());
  EXPECT_EQ(json["reasons"][0]["reason"], "decides");
}

TEST_F(PolicyCommands, RatesShowWhoFillsTheDisk) {
  auto ran = site_.run({"pv", "rates"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("slow, guard"));
  EXPECT_THAT(ran.out, HasSubstr("50 %"));
  EXPECT_THAT(ran.out, HasSubstr("3 PVs have changed: 20.0/s, 518 MB a day come, 11.0/s, 86.4 MB a "
                                 "day are archived, by the last 1m 1s"));
  const auto json = Json::parse(site_.run({"--json", "pv", "rates", "--top", "1"}).out);
  EXPECT_EQ(json["noisiest"][0]["guarded"], true);
}

}  // namespace
}  // namespace tidemark::tools
