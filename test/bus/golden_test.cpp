// test/bus/golden_test.cpp
//
// The payloads of test/golden/payloads.hex, which other languages' clients are held to as well:
// written as they stand there, byte for byte, and read.

#include <gtest/gtest.h>

#include <algorithm>
#include <concepts>
#include <fstream>
#include <limits>
#include <map>

#include "bus/node.h"
#include "bus/resend.h"
#include "hex.h"
#include "model/api/monitor.h"
#include "model/api/subsystem.h"

namespace tidemark::bus {
namespace {

namespace api = model::api;
using model::kv::Array;
using model::kv::EnumValue;
using model::kv::parse_type;
using model::kv::Struct;
using model::kv::Value;
using namespace std::chrono_literals;

/// "[name]", then lines of hexadecimal; a comment begins with '#'.
std::map<std::string, Bytes> golden_payloads() {
  std::map<std::string, Bytes> found;
  std::ifstream file(TIDEMARK_GOLDEN "/payloads.hex");
  std::string name;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    if (line[0] == '[') {
      name = line.substr(1, line.size() - 2);
    } else {
      found[name] += from_hex(line);
    }
  }
  return found;
}

const UtcTime kGoldenMoment{1767225600'500'000'000ns};
const Uuid kGoldenNode = *Uuid::parse("1a2b3c4d-0102-8304-8506-0708090a0b0c");

model::kv::KeySpec golden_key(std::string name, std::string_view type) {
  model::kv::KeySpec spec;
  spec.name = std::move(name);
  spec.type = parse_type(type).value();
  return spec;
}

api::Surface golden_surface() {
  auto current = golden_key("current", "double");
  current.published = true;
  current.unit = "A";
  auto setpoint = golden_key("setpoint", "double");
  setpoint.writable = setpoint.published = setpoint.journaled = true;
  setpoint.unit = "A";
  setpoint.description = "what is wanted";
  setpoint.low = 0;
  setpoint.high = 100;
  setpoint.step = 0.5;
  setpoint.default_value = 0.0;
  auto mode = golden_key("mode", "enum(off|on)");
  mode.writable = true;
  mode.default_value = EnumValue{0, "off"};
  auto reset = golden_key("reset", "bool");
  reset.readable = false;
  reset.writable = true;
  auto trace = golden_key("trace", "int64[3]");
  trace.published = true;
  auto status =
      golden_key("status", "{at: timestamp, took: duration, parts: {x: uint64, raw: bytes}[]}");
  status.published = true;
  return {"a supply",
          {current, setpoint, mode, reset, trace, status},
          {{"degauss", "three cycles", parse_type("any").value()},
           {"ramp", "", parse_type("{to: double, note: string}").value()}}};
}

NodeInfo golden_node() {
  NodeInfo node;
  node.name = "psu.1";
  node.kind = "subsystem";
  node.uuid = kGoldenNode;
  node.incarnation = 7;
  node.data_endpoints = {"tcp://10.9.0.2:40001", "ipc:///run/tidemark/psu.1-7.data"};
  node.request_endpoints = {"tcp://10.9.0.2:40002"};
  node.host = "lab-2";
  node.pid = 4711;
  node.started_at = kGoldenMoment;
  node.state_since = UtcTime{};
  node.labels = {"magnets"};
  node.surface.bytes = model::pack(golden_surface());
  for (char each = 0; each < 32; ++each) node.public_key.bytes.push_back(each);
  return node;
}

/// One of every kind of value.
api::KeyUpdates golden_updates() {
  const std::vector<Value> values = {Value(),
                                     true,
                                     -1,
                                     std::numeric_limits<std::uint64_t>::max(),
                                     0.5,
                                     "über",
                                     model::Blob{Bytes("\x00\xff", 2)},
                                     kGoldenMoment,
                                     -1ns,
                                     EnumValue{1, "on"},
                                     Array{1, Array{2.0}},
                                     Struct{{"x", 1}, {"y", Struct{{"z", Array{}}}}}};
  api::KeyUpdates updates;
  for (std::uint32_t i = 0; i < values.size(); ++i) {
    updates.push_back({i, i + 1, kGoldenMoment + i * 1ns,
                       i == 1 ? api::Quality::kStale : api::Quality::kGood,
                       i == 2 ? "ops@desk" : "", values[i]});
  }
  return updates;
}

class GoldenPayloads : public testing::Test {
 protected:
  /// Written so, and read as what says the same.
  template <class T>
  void expect(const std::string& name, const T& value) {
    SCOPED_TRACE(name);
    seen_.push_back(name);
    ASSERT_TRUE(golden_.contains(name));
    EXPECT_EQ(to_hex(model::pack(value)), to_hex(golden_[name]));
    const auto read = model::unpack<T>(golden_[name]);
    ASSERT_TRUE(read) << read.error().message;
    if constexpr (std::equality_comparable<T>) {
      EXPECT_EQ(read.value(), value);
    }
    EXPECT_EQ(to_hex(model::pack(read.value())), to_hex(golden_[name]));
  }

  std::map<std::string, Bytes> golden_ = golden_payloads();
  std::vector<std::string> seen_;
};

TEST_F(GoldenPayloads, AreWrittenAndRead) {
  expect("node info", golden_node());
  expect("renewal", Renewal{kGoldenNode, 7});
  expect("lease", Lease{3, 42, 3s});
  expect("directory", Directory{1, 3, {golden_node()}, 2s});
  expect("surface", golden_surface());
  expect("kv.read", api::KeyRead{"setpoint"});
  expect("kv.write", api::KeyWrite{"setpoint", 12.5, "ops@desk"});
  expect("key update", api::KeyUpdate{1, 9, kGoldenMoment, api::Quality::kGood, "ops@desk", 12.5});
  expect("key updates", golden_updates());
  expect("state end", api::StateEnd{7, 12, 1});
  expect("event.call", api::EventCall{*Uuid::parse("00112233-4455-6677-8899-aabbccddeeff"), "ramp",
                                      Struct{{"to", 12.5}, {"note", "slowly"}}, "ops@desk"});
  expect("event feedback", api::EventFeedback{"cycle 1 of 3", 1});
  expect("event result", api::EventResult{Struct{{"reached", 12.5}}});
  expect("status items", api::StatusItems{{"interlock", model::Level::kError, 12, "door open",
                                           kGoldenMoment, true, true, "", UtcTime{}},
                                          {"air", model::Level::kWarning, -3, "low", kGoldenMoment,
                                           false, true, "ops@desk", kGoldenMoment + 1ns}});
  expect("status.ack", api::StatusAck{"interlock", "ops@desk"});
  expect("bus.resend", Resend{16, 7, 42, 43});

  std::vector<std::string> all;
  for (const auto& [name, bytes] : golden_) all.push_back(name);
  std::sort(seen_.begin(), seen_.end());
  EXPECT_EQ(seen_, all) << "a payload that nobody looks at";
}

TEST_F(GoldenPayloads, SurfaceIsOneThatARegistryTakes) {
  EXPECT_TRUE(api::read_surface(golden_["surface"]));
}

}  // namespace
}  // namespace tidemark::bus
