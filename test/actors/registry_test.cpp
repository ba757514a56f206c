#include "actors/registry.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "base/files.h"
#include "model/api/subsystem.h"
#include "node_test.h"

namespace tidemark::actors {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

bus::NodeInfo member_called(const std::string& name, bus::Incarnation incarnation = 1) {
  auto info = test::node_called(name, incarnation);
  info.data_endpoints = {"ipc:///run/" + name + ".data"};
  info.request_endpoints = {"ipc:///run/" + name + ".req"};
  return info;
}

class RegistryTest : public NodeTest {
 protected:
  RegistryTest() : NodeTest("registry") {}

  bus::Directory add(const bus::NodeInfo& node) {
    answer<bus::Lease>(registry_, add_atom_v, node);
    return answer<bus::Directory>(registry_, directory_atom_v);
  }
  void renew(const bus::NodeInfo& node) {
    answer<bus::Lease>(registry_, renew_atom_v, bus::Renewal{node.uuid, node.incarnation});
  }
  void goodbye(const bus::NodeInfo& node) {
    answer<model::api::Empty>(registry_, goodbye_atom_v, bus::Renewal{node.uuid, node.incarnation});
  }
  bus::NodeState state_of(const std::string& node) {
    const auto directory = answer<bus::Directory>(registry_, directory_atom_v);
    const auto* found = directory.find(node);
    EXPECT_NE(found, nullptr);
    return found == nullptr ? bus::NodeState::kStopped : found->state;
  }

  Registry start(const std::string& memory = {}) {
    return spawn(registry_actor, std::shared_ptr<bus::Link>(link_), board_, outbox_, memory);
  }

  Registry registry_ = start();
};

TEST_F(RegistryTest, PublishesWhoRegisters) {
  const auto directory = add(member_called("monitor"));
  ASSERT_NE(directory.find("monitor"), nullptr);
  EXPECT_EQ(directory.find("monitor")->state, bus::NodeState::kAlive);
  EXPECT_EQ(directory.revision, 1u);
  EXPECT_EQ(directory.registry, link_->self().incarnation);

  const auto published = link_->published(bus::kDirectoryStream);
  ASSERT_THAT(published, SizeIs(1));
  EXPECT_EQ(model::unpack<std::vector<bus::NodeInfo>>(published[0].payload).value(),
            directory.nodes);
  ASSERT_THAT(journal_.all<model::NodeUp>(), SizeIs(1));
  EXPECT_EQ(journal_.all<model::NodeUp>()[0].node, "monitor");
}

TEST_F(RegistryTest, PublishesNothingForARenewal) {
  add(member_called("monitor"));
  EXPECT_EQ(add(member_called("monitor")).revision, 1u);
  EXPECT_THAT(link_->published(bus::kDirectoryStream), SizeIs(1));
}

TEST_F(RegistryTest, KeepsANodeAliveThatRenews) {
  for (int i = 0; i < 10; ++i) {
    i == 0 ? void(add(member_called("monitor"))) : renew(member_called("monitor"));
    pass(seconds(1));
    EXPECT_EQ(state_of("monitor"), bus::NodeState::kAlive);
  }
}

TEST_F(RegistryTest, SuspectsASilentNodeAndThenGivesItUp) {
  add(member_called("monitor"));
  pass(milliseconds(2000));
  EXPECT_EQ(state_of("monitor"), bus::NodeState::kSuspect);
  EXPECT_THAT(journal_.all<model::NodeDown>(), IsEmpty());

  pass(milliseconds(1500));
  EXPECT_EQ(state_of("monitor"), bus::NodeState::kDisconnected);
  ASSERT_THAT(journal_.all<model::NodeDown>(), SizeIs(1));
  EXPECT_EQ(journal_.all<model::NodeDown>()[0].reason, "lease over");
  EXPECT_THAT(link_->published(bus::kDirectoryStream), SizeIs(3));
}

TEST_F(RegistryTest, TakesBackASuspectThatRenews) {
  add(member_called("monitor"));
  pass(seconds(2));
  renew(member_called("monitor"));
  EXPECT_EQ(state_of("monitor"), bus::NodeState::kAlive);
}

TEST_F(RegistryTest, PutsANewIncarnationInThePlaceOfTheOld) {
  add(member_called("monitor", 1));
  const auto directory = add(member_called("monitor", 2));
  EXPECT_THAT(directory.nodes, SizeIs(1));
  EXPECT_EQ(directory.find("monitor")->incarnation, 2u);
  ASSERT_THAT(journal_.all<model::NodeDown>(), SizeIs(1));
  EXPECT_EQ(journal_.all<model::NodeDown>()[0].reason, "superseded by incarnation 2");

  const auto published = link_->published(bus::kDirectoryStream);
  ASSERT_THAT(published, SizeIs(2)) << "one for each life";
  EXPECT_EQ(published[1].sequence, 2u);
  EXPECT_EQ(published[1].count, 1u);
  EXPECT_EQ(model::unpack<std::vector<bus::NodeInfo>>(published[1].payload).value(),
            directory.nodes);
  EXPECT_EQ(directory.revision, 2u);
}

TEST_F(RegistryTest, RefusesWhatOthersCouldNotUse) {
  const auto why = [this](const bus::NodeInfo& node) {
    const auto error = refusal<bus::Lease>(registry_, add_atom_v, node);
    EXPECT_EQ(error.code, Code::kInvalidArgument);
    return error.message;
  };
  auto nowhere = member_called("psu.1");
  nowhere.request_endpoints.clear();
  EXPECT_THAT(why(nowhere), HasSubstr("request endpoints"));
  EXPECT_THAT(why(member_called("psu 1")), HasSubstr("name 'psu 1'"));

  auto odd = member_called("psu.1");
  odd.surface.bytes = "no surface";
  EXPECT_THAT(why(odd), HasSubstr("surface: "));
  model::api::Surface surface;
  surface.keys.resize(1);
  surface.keys[0].name = "no spaces";
  odd.surface.bytes = model::pack(surface);
  EXPECT_THAT(why(odd), HasSubstr("surface: key name 'no spaces'"));
  EXPECT_THAT(link_->published(bus::kDirectoryStream), IsEmpty());

  surface.keys[0].name = "current";
  odd.surface.bytes = model::pack(surface);
  EXPECT_EQ(add(odd).find("psu.1")->surface, odd.surface);
}

TEST_F(RegistryTest, RefusesASupersededIncarnation) {
  add(member_called("monitor", 2));
  const auto error = refusal<bus::Lease>(registry_, add_atom_v, member_called("monitor", 1));
  EXPECT_EQ(error.code, Code::kRefused);
  EXPECT_THAT(error.message, HasSubstr("superseded by incarnation 2"));
}

TEST_F(RegistryTest, RefusesANameThatIsTaken) {
  add(member_called("monitor"));
  auto other = member_called("monitor");
  other.uuid = Uuid::derive("another site's monitor");
  const auto error = refusal<bus::Lease>(registry_, add_atom_v, other);
  EXPECT_EQ(error.code, Code::kConflict);
  EXPECT_THAT(error.message, HasSubstr("name 'monitor'"));
}

TEST_F(RegistryTest, RefusesANumberThatIsTaken) {
  const auto monitor = member_called("monitor");
  add(monitor);
  auto other = member_called("keeper");
  other.uuid = monitor.uuid;
  other.uuid.bytes[15] = static_cast<std::uint8_t>(~other.uuid.bytes[15]);
  ASSERT_EQ(bus::node_number(other.uuid), bus::node_number(monitor.uuid));
  const auto error = refusal<bus::Lease>(registry_, add_atom_v, other);
  EXPECT_EQ(error.code, Code::kConflict);
  EXPECT_THAT(error.message, HasSubstr("number"));
}

TEST_F(RegistryTest, LetsANodeGoThatSaysGoodbye) {
  add(member_called("monitor"));
  goodbye(member_called("monitor"));
  EXPECT_EQ(state_of("monitor"), bus::NodeState::kStopped);
  EXPECT_EQ(journal_.all<model::NodeDown>()[0].reason, "stopped");
  pass(seconds(10));
  EXPECT_EQ(state_of("monitor"), bus::NodeState::kStopped);
}

TEST_F(RegistryTest, IgnoresTheGoodbyeOfAnOlderIncarnation) {
  add(member_called("monitor", 2));
  goodbye(member_called("monitor", 1));
  EXPECT_EQ(state_of("monitor"), bus::NodeState::kAlive);
}

TEST_F(RegistryTest, BelievesASupervisorThatSawTheProcessEnd) {
  const auto monitor = member_called("monitor");
  add(monitor);
  answer<model::api::Empty>(registry_, exited_atom_v,
                            model::api::Exited{"monitor", monitor.pid, "killed by signal 9"});
  EXPECT_EQ(state_of("monitor"), bus::NodeState::kDisconnected);
  EXPECT_EQ(journal_.all<model::NodeDown>()[0].reason, "killed by signal 9");
}

TEST_F(RegistryTest, IgnoresTheEndOfAnotherProcess) {
  add(member_called("monitor"));
  answer<model::api::Empty>(registry_, exited_atom_v,
                            model::api::Exited{"monitor", 4711, "killed by signal 9"});
  EXPECT_EQ(state_of("monitor"), bus::NodeState::kAlive);
}

TEST_F(RegistryTest, RecordsThatANodeIsBackAfterItsLeaseWasOver) {
  add(member_called("monitor"));
  pass(seconds(5));
  add(member_called("monitor"));
  EXPECT_EQ(state_of("monitor"), bus::NodeState::kAlive);
  EXPECT_THAT(journal_.all<model::NodeUp>(), SizeIs(2));
}

TEST_F(RegistryTest, RemembersInItsNextLifeWhoDidNotSayGoodbye) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "registry_members";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  const auto memory = (folder / "members").string();
  registry_ = start(memory);
  add(member_called("monitor"));
  add(member_called("keeper"));
  goodbye(member_called("keeper"));
  pass(seconds(1));
  registry_ = start(memory);
  EXPECT_THAT(answer<bus::Directory>(registry_, directory_atom_v).nodes, IsEmpty());
  EXPECT_EQ(answer<bus::Directory>(registry_, directory_atom_v).settles_in, bus::kLease);
  pass(seconds(4));
  EXPECT_EQ(state_of("monitor"), bus::NodeState::kDisconnected);
  EXPECT_EQ(answer<bus::Directory>(registry_, directory_atom_v).find("keeper"), nullptr);
  ASSERT_TRUE(write_file(memory, "no list of nodes").ok());
  registry_ = start(memory);  // which says so, and begins with nobody
  pass(seconds(4));
  EXPECT_THAT(answer<bus::Directory>(registry_, directory_atom_v).nodes, IsEmpty());
  std::filesystem::remove_all(folder);
}

TEST_F(RegistryTest, ForgetsAtOnceAndForGoodWhoDied) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "registry_forgets";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  const auto memory = (folder / "members").string();
  registry_ = start(memory);
  pass(seconds(4));
  const auto psu = member_called("psu.1");
  add(psu);
  const auto alive = refusal<model::api::Empty>(registry_, remove_atom_v,
                                                bus::Forget{psu.uuid, "psu.1", "ada@console"});
  EXPECT_EQ(alive.code, Code::kRefused);
  pass(seconds(4));
  const auto nobody =
      refusal<model::api::Empty>(registry_, remove_atom_v, bus::Forget{psu.uuid, "psu.1", ""});
  EXPECT_EQ(nobody.code, Code::kInvalidArgument);
  answer<model::api::Empty>(registry_, remove_atom_v,
                            bus::Forget{psu.uuid, "psu.1", "ada@console"});

  EXPECT_EQ(answer<bus::Directory>(registry_, directory_atom_v).find("psu.1"), nullptr);
  const auto last = link_->published(bus::kDirectoryStream).back();
  const auto said = model::unpack<std::vector<bus::NodeInfo>>(last.payload).value();
  ASSERT_THAT(said, SizeIs(1));
  EXPECT_EQ(said[0].uuid, psu.uuid);
  EXPECT_EQ(said[0].state, bus::NodeState::kForgotten);
  const auto messages = journal_.all<model::LogMessage>();
  ASSERT_THAT(messages, SizeIs(1));
  EXPECT_EQ(messages[0].text, "psu.1 is forgotten: so says ada@console");
  registry_ = start(memory);
  pass(seconds(4));
  EXPECT_EQ(answer<bus::Directory>(registry_, directory_atom_v).find("psu.1"), nullptr);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace tidemark::actors
