// ls, describe, and what `status` says of subsystems.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/tools/lab.h"

namespace tidemark::tools {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class LsCommand : public testing::Test {
 protected:
  void SetUp() override {
    lab_.start("psu.1",
               [](Subsystem& psu) {
                 psu.publish<double>("current", {.unit = "A", .description = "what flows"});
                 psu.writable<double>("setpoint", {.unit = "A",
                                                   .range = KeyOptions::Range{0, 100},
                                                   .step = 0.5,
                                                   .default_value = Value(1.5)});
                 psu.on_event("degauss", [](Call&) { return done(); },
                              {.description = "three cycles",
                               .argument = model::kv::scalar(model::kv::Kind::kDouble)});
                 psu.status_item("interlock", latched).raise(Severity::kError, 12, "door open");
                 psu.status_item("fan");
               },
               {.description = "the big one", .labels = {"magnets", "linac"}});
  }
  Lab lab_;
};

TEST_F(LsCommand, ShowsEverybodyWithWhatTheyOffer) {
  const auto ran = lab_.run({"ls"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  const auto lines = ran.lines();
  ASSERT_EQ(lines.size(), 3u) << ran.out;
  EXPECT_THAT(lines[0], testing::StartsWith("NAME"));
  EXPECT_THAT(lines[1], HasSubstr("journal"));
  EXPECT_THAT(lines[2], testing::MatchesRegex(
                            "psu.1 +subsystem +alive +[0-9]+s +host +1001 +2 +1 +magnets linac"));
}

TEST_F(LsCommand, ShowsThoseThatMatch) {
  lab_.start("psu.2");
  const auto ran = lab_.run({"ls", "psu.*"});
  EXPECT_EQ(ran.lines().size(), 3u);
  EXPECT_THAT(ran.out, Not(HasSubstr("journal")));
}

TEST_F(LsCommand, ShowsWhoIsGoneAsSuch) {
  lab_.start("psu.2");
  lab_.stop("psu.2");
  EXPECT_THAT(lab_.run({"ls", "psu.2"}).out, HasSubstr("stopped"));
}

TEST_F(LsCommand, GivesOneDocumentForEach) {
  const auto documents = lab_.run({"ls", "--json"}).documents();
  ASSERT_EQ(documents.size(), 2u);
  EXPECT_EQ(documents[1].at("name"), "psu.1");
  EXPECT_EQ(documents[1].at("state"), "alive");
  EXPECT_EQ(documents[1].at("keys"), 2);
  EXPECT_EQ(documents[1].at("events"), 1);
  EXPECT_EQ(documents[1].at("labels"), (Json{"magnets", "linac"}));
  EXPECT_EQ(documents[1].at("description"), "the big one");
}

TEST_F(LsCommand, SaysOfWhomItCannotReadWhatTheyOffer) {
  auto self = test::member_called("odd.1");
  self.surface.bytes = "no surface";
  const auto link = lab_.site().link(self);
  const auto registry = lab_.site().registries().at(0);
  link->set_peer(registry);
  std::promise<bool> registered;
  link->request(bus::node_number(registry.uuid), "registry.register", model::pack(self),
                {std::chrono::seconds(5), {}},
                [&](const bus::Answer& answer) { registered.set_value(answer.ok()); });
  ASSERT_TRUE(registered.get_future().get());

  const auto why = HasSubstr("tidemark: what odd.1 offers cannot be read: ");
  const auto listed = lab_.run({"ls", "odd.1"});
  EXPECT_EQ(listed.exit, 0);
  EXPECT_THAT(listed.out, HasSubstr(" ? "));
  EXPECT_THAT(listed.err, why);
  EXPECT_EQ(lab_.run({"ls", "odd.1", "--json"}).documents().at(0).at("keys"), nullptr);

  const auto described = lab_.run({"describe", "odd.1"});
  EXPECT_EQ(described.exit, 0);
  EXPECT_THAT(described.err, why);
  EXPECT_EQ(lab_.run({"describe", "odd.1", "--json"}).documents().at(0).at("events"), nullptr);

  EXPECT_THAT(lab_.run({"kv", "get", "odd.1/current"}).err, why);
}

TEST_F(LsCommand, FailsForANameThatNobodyHasAndHintsAtTheNearest) {
  const auto ran = lab_.run({"ls", "pus.1"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.err, "tidemark: nobody is called 'pus.1'; did you mean 'psu.1'?\n");
}

TEST_F(LsCommand, SaysThatNoRegistryAnswers) {
  lab_.site().close_registry();
  const auto ran = lab_.run({"ls", "--timeout", "50ms"});
  EXPECT_EQ(ran.exit, 3);
  EXPECT_THAT(ran.err, HasSubstr("is `tidemark up` running?"));
}

TEST_F(LsCommand, CountsASubsystemAsWellWhenItIsAliveInStatus) {
  const auto ran = lab_.run({"status", "--json", "--timeout", "200ms"});
  const auto nodes = Json::parse(ran.out).at("nodes");
  bool found = false;
  for (const auto& node : nodes) {
    if (node.at("name") != "psu.1") continue;
    found = true;
    EXPECT_EQ(node.at("error"), nullptr);
  }
  EXPECT_TRUE(found);
}

// ---- describe -----------------------------------------------------------------------------------

TEST_F(LsCommand, DescribesIdentityKeysEventsAndWhatIsWrong) {
  const auto ran = lab_.run({"describe", "psu.1"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("psu.1  subsystem, alive for"));
  EXPECT_THAT(ran.out, HasSubstr("the big one\n"));
  EXPECT_THAT(ran.out, HasSubstr("magnets  linac"));
  EXPECT_THAT(ran.out, HasSubstr(bus::node_uuid("test", "psu.1").text()));
  EXPECT_THAT(ran.out, HasSubstr("pid 1001 on host"));
  EXPECT_THAT(ran.out, HasSubstr("memory://psu.1.requests"));
  EXPECT_THAT(ran.out, testing::ContainsRegex("current +double +read watch +A +what flows"));
  EXPECT_THAT(ran.out, testing::ContainsRegex(
                           "setpoint +double +read write watch +A +0 … 100, step 0.5 +1.5"));
  EXPECT_THAT(ran.out, testing::ContainsRegex("degauss +double +three cycles"));
  EXPECT_THAT(ran.out, HasSubstr("door open"));
  EXPECT_THAT(ran.out, Not(HasSubstr("fan")));
}

TEST_F(LsCommand, DescribesInOneDocument) {
  const auto documents = lab_.run({"describe", "psu.1", "--json"}).documents();
  ASSERT_EQ(documents.size(), 1u);
  const auto& psu = documents[0];
  EXPECT_EQ(psu.at("keys").at(1).at("name"), "setpoint");
  EXPECT_EQ(psu.at("keys").at(1).at("high"), 100);
  EXPECT_EQ(psu.at("keys").at(1).at("default").at("value"), 1.5);
  EXPECT_EQ(psu.at("keys").at(0).at("high"), nullptr);
  EXPECT_EQ(psu.at("events").at(0).at("argument"), "double");
  EXPECT_EQ(psu.at("status_items").size(), 1u);
  EXPECT_EQ(psu.at("status_items").at(0).at("item"), "interlock");
}

TEST_F(LsCommand, DescribesANodeThatOffersNothing) {
  const auto ran = lab_.run({"describe", "journal"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(ran.out, Not(HasSubstr("KEY")));
}

TEST_F(LsCommand, DescribesWhoIsGoneByWhatIsRemembered) {
  lab_.stop("psu.1");
  const auto ran = lab_.run({"describe", "psu.1"});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_THAT(ran.out, HasSubstr("stopped for"));
  EXPECT_THAT(ran.out, HasSubstr("setpoint"));
  const auto documents = lab_.run({"describe", "psu.1", "--json"}).documents();
  EXPECT_EQ(documents.at(0).at("status_items"), nullptr);
}

TEST_F(LsCommand, DescribesNobodyWhoIsNotThere) {
  const auto ran = lab_.run({"describe", "psu.2"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_EQ(ran.err, "tidemark: nobody on the bus is called 'psu.2'; did you mean 'psu.1'?\n");
}

TEST_F(LsCommand, ForgetTakesOutWhoDied) {
  lab_.start("psu.2");
  lab_.kill("psu.2");
  const auto seen = [&] { return lab_.run({"ls", "psu.2"}); };
  while (seen().out.find("disconnected") == std::string::npos) {
  }
  const auto ran = lab_.run({"forget", "psu.2"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(ran.out, "psu.2 is forgotten by registry\n");
  EXPECT_THAT(seen().err, HasSubstr("nobody is called 'psu.2'"));
  EXPECT_THAT(lab_.run({"forget", "psu.2"}).err, HasSubstr("nobody on the bus is called 'psu.2'"));
}

TEST_F(LsCommand, ForgetIsRefusedForWhoIsAlive) {
  const auto ran = lab_.run({"forget", "psu.1", "--json"});
  EXPECT_EQ(ran.exit, static_cast<int>(exit_of({Code::kRefused, ""})));
  EXPECT_THAT(ran.err, HasSubstr("registry does not forget psu.1: psu.1 is alive on host, pid"));
  EXPECT_EQ(ran.documents().at(0).at("forgotten_by"), Json::array());
  EXPECT_THAT(lab_.run({"ls", "psu.1"}).out, HasSubstr("alive"));
}

TEST_F(LsCommand, ShellsAreToldTheNamesOfThoseOnTheBusOfTheirKeysAndEvents) {
  EXPECT_EQ(lab_.run({"complete-names", "node", "ps"}).out, "psu.1\n");
  EXPECT_EQ(lab_.run({"complete-names", "key", "psu.1/"}).out, "psu.1/current\npsu.1/setpoint\n");
  EXPECT_EQ(lab_.run({"complete-names", "event", ""}).out, "degauss\n");
  EXPECT_EQ(lab_.run({"complete-names", "event", "x"}).out, "");
}

}  // namespace
}  // namespace tidemark::tools
