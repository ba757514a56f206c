#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "catalog/catalog.h"
#include "catalog/memory_store.h"

namespace tidemark::catalog {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using testing::UnorderedElementsAre;

constexpr UtcTime kNow{std::chrono::hours(500'000)};
constexpr UtcTime kLater{std::chrono::hours(500'001)};

class PvImport : public testing::Test {
 protected:
  model::api::ImportReport import(const std::string& csv, UtcTime now = kNow) {
    request_.csv = csv;
    request_.user = "ann@ring";
    auto report = catalog_.import_csv(request_, now);
    if (!report) {
      ADD_FAILURE() << report.error().message;
      return {};
    }
    return std::move(report).value();
  }
  const model::PvEntry& pv(const std::string& address) {
    model::Scope scope;
    scope.names = {address};
    const auto found = catalog_.select(scope).value();
    TIDEMARK_CHECK(found.size() == 1);
    return *found[0];
  }
  std::vector<std::string> tags_of(const std::string& address) {
    std::vector<std::string> names;
    for (const auto& group : catalog_.tags().groups) {
      for (const auto& tag : group.tags) {
        const auto& tags = pv(address).tags;
        if (std::find(tags.begin(), tags.end(), tag.id) != tags.end()) {
          names.push_back(group.name + "/" + tag.name);
        }
      }
    }
    return names;
  }

  std::shared_ptr<MemoryStore> store_ = std::make_shared<MemoryStore>();
  Catalog catalog_ = Catalog::load(store_).value();
  model::api::ImportRequest request_;
};

TEST_F(PvImport, DefinesPvsTagsAndChannelsInOneCommit) {
  const auto before = store_->commits();
  const auto report = import("Setpoint,Readback,Area\nQ1:S,Q1:R,A1\nQ2:S,Q2:R,\"A1,A2\"\n");
  EXPECT_TRUE(report.imported);
  EXPECT_EQ(report.rows, 2u);
  EXPECT_EQ(report.created, 2u);
  EXPECT_EQ(report.tags_created, 2u);
  EXPECT_EQ(store_->commits(), before + 1);
  EXPECT_EQ(catalog_.pv_count(), 2u);
  EXPECT_EQ(catalog_.channel_count(), 4u);
  EXPECT_EQ(catalog_.address_of(model::ChannelId{1}), "Q1:S");
  EXPECT_EQ(catalog_.channel_of("Q2:R"), model::ChannelId{4});
  EXPECT_THAT(tags_of("Q2:S"), UnorderedElementsAre("Area/A1", "Area/A2"));
  EXPECT_EQ(pv("Q1:S").created_by, "ann@ring");
  EXPECT_EQ(pv("Q1:S").created_at, kNow);
}

TEST_F(PvImport, LeavesAFileThatWasImportedBeforeUnchanged) {
  const std::string csv = "Setpoint,Readback,Area\nQ1:S,Q1:R,\"A2,A1\"\n,Q2:R,\n";
  import(csv);
  const auto commits = store_->commits();
  const auto report = import(csv, kLater);
  EXPECT_TRUE(report.imported);
  EXPECT_EQ(report.unchanged, 2u);
  EXPECT_EQ(report.created + report.updated + report.tags_created, 0u);
  EXPECT_EQ(store_->commits(), commits);
  EXPECT_EQ(pv("Q1:S").modified_at, kNow);
}

TEST_F(PvImport, UpdatesThePvWithTheSameAddresses) {
  import("Setpoint,Description,AbsTolerance,Area,Region\nQ1,old,0.5,A1,R1\n");
  const auto id = pv("Q1").id;
  const auto report = import("Setpoint,Description,Area\nQ1,new,A2\n", kLater);
  EXPECT_EQ(report.updated, 1u);
  EXPECT_EQ(pv("Q1").id, id);
  EXPECT_EQ(pv("Q1").description, "new");
  EXPECT_EQ(pv("Q1").abs_tolerance, 0.5) << "the file has no such column";
  EXPECT_THAT(tags_of("Q1"), UnorderedElementsAre("Area/A2", "Region/R1"));
  EXPECT_EQ(pv("Q1").created_at, kNow);
  EXPECT_EQ(pv("Q1").modified_at, kLater);
}

TEST_F(PvImport, KnowsTagsInAnyCase) {
  import("Setpoint,Area\nQ1,Hall\n");
  const auto report = import("Setpoint,AREA\nQ2,HALL\n");
  EXPECT_EQ(report.tags_created, 0u);
  EXPECT_THAT(tags_of("Q2"), ElementsAre("Area/Hall"));
  ASSERT_THAT(catalog_.tags().groups, SizeIs(1));
  EXPECT_EQ(catalog_.tags().pv_counts[0].second, 2u);
}

TEST_F(PvImport, NumbersASharedAddressOnce) {
  import("Setpoint,Readback\nQ1:S,COMMON\nQ2:S,COMMON\nQ3,Q3\n");
  EXPECT_EQ(catalog_.channel_count(), 4u);
}

TEST_F(PvImport, ChangesNothingWhenOneRowIsBad) {
  const auto before = store_->commits();
  const auto report = import("Setpoint,Area\nQ1,A1\nQ 2,A2\n");
  EXPECT_FALSE(report.imported);
  EXPECT_EQ(report.problem_count, 1u);
  EXPECT_EQ(report.problems.at(0).line, 3u);
  EXPECT_EQ(store_->commits(), before);
  EXPECT_EQ(catalog_.pv_count(), 0u);
  EXPECT_TRUE(catalog_.tags().groups.empty());
}

TEST_F(PvImport, SkipsBadRowsWhenAskedTo) {
  request_.skip_bad = true;
  const auto report = import("Setpoint\nQ1\nQ 2\nQ3\n");
  EXPECT_TRUE(report.imported);
  EXPECT_EQ(report.created, 2u);
  EXPECT_EQ(report.problem_count, 1u);
  EXPECT_EQ(catalog_.pv_count(), 2u);
}

TEST_F(PvImport, ReportsButChangesNothingInADryRun) {
  request_.dry_run = true;
  const auto before = store_->commits();
  const auto report = import("Setpoint,Area\nQ1,A1\n");
  EXPECT_FALSE(report.imported);
  EXPECT_EQ(report.created, 1u);
  EXPECT_EQ(report.tags_created, 1u);
  EXPECT_EQ(store_->commits(), before);
  EXPECT_EQ(catalog_.pv_count(), 0u);
  EXPECT_EQ(catalog_.channel_count(), 0u);
}

TEST_F(PvImport, NamesBothLinesOfASetpointThatIsThereTwice) {
  const auto report = import("Setpoint,Readback\nQ1,R1\nQ2,R2\nQ1,R3\n,R4\n,R4\n");
  ASSERT_EQ(report.problem_count, 2u);
  EXPECT_EQ(report.problems[0].line, 4u);
  EXPECT_EQ(report.problems[0].message, "Setpoint: 'Q1' is in line 2 already");
  EXPECT_EQ(report.problems[1].message, "Readback: 'R4' is in line 5 already");
}

TEST_F(PvImport, NamesThePvThatASetpointBelongsTo) {
  import("Setpoint,Readback\nQ1,R1\n");
  const auto report = import("Setpoint,Readback\nQ1,R2\n");
  ASSERT_EQ(report.problem_count, 1u);
  EXPECT_THAT(report.problems[0].message, HasSubstr("'Q1' belongs to a PV with readback 'R1'"));
  EXPECT_FALSE(report.imported);
}

TEST_F(PvImport, ChangesNothingWhenTheStoreRefuses) {
  store_->refuse_commits(Error{Code::kUnavailable, "disk full"});
  request_.csv = "Setpoint,Area\nQ1,A1\n";
  const auto report = catalog_.import_csv(request_, kNow);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Code::kUnavailable);
  EXPECT_EQ(catalog_.pv_count(), 0u);
  EXPECT_EQ(catalog_.channel_count(), 0u);
  EXPECT_TRUE(catalog_.tags().groups.empty());
  store_->refuse_commits({});
  EXPECT_TRUE(import(request_.csv).imported);
}

TEST_F(PvImport, IsAnErrorWhenTheHeaderIsWrong) {
  request_.csv = "Name\nQ1\n";
  const auto report = catalog_.import_csv(request_, kNow);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Code::kInvalidArgument);
}

TEST_F(PvImport, CountsMoreProblemsThanItShows) {
  std::string csv = "Setpoint\n";
  for (int i = 0; i < 1500; ++i) csv += "Q " + std::to_string(i) + "\n";
  const auto report = import(csv);
  EXPECT_EQ(report.problem_count, 1500u);
  EXPECT_THAT(report.problems, SizeIs(model::api::ImportReport::kProblemsMax));
}

}  // namespace
}  // namespace tidemark::catalog
