// test/subsystem/outbox_test.cpp

#include "subsystem/outbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "journal/spool.h"
#include "test/support/fake_link.h"

namespace tidemark::subsystem {
namespace {

namespace api = model::api;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

model::Record said(std::size_t bytes = 10) {
  return model::LogMessage{model::Level::kInfo, "psu.1", std::string(bytes, 'x')};
}
model::Record key_update(std::size_t bytes) {
  return model::KvUpdate{"psu.1/wave", std::string(bytes, 'k'), {}, "", 1};
}

class OutboxTest : public testing::Test {
 protected:
  void start(bool short_lived = false) {
    outbox_ = Outbox::start(link_, {.journal = test::number_of("journal"),
                                    .short_lived = short_lived,
                                    .kept_bytes_max = 10'000,
                                    .held_bytes_max = 20'000});
  }
  Result<Unit> append(model::Record record) {
    const auto taken = outbox_->append(std::move(record));
    link_->pass(Duration{0});
    return taken;
  }
  std::vector<api::AppendRequest> requests() const {
    std::vector<api::AppendRequest> requests;
    for (const auto& call : link_->asked("journal.append")) {
      requests.push_back(model::unpack<api::AppendRequest>(call.payload()).value());
    }
    return requests;
  }
  void acknowledge(std::uint64_t through) {
    for (const auto& call : link_->asked("journal.append")) {
      call.done(model::pack(api::AppendReply{through, through}));
    }
  }
  ~OutboxTest() override { link_->forget(); }

  std::shared_ptr<test::FakeLink> link_ =
      std::make_shared<test::FakeLink>(test::node_called("psu.1", 7));
  std::shared_ptr<Outbox> outbox_;
};

TEST_F(OutboxTest, SendsAndSaysWhenAllIsDurable) {
  start();
  ASSERT_TRUE(append(said()));
  bool drained = false;
  outbox_->when_drained([&] { drained = true; });
  link_->pass(Duration{0});
  EXPECT_FALSE(drained);
  acknowledge(1);
  EXPECT_TRUE(drained);
  ASSERT_THAT(requests(), SizeIs(1));
  EXPECT_EQ(requests()[0].incarnation, 7u);
}

TEST_F(OutboxTest, OfAProgramThatRunsOnceSaysSo) {
  start(true);
  ASSERT_TRUE(append(said()));
  EXPECT_EQ(requests().at(0).incarnation, api::kShortLived);
}

TEST_F(OutboxTest, SaysWhatWasAcknowledged) {
  start();
  ASSERT_TRUE(append(said()));
  acknowledge(1);
  ASSERT_TRUE(append(said()));
  EXPECT_EQ(requests().back().acknowledged, 1u);
}

TEST_F(OutboxTest, DropsUpdatesOfKeysBeforeAnythingElse) {
  start();
  ASSERT_TRUE(append(said()));
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(append(key_update(3000)));
  ASSERT_TRUE(append(said()));
  link_->asked("journal.append").at(0).fail({Code::kUnavailable, "away"});
  link_->pass(std::chrono::seconds(1));

  std::uint64_t updates = 0;
  std::uint64_t others = 0;
  const auto again = requests().back();
  for (const auto& section : again.sections) {
    for (const auto& record : model::decode_records(section.payload.bytes).value()) {
      ++(std::holds_alternative<model::KvUpdate>(record) ? updates : others);
    }
  }
  EXPECT_EQ(others, 2u);
  EXPECT_LT(updates, 4u);
  EXPECT_EQ(again.sections.back().sequence, 8u) << "what was dropped had numbers";
  EXPECT_EQ(outbox_->dropped(), 6 - updates);
  EXPECT_GT(outbox_->held_bytes(), updates * 3000);
}

TEST_F(OutboxTest, TakesNothingMoreWhenTooMuchIsHeldAndSaysHowMuchItWas) {
  start();
  int taken = 0;
  while (append(said(1000))) ASSERT_LT(++taken, 100);
  EXPECT_FALSE(append(said(1000)));
  const auto refused = outbox_->append(said());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnavailable);

  EXPECT_EQ(outbox_->dropped(), 3u);
  const auto held = requests();
  acknowledge(static_cast<std::uint64_t>(taken));
  const auto later = requests().back();
  ASSERT_THAT(later.sections, SizeIs(1));
  EXPECT_EQ(later.sections[0].sequence, static_cast<std::uint64_t>(taken) + 3 + 1);
  const auto told = model::decode_records(later.sections[0].payload.bytes).value();
  EXPECT_THAT(std::get<model::LogMessage>(told.at(0)).text, HasSubstr("3 records were not taken"));
  EXPECT_EQ(outbox_->dropped(), 3u);
  EXPECT_TRUE(append(said()));
}

TEST_F(OutboxTest, DoesNotTakeWhatWouldBeInTheWayOfAllOthers) {
  start();
  ASSERT_TRUE(append(said(Outbox::kRecordBytesMax)));
  ASSERT_TRUE(append(said()));
  const auto sections = requests().at(0).sections;
  ASSERT_THAT(sections, SizeIs(1));
  EXPECT_EQ(sections[0].sequence, 2u) << "the first is a gap";
  const auto told = model::decode_records(sections[0].payload.bytes).value();
  EXPECT_THAT(std::get<model::LogMessage>(told.at(0)).text, HasSubstr("bytes was not taken"));
  EXPECT_EQ(requests().at(1).sections.at(0).sequence, 3u);
  EXPECT_EQ(outbox_->dropped(), 1u);
}

TEST_F(OutboxTest, SaysInItsSpoolHowMuchWasNotTakenWhenItEnds) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "outbox_ends";
  std::filesystem::remove_all(folder);
  const Outbox::Options options{.journal = test::number_of("journal"),
                                .spool = {folder.string(), 1u << 20, true},
                                .kept_bytes_max = 10'000,
                                .held_bytes_max = 20'000};
  outbox_ = Outbox::start(link_, options);
  std::uint64_t taken = 0;
  while (append(said(1000))) ASSERT_LT(++taken, 100u);
  EXPECT_FALSE(append(said()));
  outbox_.reset();

  const auto spooled = journal::read_spool((folder / "7.spool").string());
  ASSERT_TRUE(spooled.ok()) << spooled.error().message;
  const auto& last = spooled.value().sections.back();
  EXPECT_EQ(last.sequence, taken + 2 + 1);
  const auto told = model::decode_records(last.payload.bytes).value();
  EXPECT_THAT(std::get<model::LogMessage>(told.at(0)).text, HasSubstr("2 records were not taken"));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace tidemark::subsystem
