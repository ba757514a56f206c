#include "journal/outbox_lives.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace tidemark::journal {
namespace {

using model::api::AppendRequest;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class OutboxLivesTest : public testing::Test {
 protected:
  OutboxLivesTest() {
    char folder[] = "/tmp/tidemark-lives-XXXXXX";
    directory_ = ::mkdtemp(folder);
  }
  ~OutboxLivesTest() override { std::filesystem::remove_all(directory_); }

  SpoolOwner owner(std::uint32_t incarnation) const { return {origin_, "keeper", incarnation}; }
  std::unique_ptr<OutboxLives> life(std::uint32_t incarnation, std::size_t bytes_max = 1u << 20) {
    return std::make_unique<OutboxLives>(OutboxLimits{}, owner(incarnation),
                                         SpoolPlace{directory_, bytes_max});
  }
  static void say(OutboxLives& life, const std::string& text) {
    life.push(SectionFormat::kRecords, Worth::kRecords, 1, utc_now(),
              model::encode_records({model::LogMessage{model::Level::kInfo, "keeper", text}}));
  }
  static std::vector<std::string> texts(const AppendRequest& request) {
    std::vector<std::string> out;
    for (const auto& section : request.sections) {
      for (const auto& record : model::decode_records(section.payload.bytes).value()) {
        out.push_back(std::get<model::LogMessage>(record).text);
      }
    }
    return out;
  }
  std::size_t files() const {
    const std::filesystem::directory_iterator all(directory_);
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
  }

  const Uuid origin_ = Uuid::derive("keeper");
  std::string directory_;
};

TEST_F(OutboxLivesTest, SpeaksForTheLifeBeforeUntilTheJournalHasIt) {
  auto first = life(7);
  say(*first, "one");
  say(*first, "two");
  first.reset();

  const auto second = life(8);
  say(*second, "three");
  const auto past = second->next();
  EXPECT_EQ(past.incarnation, 7u);
  EXPECT_EQ(past.origin, origin_);
  EXPECT_EQ(past.after, 0u);
  EXPECT_EQ(past.sections.at(0).sequence, 1u);
  EXPECT_THAT(texts(past), ElementsAre("one", "two"));
  EXPECT_THAT(second->next().sections, IsEmpty()) << "this life waits for its turn";
  EXPECT_FALSE(second->acknowledged(1));
  EXPECT_TRUE(second->acknowledged(2));

  const auto now = second->next();
  EXPECT_EQ(now.incarnation, 8u);
  EXPECT_EQ(now.sections.at(0).sequence, 1u);
  EXPECT_THAT(texts(now), ElementsAre("three"));
  EXPECT_FALSE(second->acknowledged(1));
  EXPECT_TRUE(second->idle());
}

TEST_F(OutboxLivesTest, SendsAgainWhatTheJournalMayHave) {
  auto first = life(7);
  say(*first, "one");
  say(*first, "two");
  first->next();
  first->acknowledged(1);
  first.reset();
  const auto again = life(8)->next();
  EXPECT_THAT(texts(again), ElementsAre("two"));
  EXPECT_EQ(again.after, 1u);
  EXPECT_EQ(again.acknowledged, 1u);
}

TEST_F(OutboxLivesTest, SpeaksForSeveralLivesInTheirOrder) {
  for (std::uint32_t each = 9; each <= 11; ++each) say(*life(each), std::to_string(each));
  const auto now = life(12);
  for (std::uint32_t each = 9; each <= 11; ++each) {
    const auto request = now->next();
    EXPECT_EQ(request.incarnation, each);
    EXPECT_THAT(texts(request), ElementsAre(std::to_string(each)));
    EXPECT_TRUE(now->acknowledged(1));
  }
  EXPECT_TRUE(now->idle());
}

TEST_F(OutboxLivesTest, LeavesNothingOnDiskWhenTheJournalHasAll) {
  auto first = life(7);
  say(*first, "one");
  first->next();
  first->acknowledged(1);
  first.reset();
  EXPECT_EQ(files(), 0u);
}

TEST_F(OutboxLivesTest, KeepsUpdatesOfPvsInMemoryOnly) {
  auto first = life(7);
  first->push(SectionFormat::kUpdates, Worth::kUpdates, 3, utc_now(), "batch");
  say(*first, "four");
  first.reset();
  const auto request = life(8)->next();
  ASSERT_THAT(request.sections, SizeIs(1));
  EXPECT_EQ(request.sections[0].sequence, 4u) << "the journal sees what is missing";
  EXPECT_EQ(request.after, 0u);
}

TEST_F(OutboxLivesTest, SaysWhatTheSpoolHadNoRoomFor) {
  auto first = life(7, 1u << 16);
  int said = 0;
  while (said < 100) say(*first, std::string(1000, static_cast<char>('a' + ++said % 26)));
  first.reset();
  const auto request = life(8)->next();
  const auto& last = request.sections.back();
  EXPECT_EQ(last.sequence, 101u);
  EXPECT_LT(request.sections.size(), 100u);
  EXPECT_THAT(texts(request).back(), HasSubstr("to 100 of incarnation 7 are lost"));
}

TEST_F(OutboxLivesTest, GivesUpAPastThatNobodyTakesAndNeverItself) {
  say(*life(7), "one");
  const auto second = life(8);
  say(*second, "two");
  second->next();
  EXPECT_TRUE(second->give_up());
  EXPECT_EQ(second->next().incarnation, 8u);
  EXPECT_FALSE(second->give_up());
  EXPECT_FALSE(second->idle());
}

TEST_F(OutboxLivesTest, PutsAsideWhatIsNoSpool) {
  std::ofstream(directory_ + "/6.spool") << "something else";
  say(*life(7), "one");
  EXPECT_THAT(texts(life(8)->next()), ElementsAre("one"));
  EXPECT_TRUE(std::filesystem::exists(directory_ + "/6.spool.bad"));
}

TEST_F(OutboxLivesTest, AddsTheLastWordsToTheLifeThatSaidThem) {
  auto first = life(7);
  say(*first, "one");
  first->next();
  first->acknowledged(1);
  say(*first, "two");
  first.reset();
  const model::Record words = model::LogMessage{model::Level::kError, "keeper", "SIGSEGV"};
  EXPECT_TRUE(add_last_words({directory_}, owner(8), words));
  const auto request = life(8)->next();
  EXPECT_EQ(request.incarnation, 7u);
  EXPECT_EQ(request.sections.back().sequence, 3u);
  EXPECT_THAT(texts(request), ElementsAre("two", "SIGSEGV"));
}

TEST_F(OutboxLivesTest, WorksWithoutADisk) {
  OutboxLives life(OutboxLimits{}, owner(7), {"/proc/nowhere"});
  say(life, "one");
  EXPECT_THAT(texts(life.next()), ElementsAre("one"));
}

TEST_F(OutboxLivesTest, SaysThatTheNewestWereDroppedWhenNothingFollowsThem) {
  OutboxLives life({.bytes_max = 1000}, owner(7), {});
  say(life, std::string(1000, 'x'));
  for (int i = 0; i < 3; ++i) {
    life.push(SectionFormat::kRecords, Worth::kUpdates, 2, utc_now(), "updates");
  }
  EXPECT_EQ(life.next().sections.at(0).sequence, 1u);
  EXPECT_THAT(life.next().sections, IsEmpty());
  EXPECT_FALSE(life.acknowledged(1));

  const auto said = life.next();
  EXPECT_EQ(said.after, 1u);
  EXPECT_EQ(said.sections.at(0).sequence, 8u);
  EXPECT_THAT(texts(said).at(0), HasSubstr("6 updates were dropped"));
  EXPECT_FALSE(life.acknowledged(8));
  EXPECT_TRUE(life.idle());
}

TEST_F(OutboxLivesTest, OneThatHasASuccessorGivesNothingUp) {
  auto first = life(7);
  say(*first, "one");
  first.reset();
  const auto frozen = life(8);
  say(*frozen, "two");
  const auto successor = life(9);
  EXPECT_FALSE(frozen->give_up()) << "it may be refused itself";
  EXPECT_THAT(texts(frozen->next()), ElementsAre("one")) << "nothing of its own comes before";
  EXPECT_THAT(texts(successor->next()), ElementsAre("one"));
  const auto next = life(10);
  EXPECT_THAT(texts(next->next()), ElementsAre("one"));
}

}  // namespace
}  // namespace tidemark::journal
