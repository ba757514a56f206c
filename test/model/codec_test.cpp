#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "arbitrary.h"
#include "model/packing.h"
#include "model/snapshot.h"

namespace tidemark::model {
namespace {

std::string hex(BytesView bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

RC_GTEST_PROP(UpdateCodec, ReadsBackAnyBatch, ()) {
  const auto updates = arbitrary::any_updates();
  const auto decoded = decode_updates(encode_updates(updates));
  RC_ASSERT(decoded.ok());
  RC_ASSERT(decoded.value() == updates);
}

RC_GTEST_PROP(UpdateCodec, NeverThrowsOnDamagedBytes, ()) {
  auto bytes = encode_updates(arbitrary::any_updates());
  const auto at = *rc::gen::inRange<std::size_t>(0, bytes.size());
  bytes[at] = *rc::gen::arbitrary<char>();
  bytes.resize(*rc::gen::inRange<std::size_t>(0, bytes.size() + 1));
  (void)decode_updates(bytes);
}

TEST(UpdateCodec, RefusesMoreThanItsLimits) {
  const std::vector<PvUpdate> updates(3);
  EXPECT_EQ(decode_updates(encode_updates(updates), {2, 1000}).error().code, Code::kCorruption);
  EXPECT_EQ(decode_updates(encode_updates(updates), {3, 10}).error().code, Code::kCorruption);
  EXPECT_TRUE(decode_updates(encode_updates(updates), {3, 1000}));
}

/// Stored and sent: when this fails, old journals cannot be read any more.
TEST(UpdateCodec, WritesTheBytesThatItAlwaysWrote) {
  std::vector<PvUpdate> updates(4);
  updates[0].channel = ChannelId{1};
  updates[0].event = PvUpdate::Event::kConnected;
  updates[0].taken_at = UtcTime{Duration{1'000'000'000}};
  PvMeta meta;
  meta.native_type = "double";
  meta.host = "ioc:5064";
  meta.units = "A";
  meta.precision = 3;
  meta.control_limits = Range{-10, 10};
  updates[0].meta = std::make_shared<const PvMeta>(meta);
  updates[1].channel = ChannelId{1};
  updates[1].taken_at = UtcTime{Duration{1'000'000'256}};
  updates[1].alarm = {Severity::kMinor, 4};
  updates[1].hidden_before = 2;
  updates[1].value = 1.5;
  updates[2].channel = ChannelId{258};
  updates[2].taken_at = UtcTime{Duration{1'000'000'000}};
  updates[2].value = std::string("on");
  updates[3].channel = ChannelId{1};
  updates[3].event = PvUpdate::Event::kDisconnected;
  updates[3].taken_at = UtcTime{Duration{1'000'000'000}};
  EXPECT_EQ(hex(encode_updates(updates)),
            "9a0104ce3b9aca00"                      // ten columns; format 1, four rows, base time
            "c41001000000010000000201000001000000"  // channels
            "c4200000000000000000000100000000000000ffffffffffffff0000000000000000"  // times
            "c40440010741"                                                          // types
            "c4080000010400000000"                                                  // alarms
            "c408000000000000f83f"  // fixed values: 1.5
            "929ca6646f75626c6501c3c3a8696f633a35303634a14103c0c0c092cbc024000000000000cb4024000000"
            "00000090a26f6e"                        // others: the
                                                    // meta, "on"
            "c41000000000020000000000000000000000"  // hidden
            "");
}

RC_GTEST_PROP(RecordCodec, ReadsBackAnyBatch, ()) {
  const auto records = arbitrary::any_vector<Record>(&arbitrary::any_record);
  const auto decoded = decode_records(encode_records(records));
  RC_ASSERT(decoded.ok());
  RC_ASSERT(decoded.value() == records);
}

RC_GTEST_PROP(RecordCodec, NeverThrowsOnDamagedBytes, ()) {
  auto bytes = encode_records(arbitrary::any_vector<Record>(&arbitrary::any_record));
  const auto at = *rc::gen::inRange<std::size_t>(0, bytes.size());
  bytes[at] = *rc::gen::arbitrary<char>();
  (void)decode_records(bytes);
}

RC_GTEST_PROP(SnapshotCodec, ReadsBackAnySnapshot, ()) {
  Snapshot snapshot;
  snapshot.header.id = arbitrary::any_uuid();
  snapshot.header.title = arbitrary::any<std::string>();
  snapshot.values.resize(*rc::gen::inRange<std::size_t>(0, 5));
  for (auto& value : snapshot.values) {
    arbitrary::fill(value.channel);
    arbitrary::fill(value.value);
    value.address = arbitrary::any<std::string>();
    value.control_limits = arbitrary::any_range();
    value.labels = arbitrary::any<std::vector<std::string>>();
  }
  snapshot.pvs.resize(1);
  snapshot.pvs[0].tags = {arbitrary::any_uuid()};
  const auto unpacked = unpack<Snapshot>(pack(snapshot));
  RC_ASSERT(unpacked.ok());
  RC_ASSERT(unpacked.value() == snapshot);
}

}  // namespace
}  // namespace tidemark::model
