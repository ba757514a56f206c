#include "journal/block_codec.h"

#include <gtest/gtest.h>

#include "journal_samples.h"

namespace tidemark::journal {
namespace {

std::string hex(BytesView bytes) {
  std::string text;
  for (const char c : bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

/// One message from origin 000102…0f, as in docs/journal-format.md.
Bytes small_block() {
  Section section = section_of({model::LogMessage{model::Level::kWarning, "ops", "beam lost"}}, 7);
  for (std::size_t i = 0; i < 16; ++i) section.origin.bytes[i] = static_cast<std::uint8_t>(i);
  const auto one = inspected(section);
  Digest previous;
  previous.fill(0xaa);
  return encode_block(Line{4711}, at_second(1), previous, {&one, 1});
}

Bytes large_block() {
  std::vector<model::PvUpdate> updates;
  for (std::uint32_t i = 0; i < 1000; ++i) updates.push_back(value_of(i, i * 0.25));
  const auto one = inspected(section_of(updates));
  return encode_block(Line{1}, at_second(1), {}, {&one, 1});
}

/// As after damage that the checksums do not see.
void seal(Bytes& block) {
  const auto payload_crc = crc32(BytesView(block).substr(kBlockHeaderBytes));
  std::memcpy(block.data() + 64, &payload_crc, 4);
  const auto header_crc = crc32(BytesView(block).substr(0, 68));
  std::memcpy(block.data() + 68, &header_crc, 4);
}

TEST(BlockCodec, WritesTheBytesOfTheFormatPage) {
  EXPECT_EQ(hex(small_block()),
            "544d424b010000024800000001000000671200000000000000cac471fe9c9717"
            "01000000000001004500000045000000aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
            "9bcd0c0e6dd37781000102030405060708090a0b0c0d0e0f0100000001000000"
            "070000000000000000002a36fe9c9717150000000200000091971002a36f7073"
            "a96265616d206c6f7374c0a000");
}

TEST(BlockCodec, ReadsWhatItWrote) {
  const auto block = decode_block(small_block());
  ASSERT_TRUE(block);
  EXPECT_EQ(block.value().first, Line{4711});
  EXPECT_EQ(block.value().count, 1u);
  EXPECT_EQ(block.value().recorded_at, at_second(1));
  EXPECT_EQ(block.value().kinds, kind_bit(model::RecordKind::kLogMessage));
  EXPECT_EQ(block.value().level, model::Level::kWarning);
  ASSERT_EQ(block.value().sections.size(), 1u);
  EXPECT_EQ(block.value().sections[0].sequence, 7u);
}

TEST(BlockCodec, PacksLargePayloads) {
  const auto bytes = large_block();
  const auto header = decode_block_header(bytes);
  ASSERT_TRUE(header);
  EXPECT_EQ(header.value().codec, BlockCodec::kZstd);
  EXPECT_LT(header.value().stored_bytes, header.value().raw_bytes / 2);
  const auto block = decode_block(bytes);
  ASSERT_TRUE(block);
  EXPECT_EQ(model::decode_updates(block.value().sections[0].payload).value().size(), 1000u);
}

TEST(BlockCodec, KeepsAPayloadAsItIsWhenPackingDoesNotHelp) {
  std::string noise;
  std::uint64_t state = 1;
  for (int i = 0; i < 4096; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    noise += static_cast<char>(state >> 56);
  }
  const auto one = inspected(section_of({message(noise)}));
  const auto bytes = encode_block(Line{1}, at_second(1), {}, {&one, 1});
  EXPECT_EQ(decode_block_header(bytes).value().codec, BlockCodec::kNone);
  EXPECT_EQ(decode_block(bytes).value().sections[0], one.section());
}

TEST(BlockCodec, DetectsEveryFlippedBitAndEveryMissingByte) {
  const Bytes packed = large_block();
  for (const Bytes& good : {small_block(), packed.substr(0, packed.size())}) {
    for (std::size_t at = 0; at < good.size(); ++at) {
      Bytes bad = good;
      for (int bit = 0; bit < 8; ++bit) {
        bad[at] = static_cast<char>(good[at] ^ (1 << bit));
        if (decode_block(bad)) ADD_FAILURE() << "bit " << bit << " of byte " << at;
        if (good.size() > 1000) break;  // one bit a byte is enough of the large one
      }
    }
  }
  const Bytes good = small_block();
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(decode_block(BytesView(good).substr(0, size))) << size;
  }
  EXPECT_FALSE(decode_block(good + '\0'));
}

TEST(BlockCodec, AHeaderNeedsNoPayload) {
  const Bytes good = large_block();
  EXPECT_TRUE(decode_block_header(BytesView(good).substr(0, kBlockHeaderBytes)));
}

TEST(BlockCodec, DoesNotBelieveLengthsBehindARightChecksum) {
  const auto spoiled = [](std::size_t at, std::uint32_t value) {
    Bytes bytes = small_block();
    std::memcpy(bytes.data() + at, &value, sizeof value);
    seal(bytes);
    return decode_block(bytes).ok();
  };
  EXPECT_FALSE(spoiled(12, 2));                          // sections
  EXPECT_FALSE(spoiled(12, 0xffff'ffff));                // sections
  EXPECT_FALSE(spoiled(32, 2));                          // count
  EXPECT_FALSE(spoiled(40, 0xffff'ffff));                // raw bytes
  EXPECT_FALSE(spoiled(44, 10));                         // stored bytes
  EXPECT_FALSE(spoiled(kBlockHeaderBytes + 20, 9'999));  // records of the section
  EXPECT_FALSE(spoiled(kBlockHeaderBytes + 40, 9'999));  // payload bytes of the section
  EXPECT_FALSE(spoiled(kBlockHeaderBytes + 44, 0));      // format of the section
}

TEST(BlockCodec, RefusesALaterFormatByName) {
  Bytes bytes = small_block();
  bytes[4] = 2;
  seal(bytes);
  const auto decoded = decode_block(bytes);
  ASSERT_FALSE(decoded);
  EXPECT_NE(decoded.error().message.find("format 2"), std::string::npos);
}

}  // namespace
}  // namespace tidemark::journal
