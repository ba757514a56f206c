#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/api/subsystem.h"
#include "model/kv/text.h"
#include "model/packing.h"

namespace tidemark::model::api {
namespace {

using testing::StartsWith;

Surface psu() {
  Surface surface;
  surface.description = "the big one";
  surface.keys.resize(2);
  surface.keys[0].name = "current";
  surface.keys[0].type = kv::scalar(kv::Kind::kDouble);
  surface.keys[1].name = "mode";
  surface.keys[1].type = kv::enum_of({"off", "on"});
  surface.events = {{"degauss", "three cycles", {}}};
  return surface;
}

std::string refused(const Surface& surface) {
  const auto read = read_surface(pack(surface));
  if (read) return "";
  EXPECT_EQ(read.error().code, Code::kInvalidArgument);
  return read.error().message;
}

TEST(Surface, FromOutsideIsReadAsItWas) {
  const auto read = read_surface(pack(psu()));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read.value(), psu());
}

TEST(Surface, ThatIsNoneIsRefused) {
  EXPECT_FALSE(read_surface("no surface").ok());
  EXPECT_FALSE(read_surface("").ok());
}

TEST(Surface, OfTwoKeysOrEventsOfOneNameIsRefused) {
  auto keys = psu();
  keys.keys.push_back(keys.keys[0]);
  EXPECT_EQ(refused(keys), "two keys 'current'");
  auto events = psu();
  events.events.push_back(events.events[0]);
  EXPECT_EQ(refused(events), "two events 'degauss'");
}

TEST(Surface, WithANameThatIsNoneIsRefused) {
  auto key = psu();
  key.keys[0].name = "no spaces";
  EXPECT_THAT(refused(key), StartsWith("key name 'no spaces'"));
  auto event = psu();
  event.events[0].name = "";
  EXPECT_THAT(refused(event), StartsWith("event key name of 0 bytes"));
}

TEST(Surface, WithAKeyThatContradictsItselfIsRefused) {
  auto surface = psu();
  surface.keys[0].low = 5;
  surface.keys[0].high = 1;
  EXPECT_THAT(refused(surface), StartsWith("current: the low limit"));
}

/// The examples of docs/bus-protocol.md.
TEST(Surface, TypesAreWrittenAsTheProtocolPageSays) {
  const auto packed = [](const kv::Type& type) { return kv::to_text(Blob{pack(type)}); };
  EXPECT_EQ(packed(kv::scalar(kv::Kind::kDouble)), "0x95049090c090");  // [4, [], [], nil, []]
  EXPECT_EQ(packed(kv::enum_of({"off", "on"})),  // [7, [off, on], [], nil, []]
            "0x950792a36f6666a26f6e90c090");
  EXPECT_EQ(packed(kv::array_of(kv::scalar(kv::Kind::kInt64), 3)),
            "0x950a909195029090c0900390");  // [10, [], [[2, [], [], nil, []]], 3, []]
  EXPECT_EQ(packed(kv::struct_of({{"x", kv::scalar(kv::Kind::kBool)}})),
            "0x950b9090c09192a17895019090c090");  // [11, [], [], nil, [[x, [1, [], [], nil, []]]]]
}

}  // namespace
}  // namespace tidemark::model::api
