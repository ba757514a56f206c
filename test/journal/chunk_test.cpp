// test/journal/chunk_test.cpp

#include "journal/chunk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "journal/machine_state.h"
#include "pv_samples.h"

namespace tidemark::journal {
namespace {

/// With spaces, as on the format page.
std::string hex(BytesView bytes) {
  std::string text;
  for (const auto each : bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    if (!text.empty()) text += ' ';
    text += kDigits[static_cast<unsigned char>(each) >> 4];
    text += kDigits[each & 15];
  }
  return text;
}
Bytes unhex(const std::string& text) {
  Bytes bytes;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    bytes.push_back(static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

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

TEST_F(ChunkTest, WritesTheBytesOfTheFormatPage) {
  const Bytes page =
      "02 00 08 0a 1c 80 80 d0 e2 c6 bf ce 97 2f 00 80 8c ee 89 1a 00 01 00 0e 00 00 00 "
      "08 00 01 00 80 a8 d6 b9 07 08 00 00 02 00 08 01 01 02 01 d2 1f 32 00 00";
  next_line_ = 10;
  for (int i = 0; i < 8; ++i) {
    add(20.25 + 0.25 * i, i);
    next_line_ += 1;
  }
  EXPECT_EQ(hex(encode_chunk(samples_)), page);
}

TEST_F(ChunkTest, GivesBackWhatFormat1Wrote) {
  // Written when it was the format: channel 3, lines 7, 9 and 12; a double, an enum, a string.
  const auto chunk = unhex(
      "01 00 03 07 05 80 80 d0 e2 c6 bf ce 97 2f 00 80 e4 97 d0 12 02 54 03 03 00 01 02 "
      "00 80 d0 ac f3 0e 80 a8 d6 b9 07 01 00 00 01 02 07 01 00 00 01 01 9a 99 99 99 99 "
      "99 b9 3f 01 06 04 01 07 2b 9a 01 01 cf 17 97 9c ff 60 2f f2 00 c4 04 00 00 00 00 "
      "c4 08 00 00 00 00 00 00 00 00 c4 01 07 c4 02 00 00 c4 00 91 a2 4f 4e c4 00");
  std::vector<Sample> found;
  const auto decoded = decode_chunk(chunk, found);
  ASSERT_TRUE(decoded) << decoded.error().message;
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].line, Line{7});
  EXPECT_EQ(found[1].line, Line{9});
  EXPECT_EQ(found[2].line, Line{12});
  EXPECT_EQ(found[0].update.value, model::PvValue{0.1});
  EXPECT_EQ(found[1].update.value, model::PvValue{model::EnumIndex{2}});
  EXPECT_EQ(found[2].update.value, model::PvValue{std::string("ON")});
  EXPECT_EQ(found[1].update.alarm, (model::Alarm{model::Severity::kMajor, 7}));
  EXPECT_EQ(found[2].update.taken_at, at_second(5));
  EXPECT_EQ(found[2].update.channel, model::ChannelId{3});
}

TEST(KeyframeShard, GivesBackWhatFormat1Wrote) {
  // The updates of above, of the channels 7, 9 and 12; 9 was lost in line 20, 11 in line 15.
  MachineState state;
  ASSERT_TRUE(decode_shard(
      unhex("01 01 75 28 b5 2f fd 20 75 25 03 00 a4 05 04 14 07 02 02 01 00 02 02 00 0d 0b 14 "
            "08 14 00 05 14 62 9a 01 04 cf 17 97 9c fe 36 2a 00 00 c4 10 00 c4 20 00 94 35 77 "
            "00 6c a0 52 01 63 68 e8 00 f2 2f 60 ff 9c 97 17 c4 04 01 06 00 07 c4 08 00 00 02 "
            "07 00 00 00 00 c4 0a 9a 99 99 99 99 99 b9 3f 02 00 91 a2 4f 4e c4 00 03 10 00 81 "
            "10 43 dd 13"),
      state));
  EXPECT_EQ(state.find(model::ChannelId{7})->value, model::PvValue{0.1});
  EXPECT_EQ(state.find(model::ChannelId{7})->value_line, Line{7});
  EXPECT_EQ(state.find(model::ChannelId{9})->value, model::PvValue{model::EnumIndex{2}});
  EXPECT_EQ(state.find(model::ChannelId{9})->alarm, (model::Alarm{model::Severity::kMajor, 7}));
  EXPECT_EQ(state.find(model::ChannelId{9})->link_line, Line{20});
  EXPECT_EQ(state.find(model::ChannelId{9})->state, model::LiveState::kDisconnected);
  EXPECT_EQ(state.find(model::ChannelId{11})->value_line, Line{0});
  EXPECT_EQ(state.find(model::ChannelId{12})->value, model::PvValue{std::string("ON")});
  EXPECT_EQ(state.find(model::ChannelId{12})->taken_at, at_second(5));
}

/// Random machines come in archive_test.cpp; here one that needs more than one chunk.
TEST(KeyframeShard, GivesBackValuesThatFillSeveralChunks) {
  MachineState state;
  for (std::uint32_t channel = 0; channel < 5; ++channel) {
    model::PvUpdate update;
    update.channel = model::ChannelId{channel};
    update.value = model::SharedArray(std::vector<double>(100'000, channel));
    state.apply(Line{channel + 1}, update);
  }
  MachineState found;
  ASSERT_TRUE(decode_shard(encode_shard(state, 0, 5), found));
  for (std::uint32_t channel = 0; channel < 5; ++channel) {
    EXPECT_EQ(*found.find(model::ChannelId{channel}), *state.find(model::ChannelId{channel}));
  }
}

TEST_F(ChunkTest, AReadingOfABusyChannelTakesLittleMoreThanItsBits) {
  std::mt19937_64 random(4711);
  for (int i = 0; i < 260; ++i) {
    add(350 + (static_cast<double>(random() & 0xffff) / 65535 - 0.5) * 2);
    samples_.back().update.taken_at +=
        std::chrono::milliseconds(100 * i) + std::chrono::nanoseconds(random() % 2048);
    next_line_ += 1950 + random() % 64;
  }
  // 16 bits of the value, 11 of the time, 6 of the line; and the header.
  EXPECT_LT(encode_chunk(samples_).size() * 8, samples_.size() * 39);
  expect_back();
}

TEST_F(ChunkTest, ColumnsHaveWhatSamplesHave) {
  add(1.5, 10);
  add(std::int32_t{-3}, 20);
  add(std::string("ON"), 30);
  samples_[2].update.channel = model::ChannelId{9};
  samples_[2].update.hidden_before = 4;
  ChunkColumns columns;
  ASSERT_TRUE(decode_chunk(encode_chunk(samples_), columns));
  ASSERT_EQ(columns.size(), 3u);
  ASSERT_EQ(columns.channels.size(), 2u);
  EXPECT_EQ(columns.channels[0].count, 2u);
  EXPECT_EQ(columns.channels[1].channel, model::ChannelId{9});
  EXPECT_EQ(columns.values.size(), 3u);
  EXPECT_EQ(columns.bits[1], static_cast<std::uint64_t>(-3));
  EXPECT_EQ(columns.others.at(columns.bits[2]).value, model::PvValue{std::string("ON")});
  EXPECT_EQ(columns.hidden[2], 4);
}

RC_GTEST_PROP(Chunk, GivesBackAnyUpdates, ()) {
  std::vector<Sample> samples;
  std::uint64_t line = 1;
  for (auto& update : *rc::gen::container<std::vector<model::PvUpdate>>(any_update(4))) {
    samples.push_back({Line{line}, std::move(update)});
    line += *rc::gen::element<std::uint64_t>(1, 1, 17, 100'000);
  }
  RC_PRE(!samples.empty());
  std::stable_sort(samples.begin(), samples.end(), [](const Sample& a, const Sample& b) {
    return a.update.channel < b.update.channel;
  });
  std::vector<Sample> found;
  RC_ASSERT(decode_chunk(encode_chunk(samples), found).ok());
  RC_ASSERT(found.size() == samples.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    RC_ASSERT(found[i].line == samples[i].line);
    RC_ASSERT(found[i].update == samples[i].update);
  }
}

TEST_F(ChunkTest, ANoisyDoubleTakesLittleMoreThanItsNoise) {
  std::uint64_t state = 1;
  for (int i = 0; i < 4096; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    add(20.0 + static_cast<double>(state >> 40) * 1e-9);
    samples_.back().update.taken_at += std::chrono::milliseconds(100 * i);
  }
  EXPECT_LT(encode_chunk(samples_).size(), samples_.size() * 9);
  expect_back();
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
