// test/journal/chunk_test.cpp

#include "journal/chunk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "pv_samples.h"

namespace tidemark::journal {
namespace {

class ChunkTest : public testing::Test {
 protected:
  void add(model::PvValue value, std::int64_t second = 0) {
    Sample sample;
    sample.line = Line{next_line_};
    next_line_ += 3;
    sample.update.channel = model::ChannelId{7};
    sample.update.taken_at = at_second(second);
    sample.update.value = std::move(value);
    samples_.push_back(std::move(sample));
  }
  void expect_back() const {
    std::vector<Sample> found;
    const auto decoded = decode_chunk(encode_chunk(samples_), found);
    ASSERT_TRUE(decoded) << decoded.error().message;
    ASSERT_EQ(found.size(), samples_.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(found[i].line, samples_[i].line);
      EXPECT_EQ(found[i].update, samples_[i].update) << i;
    }
  }

  std::uint64_t next_line_ = 4711;
  std::vector<Sample> samples_;
};

TEST_F(ChunkTest, GivesBackEveryTypeExactly) {
  add(std::numeric_limits<double>::denorm_min());
  add(std::numeric_limits<double>::quiet_NaN());
  add(-std::numeric_limits<double>::infinity());
  add(-0.0);
  add(1.5F);
  add(std::numeric_limits<std::int32_t>::min());
  add(std::numeric_limits<std::int32_t>::max());
  add(std::int16_t{-32768});
  add(std::uint8_t{255});
  add(model::EnumIndex{65535});
  add(std::string("ON"));
  add(std::string());
  add(model::SharedArray(std::vector<double>{1, 2, 3}));
  add(model::SharedArray(std::vector<std::string>{"a", ""}));
  add(model::PvValue{});
  expect_back();
}

TEST_F(ChunkTest, GivesBackALongRunOfOneType) {
  for (int i = 0; i < 5000; ++i) add(std::sin(i * 0.01), i);
  expect_back();
}

TEST_F(ChunkTest, GivesBackTimesThatGoBackAndAlarms) {
  add(1.0, 100);
  add(2.0, -2'000'000'000);
  add(3.0, 50);
  samples_[1].update.alarm = {model::Severity::kMajor, 3};
  samples_[2].update.hidden_before = 12;
  expect_back();
  const auto header = decode_chunk_header(encode_chunk(samples_)).value();
  EXPECT_EQ(header.earliest, at_second(-2'000'000'000));
  EXPECT_EQ(header.latest, at_second(100));
  EXPECT_EQ(header.worst, model::Severity::kMajor);
}

TEST_F(ChunkTest, GivesBackConnections) {
  add(1.0);
  samples_[0].update.event = model::PvUpdate::Event::kConnected;
  samples_[0].update.value = {};
  samples_[0].update.meta = std::make_shared<model::PvMeta>();
  add(2.0);
  add({});
  samples_[2].update.event = model::PvUpdate::Event::kDisconnected;
  expect_back();
}

TEST_F(ChunkTest, GivesBackQuietChannelsTogether) {
  for (std::uint32_t channel = 1; channel < 400; ++channel) {
    next_line_ = 4711 + channel;
    const auto begin = samples_.size();
    for (std::uint32_t i = 0; i <= channel % 5; ++i) {
      if (channel % 7 == 3) {
        add(std::string("text"), channel);
      } else {
        add(channel + 0.25 * i, 10 * channel + i);
      }
    }
    for (auto at = begin; at < samples_.size(); ++at) {
      samples_[at].update.channel = model::ChannelId{channel * 3};
    }
  }
  expect_back();
  EXPECT_FALSE(decode_chunk_header(encode_chunk(samples_)).value().numbers);
}

TEST_F(ChunkTest, SaysItsNumbersWithoutBeingUnpacked) {
  for (int i = 0; i < 1000; ++i) add(static_cast<double>(i % 100 - 50));
  samples_[10].update.value = std::numeric_limits<double>::quiet_NaN();
  const auto header = decode_chunk_header(encode_chunk(samples_)).value();
  ASSERT_TRUE(header.numbers);
  EXPECT_EQ(header.numbers->count, 999u);
  EXPECT_EQ(header.numbers->first, -50);
  EXPECT_EQ(header.numbers->last, 49);
  EXPECT_EQ(header.numbers->min, -50);
  EXPECT_EQ(header.numbers->max, 49);
  EXPECT_EQ(header.numbers->sum, -500 + 40);
  EXPECT_EQ(header.first, Line{4711});
  EXPECT_EQ(header.last, Line{4711 + 999 * 3});
}

TEST_F(ChunkTest, ANoisyDoubleTakesLittleMoreThanItsNoise) {
  std::uint64_t state = 1;
  for (int i = 0; i < 4096; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    add(20.0 + static_cast<double>(state >> 40) * 1e-9);
    samples_.back().update.taken_at += std::chrono::milliseconds(100 * i);
  }
  EXPECT_LT(encode_chunk(samples_).size(), samples_.size() * 9);
}

TEST_F(ChunkTest, RefusesWhatIsCutOffOrFlipped) {
  for (int i = 0; i < 300; ++i) add(i * 0.5, i);
  add(std::string("text"));
  const auto sound = encode_chunk(samples_);
  for (std::size_t length = 0; length < sound.size(); ++length) {
    std::vector<Sample> found;
    EXPECT_FALSE(decode_chunk(sound.substr(0, length), found)) << length;
  }
  for (std::size_t at = 0; at < sound.size(); ++at) {
    auto flipped = sound;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x41);
    std::vector<Sample> found;
    (void)decode_chunk(flipped, found);  // must not crash
  }
}

}  // namespace
}  // namespace tidemark::journal
