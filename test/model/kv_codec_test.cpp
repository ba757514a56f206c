#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>

#include "kv_arbitrary.h"
#include "model/kv/text.h"
#include "model/packing.h"

namespace tidemark::model::kv {
namespace {

using testing::HasSubstr;

std::string packed(const Value& value) { return to_text(Blob{pack(value)}); }

Value unpacked(BytesView bytes) {
  const auto value = unpack<Value>(bytes);
  EXPECT_TRUE(value.ok()) << (value.ok() ? "" : value.error().message);
  return value.ok() ? value.value() : Value();
}

std::string refused(BytesView bytes) {
  const auto value = unpack<Value>(bytes);
  EXPECT_FALSE(value.ok());
  if (value.ok()) return "";
  EXPECT_EQ(value.error().code, Code::kCorruption);
  return value.error().message;
}

/// A text with any bytes in it, also zeros.
template <std::size_t kSize>
BytesView raw(const char (&bytes)[kSize]) {
  return {bytes, kSize - 1};
}

/// Sent and stored, and read by programs in other languages: when this fails, they cannot.
TEST(KvCodec, WritesTheBytesThatItAlwaysWrote) {
  EXPECT_EQ(packed(Value()), "0xc0");
  EXPECT_EQ(packed(true), "0xc3");
  EXPECT_EQ(packed(5), "0x05");
  EXPECT_EQ(packed(-1), "0xff");
  EXPECT_EQ(packed(300u), "0xcd012c");
  EXPECT_EQ(packed(std::numeric_limits<std::uint64_t>::max()), "0xcfffffffffffffffff");
  EXPECT_EQ(packed(1.0), "0xcb3ff0000000000000");
  EXPECT_EQ(packed("on"), "0xa26f6e");
  EXPECT_EQ(packed(Blob{"ab"}), "0xc4026162");
  EXPECT_EQ(packed(Array{1, 2.0}), "0x9201cb4000000000000000");
  EXPECT_EQ(packed(Struct{{"y", 1}, {"x", Value()}}), "0x82a17901a178c0");
  EXPECT_EQ(packed(UtcTime{Duration{258}}), "0xd7010000000000000102");
  EXPECT_EQ(packed(Duration{-1}), "0xd702ffffffffffffffff");
  EXPECT_EQ(packed(EnumValue{258, "on"}), "0xd60301026f6e");
  EXPECT_EQ(packed(EnumValue{1, ""}), "0xd5030001");
  EXPECT_EQ(packed(EnumValue{1, "off"}), "0xc7050300016f6666");
}

TEST(KvCodec, ReadsWhatOthersMayWrite) {
  EXPECT_EQ(unpacked(raw("\xca\x3f\x80\x00\x00")), Value(1.0));  // float 32
  EXPECT_EQ(unpacked(raw("\xcf\x00\x00\x00\x00\x00\x00\x00\x07")), Value(7));
  EXPECT_EQ(unpacked(raw("\xd3\x00\x00\x00\x00\x00\x00\x00\x07")), Value(7));
  EXPECT_EQ(unpacked(raw("\xc7\x08\x02\x00\x00\x00\x00\x00\x00\x00\x07")), Value(Duration{7}));
}

TEST(KvCodec, RefusesBytesThatAreNoValue) {
  EXPECT_THAT(refused(""), HasSubstr("insufficient"));
  EXPECT_THAT(refused(raw("\xc1")), HasSubstr("msgpack"));
  EXPECT_THAT(refused(raw("\x05\x05")), HasSubstr("1 bytes after the end"));
  EXPECT_THAT(refused(raw("\xd4\x04x")), HasSubstr("extension type 1, 2 or 3"));
  EXPECT_THAT(refused(raw("\xd6\x01xxxx")), HasSubstr("8 bytes of nanoseconds"));
  EXPECT_THAT(refused(raw("\xd4\x03x")), HasSubstr("2 bytes of enum index"));
  EXPECT_THAT(refused(raw("\x81\x01\x02")), HasSubstr("field names that are strings"));
  refused(raw("\xdd\xff\xff\xff\xff"));
  refused(raw("\xdf\xff\xff\xff\xff"));
}

TEST(KvCodec, RefusesWhatIsTooDeepOrTooLarge) {
  EXPECT_EQ(pack(unpacked(std::string(15, '\x91') + '\x05')), std::string(15, '\x91') + '\x05');
  EXPECT_EQ(pack(unpacked(std::string(15, '\x91') + '\x90')), std::string(15, '\x91') + '\x90');
  EXPECT_THAT(refused(std::string(16, '\x91') + '\x05'), HasSubstr("16 levels"));
  refused(std::string(100'000, '\x91'));

  const auto most = pack(Value(Array(kValueElementsMax)));
  EXPECT_TRUE(unpack<Value>(most).ok());
  EXPECT_THAT(refused('\x91' + most), HasSubstr("1048576 elements"));
}

TEST(KvCodec, LeavesRoomAroundTheDeepestValue) {
  Value deep = 1;
  for (std::size_t level = 1; level < kValueDepthMax; ++level) deep = Struct{{"x", deep}};
  EXPECT_EQ(unpacked(pack(deep)), deep);
}

RC_GTEST_PROP(KvCodec, NeverThrowsOnDamagedBytes, ()) {
  auto bytes = pack(arbitrary::any_value_of(arbitrary::any_type()));
  const auto at = *rc::gen::inRange<std::size_t>(0, bytes.size());
  bytes[at] = *rc::gen::arbitrary<char>();
  bytes.resize(*rc::gen::inRange<std::size_t>(0, bytes.size() + 1));
  const auto value = unpack<Value>(bytes);
  if (!value) RC_ASSERT(value.error().code == Code::kCorruption);
}

}  // namespace
}  // namespace tidemark::model::kv
