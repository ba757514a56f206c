// test/bus/node_test.cpp

#include "bus/node.h"

#include <gtest/gtest.h>

#include "model/packing.h"

namespace tidemark::bus {
namespace {

NodeInfo monitor() {
  NodeInfo node;
  node.name = "monitor";
  node.kind = "monitor";
  node.uuid = node_uuid("demo", "monitor");
  node.incarnation = 3;
  node.data_endpoints = {"ipc:///run/tidemark/monitor.data", "tcp://127.0.0.1:4001"};
  node.request_endpoints = {"ipc:///run/tidemark/monitor.requests"};
  node.host = "control-1";
  node.pid = 4711;
  node.state = NodeState::kSuspect;
  node.public_key.bytes = std::string("\x00\xff", 2) + std::string(30, 'k');
  return node;
}

TEST(Node, HasOneUuidForItsNameOnASite) {
  EXPECT_EQ(node_uuid("demo", "monitor"), Uuid::derive("tidemark/node/demo/monitor"));
  EXPECT_NE(node_uuid("demo", "monitor"), node_uuid("other", "monitor"));
}

TEST(Node, NumberIsTheBeginningOfItsUuid) {
  const auto uuid = *Uuid::parse("1a2b3c4d-0000-4000-8000-000000000000");
  EXPECT_EQ(node_number(uuid), NodeNumber{0x1a2b3c4d});
}

TEST(Directory, SurvivesPacking) {
  Directory directory;
  directory.revision = 12;
  directory.registry = 2;
  directory.nodes = {monitor()};
  directory.settles_in = std::chrono::seconds(2);
  const auto read = model::unpack<Directory>(model::pack(directory));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read.value(), directory);
}

TEST(Directory, OfARegistryThatDoesNotSayIsSettled) {
  const Bytes bytes("\x93\x0c\x02\x90", 4);  // [12, 2, []], as earlier versions answer
  const auto read = model::unpack<Directory>(bytes);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read.value().revision, 12U);
  EXPECT_EQ(read.value().settles_in, Duration{0});
}

TEST(Directory, SaysInHowManyNanosecondsItIsSettled) {
  Directory directory;
  directory.revision = 12;
  directory.registry = 2;
  directory.settles_in = std::chrono::seconds(3);
  EXPECT_EQ(model::pack(directory), Bytes("\x94\x0c\x02\x90\xce\xb2\xd0\x5e\x00", 9));
}

TEST(Directory, FindsByName) {
  Directory directory;
  directory.nodes = {monitor()};
  ASSERT_NE(directory.find("monitor"), nullptr);
  EXPECT_EQ(directory.find("monitor")->pid, 4711U);
  EXPECT_EQ(directory.find("keeper"), nullptr);
}

}  // namespace
}  // namespace tidemark::bus
