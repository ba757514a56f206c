#include "journal/spool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace tidemark::journal {
namespace {

using model::api::AppendSection;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class SpoolTest : public testing::Test {
 protected:
  SpoolTest() {
    char folder[] = "/tmp/tidemark-spool-XXXXXX";
    directory_ = ::mkdtemp(folder);
  }
  ~SpoolTest() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<Spool> open(std::size_t bytes_max = 1u << 20) {
    auto spool = Spool::open(path(), owner_, bytes_max);
    EXPECT_TRUE(spool.ok()) << (spool ? "" : spool.error().message);
    return spool ? std::move(spool).value() : nullptr;
  }
  static AppendSection section(std::uint64_t sequence, std::uint32_t count = 1,
                               std::size_t bytes = 10) {
    return {sequence, count, 2, UtcTime{Duration{sequence * 1000}},
            model::Blob{Bytes(bytes, static_cast<char>('a' + sequence % 26))}};
  }
  Spooled read() {
    auto spooled = read_spool(path());
    EXPECT_TRUE(spooled.ok()) << (spooled ? "" : spooled.error().message);
    return spooled ? std::move(spooled).value() : Spooled{};
  }
  std::vector<std::uint64_t> sequences() {
    std::vector<std::uint64_t> out;
    for (const auto& each : read().sections) out.push_back(each.sequence);
    return out;
  }
  std::string path() const { return directory_ + "/7.spool"; }
  Bytes bytes() const {
    std::ifstream stream(path(), std::ios::binary);
    return Bytes(std::istreambuf_iterator<char>(stream), {});
  }

  std::string directory_;
  const SpoolOwner owner_{Uuid::derive("psu.1"), "psu.1", 7};
};

TEST_F(SpoolTest, GivesBackWhatWasPushedAndWhoseItIs) {
  const auto spool = open();
  EXPECT_TRUE(spool->push(section(1, 3)));
  EXPECT_TRUE(spool->push(section(4)));
  const auto found = read();
  EXPECT_EQ(found.owner, owner_);
  ASSERT_THAT(found.sections, SizeIs(2));
  EXPECT_EQ(found.sections[0].count, 3u);
  EXPECT_EQ(found.sections[0].sent_at, UtcTime{Duration{1000}});
  EXPECT_EQ(found.sections[1].payload, section(4).payload);
  EXPECT_EQ(found.last(), 4u);
}

TEST_F(SpoolTest, ForgetsWhatIsAcknowledgedAndKeepsCount) {
  const auto spool = open();
  for (std::uint64_t each = 1; each <= 3; ++each) spool->push(section(each));
  spool->acknowledged(2);
  EXPECT_THAT(sequences(), ElementsAre(3));
  const auto held = spool->bytes();
  spool->acknowledged(3);
  EXPECT_THAT(sequences(), IsEmpty());
  EXPECT_EQ(read().last(), 3u) << "the next life must know which number is free";
  EXPECT_LT(spool->bytes(), held);
}

TEST_F(SpoolTest, LeavesNoFileWhenAllIsAcknowledged) {
  auto spool = open();
  spool->push(section(1));
  spool->acknowledged(1);
  spool.reset();
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(SpoolTest, GoesOnWithAFileThatIsThere) {
  open()->push(section(1));
  const auto spool = open();
  spool->push(section(2));
  EXPECT_THAT(sequences(), ElementsAre(1, 2));
}

TEST_F(SpoolTest, LeavesAloneWhatIsSomebodyElses) {
  open()->push(section(1));
  EXPECT_FALSE(Spool::open(path(), {Uuid::derive("psu.2"), "psu.2", 7}, 1u << 20).ok());
  EXPECT_THAT(sequences(), ElementsAre(1));
}

TEST_F(SpoolTest, SaysWhichNumbersFoundNoRoom) {
  const auto spool = open(1000);
  std::uint64_t next = 1;
  while (spool->push(section(next, 1, 100))) ++next;
  EXPECT_FALSE(spool->push(section(next + 1, 5, 100)));
  EXPECT_LE(bytes().size(), 1000u);
  EXPECT_EQ(read().unspooled, (Unspooled{next, next + 5}));
  EXPECT_EQ(read().last(), next + 5);
}

TEST_F(SpoolTest, TakesMoreWhenTheHoleIsPast) {
  const auto spool = open(1000);
  std::uint64_t next = 1;
  while (spool->push(section(next, 1, 100))) ++next;
  spool->acknowledged(next - 2);
  EXPECT_FALSE(spool->push(section(next + 1))) << "the hole is not past: one range says it";
  spool->acknowledged(next + 1);
  EXPECT_TRUE(spool->push(section(next + 2)));
  EXPECT_THAT(sequences(), ElementsAre(next + 2));
  EXPECT_EQ(read().unspooled, Unspooled{});
}

TEST_F(SpoolTest, UsesTheRoomOfWhatIsAcknowledged) {
  const auto spool = open(1000);
  for (std::uint64_t each = 1; each <= 1000; ++each) {
    ASSERT_TRUE(spool->push(section(each, 1, 100))) << each;
    if (each > 3) spool->acknowledged(each - 3);
    ASSERT_LE(bytes().size(), 1000u);
  }
  EXPECT_THAT(sequences(), ElementsAre(998, 999, 1000));
}

TEST_F(SpoolTest, KeepsWhatIsWholeInAFileThatWasCutOrSpoilt) {
  const auto spool = open();
  for (std::uint64_t each = 1; each <= 3; ++each) spool->push(section(each));
  const auto whole = bytes();
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    const auto spooled = decode_spool(BytesView(whole).substr(0, cut));
    if (!spooled) continue;
    EXPECT_LE(spooled.value().sections.size(), 2u);
    for (const auto& each : spooled.value().sections) {
      EXPECT_EQ(each.payload, section(each.sequence).payload);
    }
  }
  for (std::size_t at = 32; at < whole.size(); ++at) {  // in front there is only progress
    auto spoilt = whole;
    spoilt[at] = static_cast<char>(spoilt[at] ^ 0x10);
    const auto spooled = decode_spool(spoilt);
    if (!spooled) continue;
    EXPECT_LE(spooled.value().sections.size(), 2u) << at;
  }
}

}  // namespace
}  // namespace tidemark::journal
