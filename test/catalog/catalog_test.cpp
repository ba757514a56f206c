#include "catalog/catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "catalog/memory_store.h"

namespace tidemark::catalog {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr UtcTime kNow{std::chrono::hours(500'000)};

class CatalogTest : public testing::Test {
 protected:
  void import(const std::string& csv) {
    model::api::ImportRequest request;
    request.csv = csv;
    const auto report = catalog_.import_csv(request, kNow);
    ASSERT_TRUE(report);
    ASSERT_TRUE(report.value().imported);
  }
  void import_magnets() {
    import(
        "Setpoint,Readback,Device,Description,Area,Kind\n"
        "MAG:Q1:S,MAG:Q1:R,QUAD1,first,North,Quad\n"
        "MAG:Q2:S,MAG:Q2:R,QUAD2,50%_of it,South,Quad\n"
        "MAG:D1:S,MAG:D1:R,DIP1,bends,North,Dipole\n"
        ",RF:P,CAVITY,power,South,\n");
  }
  static std::vector<std::string> names(const std::vector<model::PvEntry>& pvs) {
    std::vector<std::string> names;
    for (const auto& pv : pvs) names.push_back(pv.name());
    return names;
  }
  std::vector<std::string> listed(const model::api::PvQuery& query) {
    return names(catalog_.list(query).value().pvs);
  }
  std::vector<std::string> selected(const model::Scope& scope) {
    std::vector<std::string> names;
    for (const auto* pv : catalog_.select(scope).value()) names.push_back(pv->name());
    return names;
  }
  std::pair<Uuid, Uuid> tag(const std::string& group_name, const std::string& tag_name) {
    for (const auto& group : catalog_.tags().groups) {
      for (const auto& each : group.tags) {
        if (group.name == group_name && each.name == tag_name) return {group.id, each.id};
      }
    }
    return {};
  }
  static model::Snapshot snapshot(const std::string& title, int hours = 0,
                                  const std::string& id = "") {
    model::Snapshot made;
    made.header.id = id.empty() ? Uuid::random() : *Uuid::parse(id);
    made.header.title = title;
    made.header.created_at = kNow + std::chrono::hours(hours);
    made.values.resize(1);
    made.values[0].address = "MAG:Q1:S";
    made.values[0].value = 1.5;
    made.pvs.resize(1);
    made.pvs[0].setpoint = 0;
    return made;
  }
  void add(const model::Snapshot& snapshot) { ASSERT_TRUE(catalog_.add_snapshot(snapshot)); }
  Catalog reloaded() { return Catalog::load(store_).value(); }

  std::shared_ptr<MemoryStore> store_ = std::make_shared<MemoryStore>();
  Catalog catalog_ = Catalog::load(store_).value();
};

TEST_F(CatalogTest, IsTheSameWhenLoadedAgain) {
  import_magnets();
  const auto taken = snapshot("before");
  add(taken);
  model::Job job;
  job.id = Uuid::random();
  const auto key = Uuid::random();
  ASSERT_TRUE(catalog_.put_job(job, key));
  ASSERT_TRUE(catalog_.set_journaled_through(3));

  const auto again = reloaded();
  EXPECT_EQ(again.list({}).value().pvs, catalog_.list({}).value().pvs);
  EXPECT_EQ(again.list({}).value().tag_groups, catalog_.list({}).value().tag_groups);
  EXPECT_EQ(again.channel_count(), catalog_.channel_count());
  EXPECT_EQ(again.channel_of("RF:P"), catalog_.channel_of("RF:P"));
  EXPECT_EQ(again.journaled_through(), 3u);
  EXPECT_EQ(again.load_snapshot(taken.header.id).value(), taken);
  EXPECT_EQ(*again.find_job(job.id), job);
  EXPECT_EQ(again.job_of(key)->id, job.id);
}

TEST_F(CatalogTest, NamesTheKeyThatIsBroken) {
  import_magnets();
  const auto id = catalog_.list({}).value().pvs[0].id;
  std::string key = "p/";
  key.append(reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size());
  ASSERT_TRUE(store_->commit({{key, Bytes("\xc1")}}));
  const auto loaded = Catalog::load(store_);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Code::kCorruption);
  EXPECT_THAT(loaded.error().message, HasSubstr("key p/"));
}

TEST_F(CatalogTest, RefusesAFormatOfALaterVersion) {
  ASSERT_TRUE(store_->commit({{"v", Bytes("\2\0\0\0", 4)}}));
  const auto loaded = Catalog::load(store_);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Code::kInvalidArgument);
}

TEST_F(CatalogTest, ListsByName) {
  import_magnets();
  EXPECT_THAT(listed({}), ElementsAre("MAG:D1:S", "MAG:Q1:S", "MAG:Q2:S", "RF:P"));
}

TEST_F(CatalogTest, FindsTextInAnyColumnAndInAnyCase) {
  import_magnets();
  const auto with_text = [&](const std::string& text) {
    model::api::PvQuery query;
    query.text = text;
    return listed(query);
  };
  EXPECT_THAT(with_text("q1:s"), ElementsAre("MAG:Q1:S"));
  EXPECT_THAT(with_text("Q2:r"), ElementsAre("MAG:Q2:S"));
  EXPECT_THAT(with_text("cavity"), ElementsAre("RF:P"));
  EXPECT_THAT(with_text("BENDS"), ElementsAre("MAG:D1:S"));
  EXPECT_THAT(with_text("%_"), ElementsAre("MAG:Q2:S")) << "no character is special";
  EXPECT_THAT(with_text("nothing"), IsEmpty());
}

TEST_F(CatalogTest, GivesEveryPvOnceThroughItsPages) {
  std::string csv = "Setpoint\n";
  for (int i = 0; i < 25; ++i) csv += "PV:" + std::to_string(i) + "\n";
  import(csv);
  model::api::PvQuery query;
  query.limit = 10;
  std::vector<std::string> all;
  int pages = 0;
  do {
    const auto page = catalog_.list(query).value();
    EXPECT_EQ(page.total, 25u);
    const auto some = names(page.pvs);
    all.insert(all.end(), some.begin(), some.end());
    query.after = page.next;
    ++pages;
  } while (!query.after.empty());
  EXPECT_EQ(pages, 3);
  query.limit = 0;
  EXPECT_EQ(all, listed(query));
}

TEST_F(CatalogTest, EndsWithAFullPageWithoutAnEmptyOne) {
  import("Setpoint\nA\nB\n");
  model::api::PvQuery query;
  query.limit = 2;
  EXPECT_EQ(catalog_.list(query).value().next, "");
}

TEST_F(CatalogTest, NamesTheFieldThatIsWrong) {
  model::api::PvQuery query;
  query.after = "not a token";
  EXPECT_THAT(catalog_.list(query).error().message, HasSubstr("after"));
  query.after = "";
  query.limit = 1001;
  EXPECT_EQ(catalog_.list(query).error().code, Code::kInvalidArgument);
  EXPECT_THAT(catalog_.list(query).error().message, HasSubstr("limit"));
}

TEST_F(CatalogTest, FiltersByTagsOrWithinAGroupAndAcross) {
  import_magnets();
  const auto [area, north] = tag("Area", "North");
  const auto south = tag("Area", "South").second;
  const auto [kind, quad] = tag("Kind", "Quad");
  model::api::PvQuery query;
  query.tag_filters = {{area, {north, south}}, {kind, {quad}}};
  EXPECT_THAT(listed(query), ElementsAre("MAG:Q1:S", "MAG:Q2:S"));
  query.tag_filters = {{area, {north}}, {kind, {quad}}};
  EXPECT_THAT(listed(query), ElementsAre("MAG:Q1:S"));
  EXPECT_EQ(catalog_.list(query).value().tag_groups.size(), 2u);
  query.tag_filters = {{area, {Uuid::random()}}};
  EXPECT_THAT(listed(query), IsEmpty());
}

TEST_F(CatalogTest, SelectsByNamesGlobsTagsAndIds) {
  import_magnets();
  model::Scope scope;
  scope.names = {"MAG:Q?:R", "RF:P"};
  EXPECT_THAT(selected(scope), ElementsAre("MAG:Q1:S", "MAG:Q2:S", "RF:P"));
  scope.tags = {"area/SOUTH"};
  EXPECT_THAT(selected(scope), ElementsAre("MAG:Q2:S", "RF:P"));
  scope.pvs = {catalog_.select(scope).value()[0]->id};
  EXPECT_THAT(selected(scope), ElementsAre("MAG:Q2:S"));
  scope = {};
  scope.tags = {"Area/North", "Area/South", "Kind/Quad"};
  EXPECT_THAT(selected(scope), ElementsAre("MAG:Q1:S", "MAG:Q2:S"));
  EXPECT_EQ(selected({}).size(), 4u);
  scope = {};
  scope.none = true;
  EXPECT_THAT(selected(scope), IsEmpty());
}

TEST_F(CatalogTest, NamesATagOrPvThatNobodyDefined) {
  import_magnets();
  model::Scope scope;
  scope.tags = {"Area/East"};
  EXPECT_EQ(catalog_.select(scope).error().code, Code::kNotFound);
  EXPECT_THAT(catalog_.select(scope).error().message, HasSubstr("Area/East"));
  scope = {};
  scope.pvs = {Uuid::random()};
  EXPECT_EQ(catalog_.select(scope).error().code, Code::kNotFound);
  EXPECT_THAT(catalog_.select(scope).error().message, HasSubstr(scope.pvs[0].text()));
}

TEST_F(CatalogTest, CountsPvsOfEachTag) {
  import_magnets();
  const auto tags = catalog_.tags();
  ASSERT_EQ(tags.groups.size(), 2u);
  EXPECT_EQ(tags.groups[0].name, "Area");
  const auto north = tag("Area", "North").second;
  for (const auto& [id, count] : tags.pv_counts)
    EXPECT_EQ(count, id == tag("Kind", "Dipole").second ? 1u : 2u);
  EXPECT_FALSE(north.is_nil());
}

TEST_F(CatalogTest, FindsASnapshotByIdTitleOrPartOfTheId) {
  const std::string id = "aaaabbbb-0000-4000-8000-000000000001";
  add(snapshot("morning", 0, id));
  add(snapshot("morning", 2, "aaaabbbb-0000-4000-8000-000000000002"));
  add(snapshot("aaaa", 1, "cccc0000-0000-4000-8000-000000000003"));
  EXPECT_EQ(catalog_.find_snapshot(id).value().id.text(), id);
  EXPECT_EQ(catalog_.find_snapshot("morning").value().created_at, kNow + std::chrono::hours(2))
      << "the newest";
  EXPECT_EQ(catalog_.find_snapshot("CCCC").value().title, "aaaa");
  EXPECT_EQ(catalog_.find_snapshot("aaaa").value().title, "aaaa") << "a title before an id";
  EXPECT_EQ(catalog_.find_snapshot("aaaab").error().code, Code::kConflict);
  EXPECT_EQ(catalog_.find_snapshot("ccc").error().code, Code::kNotFound) << "too short";
  EXPECT_EQ(catalog_.find_snapshot("evening").error().code, Code::kNotFound);
}

TEST_F(CatalogTest, KeepsASnapshotOnceAndInOneCommit) {
  const auto taken = snapshot("once");
  const auto before = store_->commits();
  add(taken);
  EXPECT_EQ(store_->commits(), before + 1);
  EXPECT_EQ(catalog_.add_snapshot(taken).error().code, Code::kConflict);
  EXPECT_EQ(catalog_.load_snapshot(taken.header.id).value(), taken);
}

TEST_F(CatalogTest, ForgetsADeletedSnapshot) {
  const auto taken = snapshot("gone");
  add(taken);
  ASSERT_TRUE(catalog_.delete_snapshot(taken.header.id));
  EXPECT_EQ(catalog_.load_snapshot(taken.header.id).error().code, Code::kNotFound);
  EXPECT_EQ(catalog_.delete_snapshot(taken.header.id).error().code, Code::kNotFound);
  EXPECT_THAT(reloaded().list_snapshots({}).value(), IsEmpty());
}

TEST_F(CatalogTest, ListsSnapshotsNewestFirst) {
  add(snapshot("Morning", 1));
  add(snapshot("evening", 3));
  add(snapshot("noon", 2));
  const auto titles = [&](const model::api::SnapshotQuery& query) {
    std::vector<std::string> found;
    for (const auto& header : catalog_.list_snapshots(query).value()) {
      found.push_back(header.title);
    }
    return found;
  };
  model::api::SnapshotQuery query;
  EXPECT_THAT(titles(query), ElementsAre("evening", "noon", "Morning"));
  query.title = "NING";
  EXPECT_THAT(titles(query), ElementsAre("evening", "Morning"));
  query.limit = 1;
  EXPECT_THAT(titles(query), ElementsAre("evening"));
}

TEST_F(CatalogTest, ListsSnapshotsThatHoldAPvWithAnyOfTheTags) {
  auto tagged = snapshot("tagged");
  tagged.pvs[0].tags = {Uuid::random(), Uuid::random()};
  add(tagged);
  add(snapshot("plain"));
  model::api::SnapshotQuery query;
  query.tags = {Uuid::random(), tagged.pvs[0].tags[1]};
  EXPECT_THAT(catalog_.list_snapshots(query).value(), ElementsAre(tagged.header));
  EXPECT_THAT(reloaded().list_snapshots(query).value(), ElementsAre(tagged.header));
}

TEST_F(CatalogTest, FindsTheJobOfAnIdempotencyKey) {
  model::Job job;
  job.id = Uuid::random();
  const auto key = Uuid::random();
  ASSERT_TRUE(catalog_.put_job(job, key));
  job.state = model::JobState::kCompleted;
  ASSERT_TRUE(catalog_.put_job(job));
  EXPECT_EQ(catalog_.job_of(key)->state, model::JobState::kCompleted);
  EXPECT_EQ(catalog_.job_of(Uuid::random()), nullptr);
  EXPECT_EQ(catalog_.find_job(Uuid::random()), nullptr);
}

TEST_F(CatalogTest, ListsJobsNewestFirst) {
  for (const int hours : {1, 3, 2}) {
    model::Job job;
    job.id = Uuid::random();
    job.title = std::to_string(hours);
    job.created_at = kNow + std::chrono::hours(hours);
    ASSERT_TRUE(catalog_.put_job(job));
  }
  const auto jobs = catalog_.list_jobs(2);
  ASSERT_EQ(jobs.size(), 2u);
  EXPECT_EQ(jobs[0].title, "3");
  EXPECT_EQ(jobs[1].title, "2");
}

TEST_F(CatalogTest, ShowsNothingThatTheStoreRefused) {
  store_->refuse_commits(Error{Code::kFailed, "the disk is gone"});
  model::Job job;
  job.id = Uuid::random();
  EXPECT_EQ(catalog_.put_job(job).error().code, Code::kFailed);
  EXPECT_EQ(catalog_.find_job(job.id), nullptr);
  EXPECT_FALSE(catalog_.add_snapshot(snapshot("lost")));
  EXPECT_THAT(catalog_.list_snapshots({}).value(), IsEmpty());
  EXPECT_FALSE(catalog_.set_journaled_through(0));
}

}  // namespace
}  // namespace tidemark::catalog
