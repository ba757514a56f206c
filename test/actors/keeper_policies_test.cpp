#include <gmock/gmock.h>

#include "actors/keeper.h"
#include "catalog/memory_store.h"
#include "node_test.h"

namespace tidemark::actors {
namespace {

namespace api = model::api;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class KeeperPoliciesTest : public NodeTest {
 protected:
  KeeperPoliciesTest() {
    settle();
    api::ImportRequest request;
    request.csv = "Setpoint,Readback,Kind\nQ1:S,Q1:R,Quad\nQ2:S,Q2:R,Quad\nB:S,,Bpm\n";
    request.user = "ann@ring";
    answer<api::ImportReport>(keeper_, import_atom_v, request);
    link_->on("monitor.forecast", [this](const bus::Call& call) {
      const auto query = model::unpack<api::ForecastQuery>(call.payload()).value();
      api::Forecast forecast;
      forecast.measured = std::chrono::seconds(60);
      for (const auto& row : query.rows) {
        const auto rate = [&](std::uint32_t thinning) {
          const auto limit = query.thinnings[thinning].updates_per_s_max;
          const auto updates = limit == 0 ? 10 : limit;
          return api::Rate{updates, updates * model::raw(row.channel)};
        };
        forecast.rows.push_back({rate(0), rate(row.before), rate(row.after)});
      }
      call.done(model::pack(forecast));
    });
  }

  static model::Policy slow(double updates_per_s = 1) {
    model::Policy policy;
    policy.name = "slow";
    policy.scope.tags = {"kind/quad"};
    policy.scope.names = {"*:R"};
    policy.thinning.updates_per_s_max = updates_per_s;
    return policy;
  }
  void set(const model::Policy& policy) {
    answer<api::Empty>(keeper_, put_atom_v, api::PolicySet{policy, "ann@ring"});
  }
  Shared<api::Channels> channels() {
    return answer<Shared<api::Channels>>(catalog_, channels_atom_v);
  }
  std::vector<std::string> changes() const {
    std::vector<std::string> out;
    for (const auto& each : journal_.all<model::PolicyChanged>()) {
      out.push_back(model::subject_of(each) + ": " + model::describe(model::Record(each)));
    }
    return out;
  }

  CatalogActor catalog_ = spawn(
      catalog_actor, std::make_shared<catalog::Catalog>(
                         catalog::Catalog::load(std::make_shared<catalog::MemoryStore>()).value()));
  Live live_ = spawn(live_actor, LiveOptions{link_, test::number_of("monitor"), board_, outbox_});
  Keeper keeper_ =
      spawn(keeper_actor, KeeperOptions{link_, board_, outbox_, catalog_, live_,
                                        test::number_of("monitor"), test::number_of("journal")});
};

TEST_F(KeeperPoliciesTest, ASetPolicyIsInTheJournalBeforeAnybodyHearsOfIt) {
  const auto announced = link_->published(bus::kCatalogStream).size();
  journal_.hold();
  const auto asked = ask<api::Empty>(keeper_, put_atom_v, api::PolicySet{slow(), "ann@ring"});
  settle();
  EXPECT_TRUE(asked->pending());
  EXPECT_THAT(link_->published(bus::kCatalogStream), SizeIs(announced));
  journal_.release();
  settle();
  EXPECT_FALSE(asked->pending());
  EXPECT_THAT(link_->published(bus::kCatalogStream), SizeIs(announced + 1));
  EXPECT_THAT(changes(), ElementsAre("policy slow: order 100, tags kind/quad, names *:R: at most 1 "
                                     "updates/s, by ann@ring"));
}

TEST_F(KeeperPoliciesTest, TheMonitorIsToldWhichChannelsArchiveLess) {
  const auto revision = channels()->revision;
  set(slow());
  const auto told = channels();
  EXPECT_GT(told->revision, revision);
  ASSERT_THAT(told->thinned, SizeIs(1));
  EXPECT_EQ(told->thinned[0].policy, "slow");
  EXPECT_EQ(told->thinned[0].thinning, slow().thinning);
  EXPECT_THAT(told->thinned[0].channels, ElementsAre(model::ChannelId{2}, model::ChannelId{4}));
}

TEST_F(KeeperPoliciesTest, EveryChangeIsRecordedWithWhatWasBefore) {
  set(slow());
  set(slow(2));
  answer<api::Empty>(keeper_, remove_atom_v, api::PolicyRemove{"slow", "bob@ring"});
  ASSERT_THAT(changes(), SizeIs(3));
  EXPECT_THAT(changes()[1], HasSubstr("at most 2 updates/s; before order 100"));
  EXPECT_THAT(changes()[2], HasSubstr("removed, was order 100"));
  EXPECT_THAT(changes()[2], HasSubstr("by bob@ring"));
  EXPECT_THAT(channels()->thinned, IsEmpty());
}

TEST_F(KeeperPoliciesTest, ListsPoliciesWithTheNumberOfTheirAddresses) {
  set(slow());
  const auto list = answer<api::PolicyList>(catalog_, policies_atom_v);
  ASSERT_THAT(list.policies, SizeIs(1));
  EXPECT_EQ(list.policies[0].channels, 2u);
  EXPECT_EQ(list.policies[0].policy.modified_by, "ann@ring");
}

TEST_F(KeeperPoliciesTest, PreviewsWhomAChangeConcernsAndWhatItSaves) {
  const auto preview = answer<api::PolicyPreview>(keeper_, forecast_atom_v,
                                                  api::PolicyPreviewQuery{slow(), false, 1});
  EXPECT_FALSE(preview.replaces);
  EXPECT_EQ(preview.channels, 2u);
  EXPECT_EQ(preview.before, (api::Rate{20, 60}));
  EXPECT_EQ(preview.after, (api::Rate{2, 6}));
  ASSERT_THAT(preview.largest, SizeIs(1));
  EXPECT_EQ(preview.largest[0].address, "Q2:R");  // the larger number has the larger rate
  EXPECT_EQ(preview.largest[0].policy_before, "");
  EXPECT_EQ(preview.largest[0].policy_after, "slow");
  EXPECT_TRUE(preview.monitor_alive);
  EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(KeeperPoliciesTest, PreviewsAReplacementAndARemoval) {
  set(slow());
  const auto faster = answer<api::PolicyPreview>(keeper_, forecast_atom_v,
                                                 api::PolicyPreviewQuery{slow(5), false, 9});
  ASSERT_TRUE(faster.replaces);
  EXPECT_EQ(faster.before.updates_per_s, 2);
  EXPECT_EQ(faster.after.updates_per_s, 10);
  const auto same = answer<api::PolicyPreview>(keeper_, forecast_atom_v,
                                               api::PolicyPreviewQuery{slow(), false, 9});
  EXPECT_EQ(same.channels, 0u);
  const auto removed = answer<api::PolicyPreview>(keeper_, forecast_atom_v,
                                                  api::PolicyPreviewQuery{slow(), true, 9});
  EXPECT_EQ(removed.after.updates_per_s, 20);
  EXPECT_EQ(removed.largest.at(0).policy_after, "");
}

TEST_F(KeeperPoliciesTest, APreviewWithoutTheMonitorSaysSo) {
  link_->on("monitor.forecast", [](const bus::Call& call) {
    call.fail({Code::kUnavailable, "away"});
  });
  const auto preview = answer<api::PolicyPreview>(keeper_, forecast_atom_v,
                                                  api::PolicyPreviewQuery{slow(), false, 9});
  EXPECT_EQ(preview.channels, 2u);
  EXPECT_FALSE(preview.monitor_alive);
}

TEST_F(KeeperPoliciesTest, RefusesWhatIsNoPolicyAndRecordsNothing) {
  auto bad = slow();
  bad.scope.tags = {"kind/none"};
  EXPECT_EQ(refusal<api::Empty>(keeper_, put_atom_v, api::PolicySet{bad, "x"}).code,
            Code::kNotFound);
  EXPECT_EQ(
      refusal<api::PolicyPreview>(keeper_, forecast_atom_v, api::PolicyPreviewQuery{bad, false, 1})
          .code,
      Code::kNotFound);
  EXPECT_EQ(refusal<api::Empty>(keeper_, remove_atom_v, api::PolicyRemove{"none", "x"}).code,
            Code::kNotFound);
  EXPECT_THAT(changes(), IsEmpty());
}

}  // namespace
}  // namespace tidemark::actors
