// test/bus/frame_test.cpp

#include "bus/frame.h"

#include <gtest/gtest.h>

#include "hex.h"

namespace tidemark::bus {
namespace {

// Also in docs/bus-protocol.md.
constexpr std::string_view kFrame =
    "53 01 1a 2b 3c 4d 00 01 07 00 00 00 00 00 06 00 "
    "2a 00 00 00 00 00 00 00 02 00 00 00 e1 e5 c3 f6 "
    "00 65 c7 0b 52 72 86 18 00 00 00 00 03 00 00 00 "
    "92 01 02";
constexpr std::string_view kHeartbeat =
    "48 01 1a 2b 3c 4d 00 01 07 00 00 00 00 00 06 00 "
    "2b 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
    "00 65 c7 0b 52 72 86 18 00 00 00 00 00 00 00 00";

FrameHeader example() {
  FrameHeader header;
  header.frame_class = FrameClass::kState;
  header.stream = StreamId{NodeNumber{0x1a2b3c4d}, kLiveStream};
  header.incarnation = 7;
  header.sequence = 42;
  header.count = 2;
  header.sent_at = *parse_iso("2026-01-01T00:00:00.5Z");
  return header;
}

Bytes example_frame() { return encode_frame(example(), "\x92\x01\x02"); }

TEST(Frame, HasTheBytesOfTheProtocolPage) { EXPECT_EQ(to_hex(example_frame()), kFrame); }

TEST(Frame, HeartbeatHasTheBytesOfTheProtocolPage) {
  auto header = example();
  header.frame_class = FrameClass::kHeartbeat;
  header.sequence = 43;
  header.count = 0;
  EXPECT_EQ(to_hex(encode_frame(header, {})), kHeartbeat);
}

TEST(Frame, IsReadAsItWasWritten) {
  const auto bytes = from_hex(kFrame);
  const auto read = decode_frame(bytes);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read.value().header, example());
  EXPECT_EQ(read.value().payload, "\x92\x01\x02");
}

TEST(Frame, BeginsWithItsSubscriptionPrefix) {
  const auto prefix = subscription_prefix(FrameClass::kState, example().stream);
  EXPECT_EQ(prefix.size(), 8U);
  EXPECT_TRUE(example_frame().starts_with(prefix));
}

TEST(Frame, LongerHeaderOfALaterVersionIsSkipped) {
  auto bytes = example_frame();
  bytes[14] = 7;
  bytes.insert(kFrameHeaderBytes, 8, 'x');
  const auto read = decode_frame(bytes);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read.value().payload, "\x92\x01\x02");
}

TEST(Frame, NoTruncationIsAccepted) {
  const auto bytes = example_frame();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_frame(BytesView(bytes).substr(0, size))) << size;
  }
}

TEST(Frame, ThePastHasClassesAndStreamsOfItsOwn) {
  auto header = example();
  header.frame_class = FrameClass::kReplayState;
  header.stream.stream = kReplayStreams + 2;
  const auto past = decode_frame(encode_frame(header, "abc"));
  ASSERT_TRUE(past) << past.error().message;
  EXPECT_EQ(past.value().header, header);

  header.stream.stream = kLiveStream;
  EXPECT_FALSE(decode_frame(encode_frame(header, "abc"))) << "the past on a live stream";
  header.frame_class = FrameClass::kState;
  header.stream.stream = kReplayStreams;
  EXPECT_FALSE(decode_frame(encode_frame(header, "abc"))) << "the present on a replay's";
}

struct Damage {
  const char* name;
  std::size_t offset;
  char value;
  const char* message;
};

class DamagedFrame : public testing::TestWithParam<Damage> {};

TEST_P(DamagedFrame, IsRefusedWithItsReason) {
  auto bytes = example_frame();
  bytes[GetParam().offset] = GetParam().value;
  const auto read = decode_frame(bytes);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::kCorruption);
  EXPECT_NE(read.error().message.find(GetParam().message), std::string::npos)
      << read.error().message;
}

INSTANTIATE_TEST_SUITE_P(Frame, DamagedFrame,
                         testing::Values(Damage{"class", 0, 'Z', "class 90"},
                                         Damage{"version", 1, 2, "wire version 2"},
                                         Damage{"header_length", 14, 5, "do not make"},
                                         Damage{"payload_length", 44, 4, "do not make"},
                                         Damage{"count", 24, 0, "without items"},
                                         Damage{"sequence", 16, 0, "the first is 1"},
                                         Damage{"heartbeat", 0, 'H', "a heartbeat with content"},
                                         Damage{"payload", 50, 3, "checksum"}),
                         [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace tidemark::bus
