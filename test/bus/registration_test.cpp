#include "bus/registration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace tidemark::bus {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

NodeInfo psu() {
  NodeInfo node;
  node.name = "psu.1";
  node.kind = "subsystem";
  node.uuid = node_uuid("test", node.name);
  node.incarnation = 1;
  node.data_endpoints = {"ipc:///run/psu.1-1.data"};
  node.request_endpoints = {"ipc:///run/psu.1-1.req"};
  node.host = "control-1";
  node.labels = {"magnets"};
  return node;
}

std::string refused(const std::function<void(NodeInfo&)>& change) {
  auto node = psu();
  change(node);
  const auto checked = check_registration(node);
  if (checked) return "";
  EXPECT_EQ(checked.error().code, Code::kInvalidArgument);
  return checked.error().message;
}

TEST(NodeName, IsLettersDigitsDotsUnderscoresAndHyphens) {
  for (const auto* name : {"psu.1", "registry-2", "_x", "RF_7", "7"}) {
    EXPECT_TRUE(check_node_name(name).ok()) << name;
  }
  EXPECT_TRUE(check_node_name(std::string(64, 'x')).ok());
  for (const auto* name : {"a b", "a/b", "user@host", "a:b", "psu*", "päu", "a\n"}) {
    EXPECT_THAT(check_node_name(name).error().message, StartsWith("name '")) << name;
  }
  EXPECT_EQ(check_node_name("").error().message, "name is empty");
  EXPECT_EQ(check_node_name(std::string(65, 'x')).error().message,
            "name has 65 bytes, more than 64");
}

TEST(NodeName, IsNeitherADirectoryNorAnOption) {
  for (const auto* name : {".", "..", ".hidden", "--help"}) {
    EXPECT_FALSE(check_node_name(name).ok()) << name;
  }
}

TEST(Registration, OfAWholeNodeIsTaken) {
  EXPECT_EQ(refused([](NodeInfo&) {}), "");
  EXPECT_EQ(refused([](NodeInfo& node) { node.public_key.bytes = std::string(32, 'k'); }), "");
}

TEST(Registration, NamesTheFieldThatIsMissing) {
  EXPECT_THAT(refused([](NodeInfo& node) { node.name = "psu/1"; }), StartsWith("name "));
  EXPECT_THAT(refused([](NodeInfo& node) { node.kind.clear(); }), StartsWith("kind "));
  EXPECT_THAT(refused([](NodeInfo& node) { node.uuid = {}; }), StartsWith("uuid "));
  EXPECT_THAT(refused([](NodeInfo& node) { node.incarnation = 0; }), StartsWith("incarnation "));
  EXPECT_THAT(refused([](NodeInfo& node) { node.data_endpoints.clear(); }),
              StartsWith("data endpoints"));
  EXPECT_THAT(refused([](NodeInfo& node) { node.request_endpoints.clear(); }),
              StartsWith("request endpoints"));
  EXPECT_THAT(refused([](NodeInfo& node) { node.labels = {""}; }), HasSubstr("labels"));
}

TEST(Registration, NamesTheFieldThatIsTooLarge) {
  const std::string text(256, 'x');
  EXPECT_EQ(refused([](NodeInfo& node) { node.kind = std::string(65, 'x'); }),
            "kind has 65 bytes, more than 64");
  EXPECT_THAT(refused([&](NodeInfo& node) { node.host = text; }), StartsWith("host "));
  EXPECT_EQ(refused([&](NodeInfo& node) { node.data_endpoints.push_back(text); }),
            "an entry of data endpoints has 256 bytes, more than 255");
  EXPECT_EQ(refused([](NodeInfo& node) { node.request_endpoints.assign(17, "tcp://127.0.0.1:1"); }),
            "request endpoints has 17 entries, more than 16");
  EXPECT_THAT(refused([](NodeInfo& node) { node.labels.assign(257, "x"); }), StartsWith("labels "));
  EXPECT_THAT(refused([](NodeInfo& node) { node.public_key.bytes = "short"; }),
              StartsWith("public key "));
  EXPECT_THAT(refused([](NodeInfo& node) { node.surface.bytes.assign(kSurfaceBytesMax + 1, 'x'); }),
              StartsWith("surface "));
}

}  // namespace
}  // namespace tidemark::bus
