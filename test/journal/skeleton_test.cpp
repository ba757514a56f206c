// test/journal/skeleton_test.cpp

#include "journal/skeleton.h"

#include <gtest/gtest.h>

#include "journal/segment_builder.h"
#include "journal/segment_header.h"
#include "journal_samples.h"

namespace tidemark::journal {
namespace {

Block block_of(Line first, const std::vector<Section>& sections) {
  Block block;
  block.first = first;
  block.recorded_at = at_second(static_cast<std::int64_t>(raw(first)));
  for (const auto& each : sections) {
    const auto one = inspected(each);
    block.count += each.count;
    block.kinds |= one.kinds();
    block.level = std::max(block.level, one.level());
    block.sections.push_back(each);
  }
  return block;
}

const model::Record kJob = model::JobProgress{Uuid::derive("job"), 1, 2};

TEST(Skeleton, ComesBackAsItWas) {
  SegmentBuilder builder;
  builder.add(block_of(Line{1}, {section_of({value_of(1, 1), value_of(2, 2)}, 1, origin_b()),
                                 section_of({message("a"), kJob, message("b")}, 9)}));
  builder.add(block_of(Line{6}, {section_of({message("c")}, 12)}));
  SegmentHeader header;
  (void)builder.finish(header);
  const auto decoded = decode_skeleton(encode_skeleton(builder.skeleton()));
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(decoded.value(), builder.skeleton());
  const auto& mixed = decoded.value().sections[1];
  EXPECT_EQ(mixed.content, Content::kMixed);
  EXPECT_EQ(mixed.runs, (std::vector<ClassRun>{{RecordClass::kLogMessages, 1},
                                               {RecordClass::kKept, 1},
                                               {RecordClass::kLogMessages, 1}}));
  EXPECT_EQ(header.last, Line{6});
  EXPECT_EQ(header.frames, (std::array<std::uint32_t, kFrameClasses>{1, 1, 0}));
}

std::string hex(BytesView bytes) {
  std::string text;
  for (const auto byte : bytes) {
    constexpr const char* kDigits = "0123456789abcdef";
    const auto value = static_cast<unsigned char>(byte);
    if (!text.empty()) text += ' ';
    text += kDigits[value >> 4];
    text += kDigits[value & 15];
  }
  return text;
}

TEST(Skeleton, WritesTheBytesOfTheFormatPage) {
  Uuid origin;
  for (std::size_t i = 0; i < origin.bytes.size(); ++i) {
    origin.bytes[i] = static_cast<std::uint8_t>(i);
  }
  SegmentBuilder builder;
  auto block = block_of(
      Line{4711},
      {section_of({value_of(1, 1), value_of(2, 2)}, 7, origin),
       section_of({model::LogMessage{model::Level::kWarning, "ops", "beam lost"}}, 9, origin)});
  block.recorded_at = at_second(1);
  builder.add(block);
  SegmentHeader header;
  header.length = 524'288;
  header.block.fill(0xaa);
  const auto puts = builder.finish(header);
  ASSERT_EQ(puts.size(), 2U);
  EXPECT_EQ(puts[0].first, skeleton_key(Line{4711}));
  EXPECT_EQ(hex(puts[0].second),
            "01 00 3d 01 02 01 e7 24 00 01 02 03 04 05 06 07 "
            "08 09 0a 0b 0c 0d 0e 0f 01 01 80 a8 a6 9c ce bf "
            "ce 97 2f 01 84 80 04 02 00 00 0e 00 02 01 80 a8 "
            "d6 b9 07 80 a8 d6 b9 07 01 01 00 01 02 01 01 15 "
            "64 0c 25 9b");
  EXPECT_EQ(puts[1].first, frame_key(RecordClass::kLogMessages, Line{4711}, 0));
  EXPECT_EQ(hex(puts[1].second),
            "00 15 91 97 10 02 a3 6f 70 73 a9 62 65 61 6d 20 "
            "6c 6f 73 74 c0 a0 00 71 57 dd 21");
  EXPECT_EQ(hex(encode_header(header)),
            "01 00 02 e7 24 02 80 80 20 80 a8 a6 9c ce bf ce "
            "97 2f 80 a8 a6 9c ce bf ce 97 2f 84 80 04 01 00 "
            "01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
            "00 00 aa aa aa aa aa aa aa aa aa aa aa aa aa aa "
            "aa aa 79 e3 ef 4a 3c 0d 69 5b 24 62 5c 04 e0 b8 "
            "36 27 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
            "00 00 23 df 22 51 48 f6 6f 7c 1b f3 4a db 59 51 "
            "1f 9d 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
            "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
            "00 00 8e b3 d5 25");
}

TEST(Skeleton, CostsSomeBytesABlock) {
  SegmentBuilder builder;
  constexpr int kBlocks = 5000;
  std::uint64_t noise = 1;
  for (std::uint64_t i = 0; i < kBlocks; ++i) {
    noise = noise * 6364136223846793005u + 1442695040888963407u;
    std::vector<model::PvUpdate> updates(20 + noise % 80, value_of(1, 1));
    auto section = section_of(updates, 1 + 100 * i);
    auto block = block_of(Line{1 + 1000 * i}, {section});
    block.first =
        builder.empty() ? Line{1} : Line{raw(builder.skeleton().blocks.back().last()) + 1};
    block.recorded_at = at_second(0) + Duration{std::int64_t{1'000'000} * static_cast<int>(i)} +
                        Duration{static_cast<std::int64_t>(noise >> 46)};
    block.sections[0].sent_at =
        block.recorded_at - Duration{static_cast<std::int64_t>(noise >> 48)};
    builder.add(block);
  }
  EXPECT_LT(encode_skeleton(builder.skeleton()).size(), 12U * kBlocks);
}

TEST(Skeleton, PutsRecordsIntoFramesOfSome64KiB) {
  SegmentBuilder builder;
  for (std::uint64_t line = 1; line <= 100; ++line) {
    builder.add(block_of(Line{line}, {section_of({message(std::string(4000, 'x'))}, line)}));
  }
  SegmentHeader header;
  (void)builder.finish(header);
  EXPECT_EQ(header.frames[static_cast<std::size_t>(RecordClass::kLogMessages)], 6U);
  EXPECT_EQ(decode_skeleton(encode_skeleton(builder.skeleton())).value(), builder.skeleton());
}

TEST(Skeleton, IsRefusedWhenAByteIsWrong) {
  SegmentBuilder builder;
  builder.add(block_of(Line{1}, {section_of({value_of(1, 1)})}));
  const auto bytes = encode_skeleton(builder.skeleton());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto wrong = bytes;
    wrong[i] = static_cast<char>(wrong[i] ^ 1);
    EXPECT_FALSE(decode_skeleton(wrong)) << i;
    EXPECT_FALSE(decode_skeleton(BytesView(bytes).substr(0, i))) << i;
  }
}

TEST(SegmentHeader, ComesBackAsItWas) {
  SegmentHeader header;
  header.first = Line{4711};
  header.last = Line{9000};
  header.length = 4096;
  header.earliest = at_second(1);
  header.latest = at_second(2);
  header.kinds = 0x80000001;
  header.level = model::Level::kWarning;
  header.blocks = 77;
  header.frames = {1, 2, 300};
  header.previous = digest("a");
  header.block = digest("b");
  header.skeleton = digest("c");
  header.records = {digest("d"), digest("e"), digest("f")};
  header.chunks = digest("g");
  const auto bytes = encode_header(header);
  const auto decoded = decode_header(bytes);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(decoded.value(), header);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto wrong = bytes;
    wrong[i] = static_cast<char>(wrong[i] ^ 1);
    EXPECT_FALSE(decode_header(wrong)) << i;
  }
}

TEST(SegmentHeader, HasTheChunksOfSegmentsThatBeginInIt) {
  SegmentHeader header;
  header.length = 10;
  header.first = Line{3};
  header.last = Line{10};
  EXPECT_EQ(header.chunk_segments(), std::pair(std::uint64_t{0}, std::uint64_t{1}));
  header.last = Line{15};
  EXPECT_EQ(header.chunk_segments(), std::pair(std::uint64_t{0}, std::uint64_t{1}));
  header.last = Line{35};
  EXPECT_EQ(header.chunk_segments(), std::pair(std::uint64_t{0}, std::uint64_t{3}));
}

}  // namespace
}  // namespace tidemark::journal
