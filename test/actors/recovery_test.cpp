#include "actors/recovery.h"

#include <gmock/gmock.h>

#include "actors/journal.h"
#include "journal/memory_store.h"
#include "node_test.h"

namespace tidemark::actors {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class RecoveryTest : public NodeTest {
 protected:
  RecoveryTest() {
    job_.id = Uuid::random();
    job_.type = "snapshot_restore";
    job_.state = model::JobState::kRunning;
    job_.line_before = 1;
    link_->on("journal.read", [this](const bus::Call& call) {
      if (away_) return call.fail({Code::kUnavailable, "not up yet"});
      caf::anon_send(reader_, read_atom_v, call);
    });
  }

  void keep(const std::vector<model::Record>& records) {
    journal::Section section;
    section.origin = Uuid::derive("keeper");
    section.incarnation = 1;
    section.sequence = next_;
    section.count = static_cast<std::uint32_t>(records.size());
    section.payload = model::encode_records(records);
    next_ += section.count;
    const std::vector<journal::InspectedSection> sections = {
        journal::inspect(std::move(section)).value()};
    ASSERT_TRUE(store_->append(sections).ok());
  }
  model::PutIntended intent(std::uint32_t channel) const {
    return {model::ChannelId{channel}, "Q" + std::to_string(channel), 1.0, job_.id};
  }
  void recover() {
    const auto listener = spawn([this]() -> JobListener::behavior_type {
      return {[this](job_atom, const Shared<model::Job>& job) { closed_.push_back(*job); }};
    });
    const auto recovery = spawn(recovery_actor, RecoveryOptions{link_, test::number_of("journal"),
                                                                outbox_, listener, job_});
    tell(recovery, start_atom_v);
  }

  model::Job job_;
  std::shared_ptr<journal::MemoryStore> store_ = std::make_shared<journal::MemoryStore>();
  JournalReader reader_ = spawn(
      journal_reader_actor, std::shared_ptr<journal::Store>(store_),
      [](const Uuid&) { return std::string("keeper"); }, LinesOfMark(), JournalReader());
  std::uint64_t next_ = 1;
  bool away_ = false;
  std::vector<model::Job> closed_;
};

TEST_F(RecoveryTest, RecordsAnIntentWithoutOutcomeAsUnknown) {
  keep({model::JobAccepted{job_.id, job_.type, "", "", ""}});
  keep({intent(1), intent(2), intent(3)});
  keep({model::PutConfirmed{model::ChannelId{1}, "Q1", job_.id},
        model::PutRefused{model::ChannelId{3}, "Q3", job_.id, "no"}});
  recover();

  const auto unknown = journal_.all<model::PutUnknown>();
  ASSERT_THAT(unknown, SizeIs(1));
  EXPECT_EQ(unknown[0].channel, model::ChannelId{2});
  EXPECT_EQ(unknown[0].job, job_.id);
  ASSERT_THAT(closed_, SizeIs(1));
  EXPECT_EQ(closed_[0].state, model::JobState::kInterrupted);
  ASSERT_TRUE(closed_[0].restore.has_value());
  EXPECT_EQ(closed_[0].restore->unknown, 1u);
  EXPECT_EQ(closed_[0].restore->confirmed, 1u);
  EXPECT_EQ(closed_[0].restore->refused, 1u);
  EXPECT_THAT(closed_[0].message, HasSubstr("1 unknown"));
}

TEST_F(RecoveryTest, LeavesTheIntentsOfOtherJobsAlone) {
  keep({model::JobAccepted{job_.id, job_.type, "", "", ""}});
  auto other = intent(1);
  other.job = Uuid::random();
  keep({other});
  recover();
  EXPECT_THAT(journal_.all<model::PutUnknown>(), IsEmpty());
  EXPECT_THAT(closed_, SizeIs(1));
}

TEST_F(RecoveryTest, ReadsAsManyPagesAsThereAre) {
  for (std::uint32_t i = 0; i < 12; ++i) {
    std::vector<model::Record> intents;
    for (std::uint32_t j = 1; j <= 1000; ++j) intents.push_back(intent(i * 1000 + j));
    keep(intents);
  }
  recover();
  ASSERT_THAT(closed_, SizeIs(1));
  EXPECT_EQ(closed_[0].restore->unknown, 12'000u);
}

TEST_F(RecoveryTest, WaitsForTheJournal) {
  keep({intent(1)});
  away_ = true;
  recover();
  EXPECT_THAT(closed_, IsEmpty());
  away_ = false;
  pass(milliseconds(500));
  EXPECT_THAT(closed_, SizeIs(1));
}

TEST_F(RecoveryTest, ClosesASnapshotJobWithoutReading) {
  job_.type = "snapshot_create";
  away_ = true;
  recover();
  ASSERT_THAT(closed_, SizeIs(1));
  EXPECT_EQ(closed_[0].state, model::JobState::kInterrupted);
}

}  // namespace
}  // namespace tidemark::actors
